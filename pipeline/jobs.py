"""The jobs: selections of assets that run together."""

from dagster import AssetSelection, define_asset_job

from warehouse.contract import SCRAPE_JOB, SOURCE_DATA_ASSET, TRANSFORMED_DATA_ASSET

scrape_companies = define_asset_job(
    SCRAPE_JOB,
    selection=AssetSelection.assets(SOURCE_DATA_ASSET, TRANSFORMED_DATA_ASSET),
    description="Visit the named companies, store what was seen, make their records current.",
)
