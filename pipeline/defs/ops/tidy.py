"""The op of `tidy`: applies the retention settings to the warehouse and to Dagster."""

from typing import Any

from dagster import Config, OpExecutionContext, op
from pydantic import Field

from pipeline.dagster_host.run_retention import count_old_runs, delete_old_runs
from pipeline.defs.resources import Warehouse
from pipeline.records.retention import cutoff, prunable_bodies, prune_bodies
from pipeline.settings import pipeline_settings


class Tidying(Config):
    """Whether the job removes data or only counts it."""

    dry_run: bool = Field(default=False, description="Count what would be removed, without removing it")


@op(
    description="Removes bodies that nothing needs any more (REGISTRU_KEEP_BODIES_DAYS) and old runs"
    " (REGISTRU_KEEP_RUNS_DAYS)."
)
def tidy_up(context: OpExecutionContext, config: Tidying, warehouse: Warehouse) -> None:
    """Remove data that the settings no longer keep, or count it in a dry run. The metadata contain the counts."""
    settings = pipeline_settings()
    count_or_delete = count_old_runs if config.dry_run else delete_old_runs
    runs = count_or_delete(context.instance, cutoff(settings.keep_runs_days))
    counts: dict[str, Any] = {"dry_run": config.dry_run, "runs": runs}
    if settings.keep_bodies_days is not None:
        older_than = cutoff(settings.keep_bodies_days)
        if config.dry_run:
            with warehouse.transaction() as connection:
                bodies = prunable_bodies(connection, older_than)
        else:
            bodies = prune_bodies(warehouse.transaction, older_than, run_id=context.run_id)
        counts |= {"bodies": bodies.count, "bytes": bodies.bytes}
    context.log.info("%s: %s", "would be removed" if config.dry_run else "removed", counts)
    context.add_output_metadata(counts)
