"""The assets: what the pipeline keeps current."""

from pipeline.assets.records import records
from pipeline.assets.source_data import source_data
from pipeline.assets.tracked_companies import tracked_companies

__all__ = ["records", "source_data", "tracked_companies"]
