"""The measurements: fill the tables to a size, time all operations, and continue with the next size."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from unittest.mock import patch

from redis import Redis
from sqlalchemy import Connection, Engine, text

from api.migrations import SCRIPTS
from benchmarks.command import log_progress
from benchmarks.machine import Machine
from benchmarks.scale.many_companies import CAPTURES, capture_of, copy_companies, copy_idno
from benchmarks.scale.scrapes import add_ended, add_waiting
from benchmarks.scale.subjects import FilledTables, Subject, subjects
from pipeline.records.capture_store import captures_of_companies, stale_companies, store_capture
from pipeline.records.quarantine import Tolerance
from pipeline.records.record_updates import update_records
from pipeline.records.retransform import retransform_stale
from pipeline.records.warehouse_engine import engine_for
from pipeline.transform import version
from standin.site_facts import make_idno
from tests.api.api_harness import open_harness
from tests.stores import running_valkey
from tests.warehouse_server import Databases, running_databases
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate

_FEW = 50
"""Number of stale companies, of due companies, and so on. It is the same at each size, so that sizes are comparable."""
_PAGE = 2000
_WARM_UP = 5
_ROUNDS = 3


@dataclass(frozen=True)
class ScalePlan:
    """The sizes (numbers of companies), the number of originals, and `part`: the fraction of repetitions to run."""

    sizes: tuple[int, ...] = (1000, 10_000, 100_000)
    originals: int = 200
    part: float = 1.0


@dataclass
class ScaleReport:
    """All results: milliseconds by operation, size and repetition; and totals by size."""

    machine: Machine
    plan: ScalePlan
    milliseconds: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    all_stale_seconds: dict[int, float] = field(default_factory=dict)
    retransformed_per_second: dict[int, list[float]] = field(default_factory=dict)
    of_so_many_per_second: dict[int, float] = field(default_factory=dict)
    filling_seconds: dict[int, float] = field(default_factory=dict)

    def ratios(self, name: str) -> dict[int, float]:
        """Return, for each size, the ratio of the operation's median time to that at the smallest size."""
        middles = {size: median(values) for size, values in self.milliseconds[name].items()}
        return {size: middle / middles[min(middles)] for size, middle in middles.items()}


def measure(plan: ScalePlan) -> ScaleReport:
    """Run the benchmark; report progress on standard error."""
    report = ScaleReport(Machine.current(), plan)
    with (
        tempfile.TemporaryDirectory(prefix="registru-bench-") as folder,
        running_databases(Path(folder) / "data", durable=True) as databases,
        running_valkey(Path(folder) / "valkey") as redis,
    ):
        migrate(scripts=SCRIPTS, url=databases.url(database_roles.USERS_OWNER, database_roles.USERS_DATABASE))
        asyncio.run(_measured(report, databases, redis))
    return report


