"""The run coordinator: tags each new run, then queues it, or launches it immediately if a user waits for it."""

import threading
from typing import Any

from dagster import DagsterRun, DagsterRunStatus, QueuedRunCoordinator, RunsFilter, SubmitRunContext

from pipeline.dagster_host.internals import ACTIVE_RUN_STATUSES
from warehouse.contract import KIND_TAG, REQUESTED_BY_TAG, USER_HEADER, RunKind, kind_of_config, run_tags


class PeopleFirstRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue, which single requests bypass while there is room. Also tags runs with their user and kind.

    User: if the HTTP request that submits a run carries the gateway's header with the user's name, the run is tagged
    with this name. The header overrides a user tag that the client sent, or that was copied from a run when this run
    was re-executed. The API, schedules and backfills send no such header; they tag their runs themselves.

    Kind: a run from the launchpad has no tag for its kind. It becomes a single request if its config names exactly one
    company, otherwise bulk work.

    Queue: the daemon takes runs from the queue once a second. Bulk work waits for the daemon. A single request is
    launched immediately, unless `max_concurrent_runs` runs are already active; then it is queued too. Limits by tag are
    checked only in the queue, because they are meant only for bulk work.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._launching = threading.Lock()  # so that two requests cannot take the same free slot

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Tag a run, then launch or queue it."""
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
        limit = self.get_run_queue_config().max_concurrent_runs
        return limit == -1 or self._instance.get_runs_count(RunsFilter(statuses=ACTIVE_RUN_STATUSES)) < limit
