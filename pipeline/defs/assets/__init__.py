"""The assets that the pipeline materializes."""

from pipeline.defs.assets.company_records import records
from pipeline.defs.assets.source_data import source_data
from pipeline.defs.assets.tracked_companies import tracked_companies

__all__ = ["records", "source_data", "tracked_companies"]
