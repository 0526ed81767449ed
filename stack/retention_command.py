"""`registru retention`: shows what the retention settings would remove, without removing it."""

import asyncio
from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from api.account_retention import RemovedRows, remove_expired
from api.settings import AccountRetentionSettings as ApiRetention
from pipeline.records.retention import cutoff, prunable_bodies
from pipeline.settings import DataRetentionSettings as PipelineRetention
from stack.databases import OwnedDatabase
from stack.stack_error import StackError
from warehouse.contract import ENDED_STATUSES
from warehouse.schema import database_roles

_OLD_RUNS = text("SELECT count(*) FROM runs WHERE status = ANY(:statuses) AND create_timestamp < :cutoff")
"""Counts the same runs as `pipeline.dagster_host.run_retention`, but without importing Dagster, which takes seconds."""


def summary(databases: Sequence[OwnedDatabase]) -> str:
    """Return one line for each kind of data that would be removed. Raises StackError."""
    by_name = {database.name: database for database in databases}
    try:
        api, pipeline = ApiRetention(), PipelineRetention()
    except ValidationError as error:
        [first, *_] = error.errors()
        raise StackError(f"REGISTRU_{str(first['loc'][0]).upper()}: {first['msg']}") from None
    return "\n".join(
        [
            *_warehouse_lines(by_name[database_roles.WAREHOUSE_DATABASE], pipeline.keep_bodies_days),
            *_dagster_lines(by_name[database_roles.DAGSTER_DATABASE], pipeline.keep_runs_days),
            *_api_lines(by_name[database_roles.USERS_DATABASE], api),
        ]
    )


def _warehouse_lines(database: OwnedDatabase, days: int | None) -> list[str]:
    if days is None:
        return ["bodies of captures: none (REGISTRU_KEEP_BODIES_DAYS is not set, so all are kept)"]
    with database.engine().connect() as connection:
        bodies = prunable_bodies(connection, cutoff(days))
    size = f"{bodies.bytes / 2**20:.1f} MiB before compression"
    return [f"bodies that only superseded captures older than {days} days use: {bodies.count} ({size})"]


def _dagster_lines(database: OwnedDatabase, days: int) -> list[str]:
    older_than = cutoff(days).replace(tzinfo=None)  # as Dagster stores it
    parameters = {"statuses": list(ENDED_STATUSES), "cutoff": older_than}
    with database.engine().connect() as connection:
        runs = connection.execute(_OLD_RUNS, parameters).scalar_one()
    return [f"runs older than {days} days, with their events and logs: {runs}"]


def _api_lines(database: OwnedDatabase, settings: ApiRetention) -> list[str]:
    removable = asyncio.run(_dry_run(database, settings))
    days = {"sessions": settings.keep_sessions_days, "audit_log": settings.keep_audit_days}
    lines = [
        f"{name} older than {days.get(name, settings.keep_requests_days)} days: {count}"
        for name, count in removable.items()
    ]
    if settings.keep_audit_days is None:
        lines.append("audit_log: none (REGISTRU_KEEP_AUDIT_DAYS is not set, so all entries are kept)")
    return lines


async def _dry_run(database: OwnedDatabase, settings: ApiRetention) -> RemovedRows:
    url = make_url(database.url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    return await remove_expired(engine, settings, dry_run=True)
