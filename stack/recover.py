"""Finds the runs that were unfinished when the platform was killed, and reports them as failed.

`registru up` runs this as a program before Dagster starts. At that moment no run of the home can be alive. On a new
database it finds no run and creates Dagster's tables.
"""

from dagster import DagsterInstance, DagsterRunStatus, DefaultRunLauncher, RunsFilter

_UNFINISHED = [
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def main() -> None:
    """Report every unfinished run as failed. Queued runs stay queued and run later."""
    with DagsterInstance.get() as instance:
        if not isinstance(instance.run_launcher, DefaultRunLauncher):
            return  # runs on other machines may be alive; Dagster's run monitoring checks them
        for run in instance.get_runs(filters=RunsFilter(statuses=_UNFINISHED)):
            instance.report_run_failed(run, "The platform was killed during this run.")


if __name__ == "__main__":
    main()
