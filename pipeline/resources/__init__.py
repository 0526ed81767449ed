"""Dagster resources: handles that open when a run needs them and close when it ends."""

from pipeline.resources.browser import Browser
from pipeline.resources.redis import RedisStores
from pipeline.resources.telemetry import Telemetry
from pipeline.resources.warehouse import Warehouse

__all__ = ["Browser", "RedisStores", "Telemetry", "Warehouse"]
