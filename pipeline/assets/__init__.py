"""The assets: what the pipeline keeps current."""

from pipeline.assets.source_data import source_data
from pipeline.assets.tracked_companies import tracked_companies
from pipeline.assets.transformed_data import transformed_data

__all__ = ["source_data", "tracked_companies", "transformed_data"]
