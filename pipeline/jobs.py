"""The jobs: what runs together."""

from dagster import AssetSelection, define_asset_job, job

from pipeline.ops.sweep import walk_register
from pipeline.tracking import CompanySet
from warehouse.contract import (
    REFRESH_JOB,
    SCRAPE_JOB,
    SOURCE_DATA_ASSET,
    SWEEP_JOB,
    TRANSFORMED_DATA_ASSET,
    RunKind,
    run_tags,
)

_COMPANIES = AssetSelection.assets(SOURCE_DATA_ASSET, TRANSFORMED_DATA_ASSET)
REFRESH_CONFIG = {"ops": {SOURCE_DATA_ASSET: {"config": {"select": CompanySet.DUE.value}}}}

scrape_companies = define_asset_job(
    SCRAPE_JOB,
    selection=_COMPANIES,
    description="Visit the named or selected companies, store what was seen, make their records current.",
)

refresh_tracked = define_asset_job(
    REFRESH_JOB,
    selection=_COMPANIES,
    config=REFRESH_CONFIG,
    tags=run_tags(RunKind.BULK),
    description="Visit the tracked companies that are due, most overdue first, as scrape_companies does.",
)


@job(
    name=SWEEP_JOB,
    tags=run_tags(RunKind.BULK),
    description="Learn which companies there are: walk the site's list, or the bulk register, into"
    " tracked_companies without a visit to each. Goes on where the last sweep stopped.",
)
def sweep_register() -> None:
    """Walk the list."""
    walk_register()
