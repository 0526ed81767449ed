"""Metrics read from PostgreSQL: open and due work, sizes, connections.

All queries are fast: they use indexes, or statistics that PostgreSQL keeps anyway.
"""

from collections.abc import Sequence
from typing import Any

from prometheus_client.metrics_core import Metric
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.metrics.families import gauge, gauges
from telemetry.tallies import TRANSFORM_VERSION
from warehouse.contract import GAUGES_KEY, RunKind
from warehouse.records.models import QuarantineReason

_OPEN_STATES = ("launching", "queued", "running", "deferred")
_OPEN = """
SELECT s.state, l.kind, count(*), extract(epoch FROM now() - min(s.created_at))
FROM scrapes s JOIN launches l ON l.id = s.launch_id
WHERE s.state IN ('launching', 'queued', 'running', 'deferred') GROUP BY 1, 2
"""
_TRACKED = """
SELECT count(*), count(*) FILTER (WHERE due_at <= now()), count(*) FILTER (WHERE failures > 0),
  coalesce(greatest(extract(epoch FROM now() - min(due_at)), 0), 0)
FROM tracked_companies
"""
_QUARANTINED = "SELECT reason, count(*) FROM quarantine GROUP BY 1"
_STALE = """
SELECT count(*) FROM transformed_data
WHERE transform_version < coalesce(:version, (SELECT max(transform_version) FROM transformed_data))
"""
_PENDING = "SELECT count(*) FROM pending_captures"
_NEWEST = "SELECT extract(epoch FROM now() - fetched_at) FROM source_data ORDER BY id DESC LIMIT 1"
_TABLES = """
SELECT relname, pg_total_relation_size(oid), greatest(reltuples, 0) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""
_DATABASE = """
SELECT current_database(), pg_database_size(current_database()),
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
  (SELECT greatest(extract(epoch FROM now() - min(xact_start)), 0) FROM pg_stat_activity
   WHERE datname = current_database() AND pid <> pg_backend_pid()),
  (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL),
  current_setting('max_connections')::int
"""


async def read_users(users: AsyncEngine) -> list[Metric]:
    """Return the number of open scrapes and the age of the oldest one."""
    async with users.connect() as connection:
        rows = (await connection.execute(text(_OPEN))).all()
    counts = {(state, str(kind)): 0 for state in _OPEN_STATES for kind in RunKind}
    counts |= {(row[0], row[1]): row[2] for row in rows}
    ages = dict.fromkeys(_OPEN_STATES, 0.0)
    for row in rows:
        ages[row[0]] = max(ages[row[0]], float(row[3]))
    return [
        *gauges("registru_scrapes_open", "Scrapes that have not ended.", ["state", "kind"], counts.items()),
        *gauges(
            "registru_scrapes_oldest_open_seconds",
            "The age of the oldest open scrape in a state.",
            ["state"],
            ages.items(),
        ),
    ]


async def read_warehouse(warehouse: AsyncEngine, state: Redis) -> list[Metric]:
    """Return metrics of tracked companies, stale records, and pending and quarantined captures."""
    current_version = await state.hget(GAUGES_KEY, TRANSFORM_VERSION.name)
    async with warehouse.connect() as connection:
        tracked = (await connection.execute(text(_TRACKED))).one()
        quarantined = (await connection.execute(text(_QUARANTINED))).all()
        version = {"version": int(current_version) if current_version is not None else None}
        stale = await connection.scalar(text(_STALE), version)
        pending = await connection.scalar(text(_PENDING))
        newest = await connection.scalar(text(_NEWEST))
    reasons = dict.fromkeys(map(str, QuarantineReason), 0) | {row[0]: row[1] for row in quarantined}
    return [
        *gauge("registru_companies_tracked", "Tracked companies.", tracked[0]),
        *gauge("registru_companies_due", "Tracked companies whose next visit is due.", tracked[1]),
        *gauge("registru_companies_failing", "Tracked companies whose last visits failed.", tracked[2]),
        *gauge(
            "registru_companies_most_overdue_seconds",
            "How long the most overdue company has been due.",
            tracked[3],
        ),
        *gauge("registru_records_stale", "Records that an older transform version read.", stale),
        *gauge(
            "registru_captures_pending", "Captures with outcome ok that wait for transformation.", pending
        ),
        *gauges(
            "registru_captures_quarantined",
            "Captures that could not be transformed.",
            ["reason"],
            reasons.items(),
        ),
        *gauge(
            "registru_newest_capture_age_seconds",
            "The age of the newest capture, whatever its outcome.",
            newest,
        ),
    ]


async def read_sizes(*engines: AsyncEngine) -> list[Metric]:
    """Return the sizes of databases and their tables, and the connections to the server."""
    tables: list[tuple[str, Any]] = []
    databases: list[Any] = []
    for engine in engines:
        async with engine.connect() as connection:
            row = (await connection.execute(text(_DATABASE))).one()
            databases.append(row)
            tables += [(row[0], table) for table in await connection.execute(text(_TABLES))]
    return [*_database_metrics(databases), *_table_metrics(tables)]


def _database_metrics(databases: Sequence[Any]) -> list[Metric]:
    return [
        *gauges(
            "registru_db_size_bytes",
            "The size of a database.",
            ["database"],
            [(r[0], r[1]) for r in databases],
        ),
        *gauges(
            "registru_db_connections",
            "Connections to a database, from all clients.",
            ["database"],
            [(r[0], r[2]) for r in databases],
        ),
        *gauges(
            "registru_db_oldest_transaction_seconds",
            "The age of the oldest transaction that the API's role may see; 0 if there is none.",
            ["database"],
            [(r[0], r[3] or 0) for r in databases],
        ),
        *gauge("registru_db_server_connections", "Connections to the PostgreSQL server.", databases[0][4]),
        *gauge(
            "registru_db_server_connections_most",
            "The maximum number of connections that the PostgreSQL server allows.",
            databases[0][5],
        ),
    ]


def _table_metrics(tables: Sequence[tuple[str, Any]]) -> list[Metric]:
    labels = ["database", "table"]
    return [
        *gauges(
            "registru_db_table_bytes",
            "The size of a table with its indexes.",
            labels,
            [((database, row[0]), row[1]) for database, row in tables],
        ),
        *gauges(
            "registru_db_table_rows",
            "The estimated number of rows of a table.",
            labels,
            [((database, row[0]), row[2]) for database, row in tables],
        ),
    ]
