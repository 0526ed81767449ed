"""What happens to a run that is asked for: it is tagged, then queued, or launched at once if somebody waits."""

import threading
from typing import Any

from dagster import DagsterRun, DagsterRunStatus, QueuedRunCoordinator, RunsFilter, SubmitRunContext

from pipeline.dagster_host.internals import ACTIVE_RUN_STATUSES
from warehouse.contract import KIND_TAG, REQUESTED_BY_TAG, USER_HEADER, RunKind, kind_of_config, run_tags


class PeopleFirstRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue, past which those who wait go while there is room, and in which each run says who asked for it.

    A run that comes with the gateway's word for who asks is tagged with that name. Whatever the client wrote into
    the tag, or copied from the run that it re-executes, is overwritten. The API, the daemon's schedules and
    backfills come without that header and tag their runs themselves. A run that does not say for whom it works
    (typed into the launchpad) is for a person if it is for one company, else bulk work.

    The queue is looked at once a second. Bulk work waits for that; a person does not, unless as many runs are under
    way as may be (`max_concurrent_runs`). Limits by tag are kept by the queue alone: they are for bulk work.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._launching = threading.Lock()  # who counts what is under way must not count in between others

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Launch or queue a run."""
        run = self._tagged(context)
        if run.tags.get(KIND_TAG) == RunKind.PERSON and run.status is DagsterRunStatus.NOT_STARTED:
            with self._launching:
                if self._has_room():
                    return self._instance.launch_run(run.run_id, context.workspace)
        return super().submit_run(context._replace(dagster_run=run))

    def _tagged(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        tags: dict[str, str] = {}
        if KIND_TAG not in run.tags:
            tags |= run_tags(kind_of_config(run.run_config))
        if user := context.get_request_header(USER_HEADER):
            tags[REQUESTED_BY_TAG] = user
        if not tags:
            return run
        self._instance.add_run_tags(run.run_id, tags)
        return self._instance.get_run_by_id(run.run_id) or run

    def _has_room(self) -> bool:
        most = self.get_run_queue_config().max_concurrent_runs
        return most == -1 or self._instance.get_runs_count(RunsFilter(statuses=ACTIVE_RUN_STATUSES)) < most
