"""The op of `tidy`: what retention lets go of, in the warehouse and in Dagster."""

from typing import Any

from dagster import Config, OpExecutionContext, op
from pydantic import Field

from pipeline.defs.resources import Warehouse
from pipeline.records.retention import before, count_old_runs, delete_old_runs, prunable_bodies, prune_bodies
from pipeline.settings import pipeline_settings


class Tidying(Config):
    """Whether anything goes."""

    dry_run: bool = Field(default=False, description="Only say what would go")


@op(
    description="Remove bodies that nothing needs (REGISTRU_KEEP_BODIES_DAYS) and old runs (REGISTRU_KEEP_RUNS_DAYS)."
)
def tidy_up(context: OpExecutionContext, config: Tidying, warehouse: Warehouse) -> None:
    """Remove it, or say what would go; the metadata tell how much it was."""
    settings = pipeline_settings()
    remove = count_old_runs if config.dry_run else delete_old_runs
    runs = remove(context.instance, before(settings.keep_runs_days))
    said: dict[str, Any] = {"dry_run": config.dry_run, "runs": runs}
    if settings.keep_bodies_days is not None:
        cutoff = before(settings.keep_bodies_days)
        if config.dry_run:
            with warehouse.transaction() as connection:
                bodies = prunable_bodies(connection, cutoff)
        else:
            bodies = prune_bodies(warehouse.transaction, cutoff, run_id=context.run_id)
        said |= {"bodies": bodies.count, "bytes": bodies.bytes}
    context.log.info("%s: %s", "would go" if config.dry_run else "gone", said)
    context.add_output_metadata(said)
