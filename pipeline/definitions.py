"""The code location: everything Dagster knows of the pipeline."""

from dagster import Definitions, in_process_executor, mem_io_manager

from pipeline.assets import source_data, tracked_companies, transformed_data
from pipeline.jobs import refresh_tracked, scrape_companies, sweep_register
from pipeline.resources import Browser, RedisStores, Warehouse
from pipeline.schedules import refresh_tracked_schedule, sweep_register_schedule

defs = Definitions(
    assets=[tracked_companies, source_data, transformed_data],
    jobs=[scrape_companies, sweep_register, refresh_tracked],
    schedules=[refresh_tracked_schedule, sweep_register_schedule],
    # One process a run: a run takes many companies with one browser, and starts none to take one.
    executor=in_process_executor,
    # Steps pass names of files and sums, in one process: nothing to keep on disk.
    resources={
        "io_manager": mem_io_manager,
        "warehouse": Warehouse(),
        "redis": RedisStores(),
        "browser": Browser(),
    },
)
