"""The jobs: what runs together."""

from typing import Any

from dagster import AssetSelection, define_asset_job, job, static_partitioned_config

from pipeline.defs.assets.company_records import records
from pipeline.defs.checks import CHECKS
from pipeline.defs.ops.sweep import walk_register
from pipeline.defs.ops.tidy import tidy_up
from pipeline.records.cohorts import COHORTS
from pipeline.register.tracking import CompanySet
from warehouse.contract import (
    CHECK_JOB,
    REFRESH_JOB,
    RETRANSFORM_JOB,
    SCRAPE_JOB,
    SOURCE_DATA_ASSET,
    SWEEP_JOB,
    TIDY_JOB,
    RunKind,
    retransform_run_config,
    run_tags,
)

_RECORDS = AssetSelection.assets(*records.keys)
# The checks look at whole tables: not for every visit.
_COMPANIES = (AssetSelection.assets(SOURCE_DATA_ASSET) | _RECORDS).without_checks()
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


@static_partitioned_config(COHORTS)
def stale_of_cohort(cohort: str) -> dict[str, Any]:
    """The run config that transforms again what is stale of a cohort."""
    return retransform_run_config(cohort)


retransform_companies = define_asset_job(
    RETRANSFORM_JOB,
    selection=_RECORDS.without_checks(),
    config=stale_of_cohort,
    tags=run_tags(RunKind.BULK),
    description="Transform again, without a visit, what an older version of the transformation read, or what waits to"
    " be transformed. A partition is a cohort: the companies whose IDNO was given in that year.",
)

check_records = define_asset_job(
    CHECK_JOB,
    selection=AssetSelection.checks(*CHECKS),
    tags=run_tags(RunKind.BULK),
    description="Look over the stored tables: identity, references, counts, fill rates, freshness.",
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


@job(
    name=TIDY_JOB,
    tags=run_tags(RunKind.BULK),
    description="Let go of what retention keeps no longer: bodies of superseded captures, old runs with their logs."
    " With dry_run in its config it only says what would go.",
)
def tidy() -> None:
    """Tidy up."""
    tidy_up()
