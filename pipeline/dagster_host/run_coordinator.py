"""The run coordinator: tags each new run, then queues it, or launches it immediately if a user waits for it."""

import threading
from typing import Any

from dagster import DagsterRun, DagsterRunStatus, QueuedRunCoordinator, RunsFilter, SubmitRunContext

from pipeline.dagster_host.internals import ACTIVE_RUN_STATUSES
from warehouse.contract import KIND_TAG, REQUESTED_BY_TAG, USER_HEADER, RunKind, kind_of_config, run_tags


class PeopleFirstRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue. Single requests bypass it while there is room, and each run is tagged with its user.

    If a request carries the gateway's header with the user's name, the run is tagged with that name. This overwrites a
    tag that the client wrote, or copied from the run that it re-executes. The API, schedules and backfills send no such
    header; they tag their runs themselves. A run without the tag for its kind (from the launchpad) is a single request
    if it is for one company, otherwise bulk work.

    The daemon looks at the queue once a second. Bulk work waits for that. A single request is launched immediately,
    unless `max_concurrent_runs` are active. Only the queue applies the limits by tag, because they concern bulk work.
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
