"""Ends, in Dagster's books, the runs that died with a platform that was killed.

Run as a program by `registru up` before Dagster starts: at that moment no run of this home can be alive. On a new
database it finds none, and leaves Dagster's tables behind.
"""

from dagster import DagsterInstance, DagsterRunStatus, DefaultRunLauncher, RunsFilter

_UNFINISHED = [
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def main() -> None:
    """Report every unfinished run as failed; a queued one stays queued, and runs."""
    with DagsterInstance.get() as instance:
        if not isinstance(instance.run_launcher, DefaultRunLauncher):
            return  # they are on other machines, and may well be alive: run monitoring looks
        for run in instance.get_runs(filters=RunsFilter(statuses=_UNFINISHED)):
            instance.report_run_failed(run, "The platform was killed while this run was under way.")


if __name__ == "__main__":
    main()