async def _measured(report: ScaleReport, databases: Databases, redis: Redis) -> None:
    options = redis.connection_pool.connection_kwargs
    url = f"redis://:{options['password']}@{options['host']}:{options['port']}"
    async with AsyncExitStack() as ends:
        pipeline, api, users = (
            ends.enter_context(_engine(databases, role, database))
            for role, database in (
                (database_roles.PIPELINE, database_roles.WAREHOUSE_DATABASE),
                (database_roles.API, database_roles.WAREHOUSE_DATABASE),
                (database_roles.USERS_OWNER, database_roles.USERS_DATABASE),
            )
        )
        stage = await ends.enter_async_context(open_harness(databases, url))
        originals = [make_idno(number) for number in range(report.plan.originals)]
        tables = FilledTables(pipeline, api, redis, stage, originals)
        _store_originals(tables)
        caller = await stage.caller()
        await stage.request_batch(caller, [make_idno(5000 + number) for number in range(_FEW)])
        await stage.run_reconciler()
        with users.begin() as connection:
            add_waiting(connection, _FEW)
        for size in report.plan.sizes:
            log_progress(f"filling up to {size} companies")
            began = time.monotonic()
            _fill(databases, users, tables, size)
            report.filling_seconds[size] = round(time.monotonic() - began, 1)
            log_progress(f"measuring at {size} companies")
            _set_version(tables, _few_idnos(2), version.TRANSFORM_VERSION - 1)
            if size == report.plan.sizes[0]:
                for subject in subjects():  # warm-up: the first execution takes longer
                    await _timed(tables, subject, 0)
            await _at_size(report, tables, size)
        for many in (len(originals) // 4, len(originals) // 2, len(originals)):
            report.of_so_many_per_second[many] = _retransform(tables, many)


@contextmanager
def _engine(databases: Databases, role: str, database: str) -> Iterator[Engine]:
    engine = engine_for(databases.url(role, database))
    try:
        yield engine
    finally:
        engine.dispose()  # otherwise the shutdown of the server waits for the connections


def _store_originals(tables: FilledTables) -> None:
    with tables.pipeline.begin() as connection:
        for idno in tables.originals:
            store_capture(connection, capture_of(idno), run_id="a run", requested_by=None)
        captures = captures_of_companies(connection, tables.originals)
    update_records(tables.pipeline.begin, captures)


def _fill(databases: Databases, users: Engine, tables: FilledTables, size: int) -> None:
    count = size - len(tables.originals) - tables.copies
    with databases.unrestricted() as connection:
        connection.execute(
            text(
                "INSERT INTO sweeps (source, page_size, started_at) SELECT 'a list', 100, now()"
                " WHERE NOT EXISTS (SELECT FROM sweeps)"
            )
        )
        copy_companies(connection, tables.originals, tables.copies, count)
        if not tables.copies:
            _make_few(connection)
    with users.begin() as connection:
        add_ended(connection, at=CAPTURES * tables.copies, count=CAPTURES * count)
    tables.copies += count
    with databases.unrestricted(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    with users.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE launches, scrapes, launch_scrapes, scrape_requests")
    with databases.unrestricted(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")  # so that no writes from filling the tables are measured


def _make_few(connection: Connection) -> None:
    """Make a few copies due, and add a failed capture to a few others."""
    for part, statement in enumerate(
        (
            "UPDATE tracked_companies SET due_at = now() - interval '1 hour' WHERE idno = ANY(:idnos)",
            "INSERT INTO source_data (idno, url, outcome, fetched_at, duration_ms, run_id)"
            " SELECT idno, 'https://example.md/', 'timeout', now(), 1, 'a run that failed' FROM unnest(:idnos) AS idno",
        )
    ):
        connection.execute(text(statement), {"idnos": _few_idnos(part)})


def _few_idnos(part: int) -> list[str]:
    return [copy_idno(part * _FEW + number) for number in range(_FEW)]


async def _at_size(report: ScaleReport, tables: FilledTables, size: int) -> None:
    for subject in subjects():
        report.milliseconds.setdefault(subject.name, {})[size] = await _timed(
            tables, subject, report.plan.part
        )
    report.all_stale_seconds[size] = _all_stale(tables)
    _set_version(
        tables, _few_idnos(2), version.TRANSFORM_VERSION
    )  # copies have no pages, so they cannot be transformed
    report.retransformed_per_second[size] = [
        _retransform(tables, len(tables.originals)) for _ in range(_ROUNDS)
    ]


async def _timed(tables: FilledTables, subject: Subject, part: float) -> list[float]:
    """Execute an operation repeatedly; return the milliseconds of each execution after the warm-up."""
    values = []
    for _ in range(_WARM_UP + max(3, int(subject.times * part))):
        began = time.perf_counter()
        await subject.do(tables)
        values.append((time.perf_counter() - began) * 1000)
    return values[_WARM_UP:]


def _set_version(tables: FilledTables, idnos: Sequence[str], version: int) -> None:
    with tables.pipeline.begin() as connection:
        connection.execute(
            text("UPDATE transformed_data SET transform_version = :version WHERE idno = ANY(:idnos)"),
            {"idnos": list(idnos), "version": version},
        )


def _all_stale(tables: FilledTables) -> float:
    """List all companies as stale, page by page, as if the transform version had been increased; return the seconds."""
    began, after = time.perf_counter(), ""
    with patch("pipeline.transform.version.TRANSFORM_VERSION", version.TRANSFORM_VERSION + 1):
        while True:
            with tables.pipeline.connect() as connection:
                page = stale_companies(connection, after=after, limit=_PAGE)
            if len(page) < _PAGE:
                return time.perf_counter() - began
            after = page[-1]


def _retransform(tables: FilledTables, many: int) -> float:
    """Make `many` originals stale and re-transform them in this process; return captures per second."""
    _set_version(tables, tables.originals[:many], version.TRANSFORM_VERSION - 1)
    began = time.perf_counter()
    stale = retransform_stale(tables.pipeline.begin, "", processes=1, tolerance=Tolerance())
    done = sum(len(results) for results in stale)
    seconds = time.perf_counter() - began
    if done != many:
        raise SystemExit(f"{done} captures were transformed, not {many}")
    return done / seconds
