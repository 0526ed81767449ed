"""The assets: what the pipeline keeps current."""

from pipeline.assets.source_data import source_data
from pipeline.assets.transformed_data import transformed_data

__all__ = ["source_data", "transformed_data"]
