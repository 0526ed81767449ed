"""What every run is tagged with when it is asked for: who launched it, and for whom it works."""

from dagster import DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from warehouse.contract import KIND_TAG, REQUESTED_BY_TAG, USER_HEADER, kind_of_config, run_tags


class TaggingRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue, in which each run says who asked for it and whether somebody waits.

    A run that comes with the gateway's word for who asks is tagged with that name. Whatever the client wrote into
    the tag, or copied from the run that it re-executes, is overwritten. The API, the daemon's schedules and
    backfills come without that header and tag their runs themselves. A run that does not say for whom it works
    (typed into the launchpad) is for a person if it is for one company, else bulk work.
    """

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Queue a run."""
        run = context.dagster_run
        tags: dict[str, str] = {}
        if KIND_TAG not in run.tags:
            tags |= run_tags(kind_of_config(run.run_config))
        if user := context.get_request_header(USER_HEADER):
            tags[REQUESTED_BY_TAG] = user
        if not tags:
            return super().submit_run(context)
        self._instance.add_run_tags(run.run_id, tags)
        tagged = self._instance.get_run_by_id(run.run_id) or run
        return super().submit_run(context._replace(dagster_run=tagged))
