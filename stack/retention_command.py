"""`registru retention`: what the settings keep no longer, and would let go of; nothing is removed by it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from api.retention import RemovedRows, remove_expired
from api.settings import AccountRetentionSettings as ApiRetention
from pipeline.records.retention import prunable_bodies
from pipeline.settings import DataRetentionSettings as PipelineRetention
from stack.databases import OwnedDatabase
from stack.stack_error import StackError
from warehouse.schema import database_roles

_OLD_RUNS = text(
    "SELECT count(*) FROM runs WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND create_timestamp < :cutoff"
)


def told(databases: Sequence[OwnedDatabase]) -> str:
    """Return what would go, a line a kind. Raises StackError."""
    by_name = {database.name: database for database in databases}
    try:
        api, pipeline = ApiRetention(), PipelineRetention()
    except ValidationError as error:
        [first, *_] = error.errors()
        raise StackError(f"REGISTRU_{str(first['loc'][0]).upper()}: {first['msg']}") from None
    return "\n".join(
        [
            *_of_warehouse(by_name[database_roles.WAREHOUSE_DATABASE], pipeline.keep_bodies_days),
            *_of_dagster(by_name[database_roles.DAGSTER_DATABASE], pipeline.keep_runs_days),
            *_of_api(by_name[database_roles.USERS_DATABASE], api),
        ]
    )


def _of_warehouse(database: OwnedDatabase, days: int | None) -> list[str]:
    if days is None:
        return ["bodies of captures: all are kept (REGISTRU_KEEP_BODIES_DAYS is not set)"]
    with database.engine().connect() as connection:
        bodies = prunable_bodies(connection, datetime.now(UTC) - timedelta(days=days))
    size = f"{bodies.bytes / 2**20:.1f} MiB before compression"
    return [
        f"bodies that only superseded captures of more than {days} days ago hold: {bodies.count} ({size})"
    ]


def _of_dagster(database: OwnedDatabase, days: int) -> list[str]:
    cutoff = (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None)  # as Dagster stores it
    with database.engine().connect() as connection:
        runs = connection.execute(_OLD_RUNS, {"cutoff": cutoff}).scalar_one()
    return [f"runs of more than {days} days ago, with events and logs: {runs}"]


def _of_api(database: OwnedDatabase, settings: ApiRetention) -> list[str]:
    gone = asyncio.run(_dry_run(database, settings))
    after = {"sessions": settings.keep_sessions_days, "audit_log": settings.keep_audit_days}
    lines = [
        f"{name} over for more than {after.get(name, settings.keep_requests_days)} days: {count}"
        for name, count in gone.items()
    ]
    if settings.keep_audit_days is None:
        lines.append("audit log: all is kept (REGISTRU_KEEP_AUDIT_DAYS is not set)")
    return lines


async def _dry_run(database: OwnedDatabase, settings: ApiRetention) -> RemovedRows:
    url = make_url(database.url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    return await remove_expired(engine, settings, dry_run=True)
