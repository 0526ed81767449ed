"""Connections to the warehouse in the pipeline's role."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, Engine, create_engine

Transaction = Callable[[], AbstractContextManager[Connection]]
"""A function that opens a transaction. The context manager commits it at the end, or rolls it back on an error."""


def engine_for(warehouse_url: str, *, pool_size: int = 2) -> Engine:
    """Return an engine for the pipeline's work, without connecting yet. No statement may take longer than a minute."""
    return create_engine(
        warehouse_url,
        pool_pre_ping=True,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"connect_timeout": 5, "options": "-c statement_timeout=60000"},
    )
