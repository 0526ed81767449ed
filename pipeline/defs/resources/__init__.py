"""Dagster resources: connections and clients that open for a run and close when it ends."""

from pipeline.defs.resources.browser_resource import Browser
from pipeline.defs.resources.redis_resource import RedisStores
from pipeline.defs.resources.telemetry_resource import Telemetry
from pipeline.defs.resources.warehouse_resource import Warehouse

__all__ = ["Browser", "RedisStores", "Telemetry", "Warehouse"]
