"""Connections to the warehouse in the pipeline's role."""

from sqlalchemy import Engine, create_engine


def engine_for(warehouse_url: str, *, pool_size: int = 2) -> Engine:
    """Return an engine for the pipeline's work; nothing connects yet. No statement may take over a minute."""
    return create_engine(
        warehouse_url,
        pool_pre_ping=True,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"connect_timeout": 5, "options": "-c statement_timeout=60000"},
    )
