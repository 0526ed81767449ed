"""The code location: everything Dagster knows of the pipeline."""

from dagster import Definitions, in_process_executor, mem_io_manager

from pipeline.assets import source_data, transformed_data
from pipeline.jobs import scrape_companies
from pipeline.resources import Browser, RedisStores, Warehouse

defs = Definitions(
    assets=[source_data, transformed_data],
    jobs=[scrape_companies],
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
