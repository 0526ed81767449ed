"""The pipeline's Dagster jobs."""

from typing import Any

from dagster import AssetSelection, define_asset_job, job, static_partitioned_config

from pipeline.defs.assets.company_records import records
from pipeline.defs.checks import CHECKS
from pipeline.defs.ops.sweep import walk_register
from pipeline.defs.ops.tidy import tidy_up
from pipeline.records.cohort_names import COHORTS
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
# The checks are left out: they scan whole tables, which would take too long after each visit.
_COMPANIES = (AssetSelection.assets(SOURCE_DATA_ASSET) | _RECORDS).without_checks()
REFRESH_CONFIG = {"ops": {SOURCE_DATA_ASSET: {"config": {"select": CompanySet.DUE.value}}}}

scrape_companies = define_asset_job(
    SCRAPE_JOB,
    selection=_COMPANIES,
    description="Visit the named or selected companies, store the captures and update the companies' records.",
)

refresh_tracked = define_asset_job(
    REFRESH_JOB,
    selection=_COMPANIES,
    config=REFRESH_CONFIG,
    tags=run_tags(RunKind.BULK),
    description="Do the work of scrape_companies for the tracked companies that are due, the most overdue first.",
)


@static_partitioned_config(COHORTS)
def stale_of_cohort(cohort: str) -> dict[str, Any]:
    """Return the config of a run that re-transforms the stale records of a cohort."""
    return retransform_run_config(cohort)


retransform_companies = define_asset_job(
    RETRANSFORM_JOB,
    selection=_RECORDS.without_checks(),
    config=stale_of_cohort,
    tags=run_tags(RunKind.BULK),
    description="Update stale records from stored captures, without visits. A record is stale if an older transform"
    " version read it, or if a newer capture is pending. A partition is a cohort: the companies by the year in their"
    " IDNO.",
)

check_records = define_asset_job(
    CHECK_JOB,
    selection=AssetSelection.checks(*CHECKS),
    tags=run_tags(RunKind.BULK),
    description="Check the stored tables: identity, references, counts, fill rates, unknown fields, freshness and"
    " sweeps.",
)


@job(
    name=SWEEP_JOB,
    tags=run_tags(RunKind.BULK),
    description="Find out which companies exist: walk through the site's list, or through the bulk register, and store"
    " the companies in tracked_companies, without visiting them. Continues where the last sweep stopped.",
)
def sweep_register() -> None:
    """Walk through a list of companies."""
    walk_register()


@job(
    name=TIDY_JOB,
    tags=run_tags(RunKind.BULK),
    description="Remove what the retention settings no longer keep: bodies of superseded captures, and old runs with"
    " their logs. With dry_run: true in its config, the job only counts what it would remove.",
)
def tidy() -> None:
    """Apply the retention settings."""
    tidy_up()
