"""A Celery worker that kills the process of a cancelled run sooner than usual, so that a test need not wait as long."""

from unittest.mock import patch

from pipeline.dagster_host import celery_worker

KILL_AFTER_SECONDS = 8.0

if __name__ == "__main__":
    with patch.object(celery_worker, "KILL_AFTER_SECONDS", KILL_AFTER_SECONDS):
        celery_worker.main()
