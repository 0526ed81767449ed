"""The Dagster code location of the pipeline."""

from dagster import Definitions, in_process_executor, mem_io_manager

from pipeline.defs.assets import records, source_data, tracked_companies
from pipeline.defs.checks import CHECKS
from pipeline.defs.jobs import (
    check_records,
    refresh_tracked,
    retransform_companies,
    scrape_companies,
    sweep_register,
    tidy,
)
from pipeline.defs.resources import Browser, RedisStores, Telemetry, Warehouse
from pipeline.defs.schedules import (
    check_records_schedule,
    refresh_tracked_schedule,
    retransform_companies_schedule,
    sweep_register_schedule,
    tidy_schedule,
)

defs = Definitions(
    assets=[tracked_companies, source_data, records],
    asset_checks=CHECKS,
    jobs=[scrape_companies, sweep_register, refresh_tracked, retransform_companies, check_records, tidy],
    schedules=[
        refresh_tracked_schedule,
        sweep_register_schedule,
        retransform_companies_schedule,
        check_records_schedule,
        tidy_schedule,
    ],
    # A run is one process, because it visits many companies with one browser.
    executor=in_process_executor,
    # The steps of a run exchange only small values within one process, so nothing has to be stored on disk.
    resources={
        "io_manager": mem_io_manager,
        "warehouse": Warehouse(),
        "redis": RedisStores(),
        "browser": Browser(),
        "telemetry": Telemetry(),
    },
)
