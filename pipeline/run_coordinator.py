"""Who launched what: runs launched in the web UI carry the name of the person, as the gateway vouches for it."""

from dagster import DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from warehouse.contract import REQUESTED_BY_TAG, USER_HEADER


class AttributingRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue; a run that comes with the gateway's word for who asks is tagged with that name.

    Whatever the client wrote into the tag, or copied from the run that it re-executes, is overwritten. The API,
    the daemon's schedules and backfills come without that header and tag their runs themselves.
    """

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Queue a run."""
        user = context.get_request_header(USER_HEADER)
        if not user:
            return super().submit_run(context)
        run_id = context.dagster_run.run_id
        self._instance.add_run_tags(run_id, {REQUESTED_BY_TAG: user})
        tagged = self._instance.get_run_by_id(run_id) or context.dagster_run
        return super().submit_run(context._replace(dagster_run=tagged))
