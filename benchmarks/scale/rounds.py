"""The measurements: the tables are filled to a size, everything is measured, and they are filled further."""

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
from benchmarks.command import say
from benchmarks.machine import Machine
from benchmarks.scale.many_companies import CAPTURES, capture_of, copied, copy_companies
from benchmarks.scale.scrapes import add_ended, add_waiting
from benchmarks.scale.subjects import Full, Subject, subjects
from pipeline.records.capture_store import captures_of_companies, stale_companies, store_capture
from pipeline.records.quarantine import Tolerance
from pipeline.records.record_updates import make_all_current
from pipeline.records.retransform import retransform_stale
from pipeline.records.warehouse_engine import engine_for
from pipeline.transform import version
from standin.site_facts import make_idno
from tests.api.api_harness import a_stage
from tests.stores import running_valkey
from tests.warehouse_server import Databases, running_databases
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate

_FEW = 50
"""Stale, due, failed, open, waiting: as many at each size."""
_PAGE = 2000
_WARM_UP = 5
_ROUNDS = 3


@dataclass(frozen=True)
class ScalePlan:
    """The sizes, in companies; how many of them are stored for real; the part of each subject's repetitions."""

    sizes: tuple[int, ...] = (1000, 10_000, 100_000)
    originals: int = 200
    part: float = 1.0


@dataclass
class ScaleReport:
    """What came out, by subject and size: milliseconds, one value a repetition; captures a second."""

    machine: Machine
    plan: ScalePlan
    milliseconds: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    all_stale_seconds: dict[int, float] = field(default_factory=dict)
    retransformed_per_second: dict[int, list[float]] = field(default_factory=dict)
    of_so_many_per_second: dict[int, float] = field(default_factory=dict)
    filling_seconds: dict[int, float] = field(default_factory=dict)

    def ratios(self, name: str) -> dict[int, float]:
        """Return how many times longer each size takes than the smallest, by medians."""
        middles = {size: median(values) for size, values in self.milliseconds[name].items()}
        return {size: middle / middles[min(middles)] for size, middle in middles.items()}


def measure(plan: ScalePlan) -> ScaleReport:
    """Measure everything; says what it is at on standard error."""
    report = ScaleReport(Machine.this(), plan)
    with (
        tempfile.TemporaryDirectory(prefix="registru-bench-") as folder,
        running_databases(Path(folder) / "data") as databases,
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
        stage = await ends.enter_async_context(a_stage(databases, url))
        originals = [make_idno(number) for number in range(report.plan.originals)]
        full = Full(pipeline, api, redis, stage, originals)
        _store_originals(full)
        caller = await stage.caller()
        await stage.ask_for_batch(caller, [make_idno(5000 + number) for number in range(_FEW)])
        await stage.turn()
        with users.begin() as connection:
            add_waiting(connection, _FEW)
        for size in report.plan.sizes:
            say(f"filling up to {size} companies")
            began = time.monotonic()
            _fill(databases, users, full, size)
            report.filling_seconds[size] = round(time.monotonic() - began, 1)
            say(f"measuring at {size} companies")
            _set_version(full, _few(2), version.TRANSFORM_VERSION - 1)
            if size == report.plan.sizes[0]:
                for subject in subjects():  # what is done for the first time takes longer
                    await _timed(full, subject, 0)
            await _at_size(report, full, size)
        for many in (len(originals) // 4, len(originals) // 2, len(originals)):
            report.of_so_many_per_second[many] = _retransform(full, many)


@contextmanager
def _engine(databases: Databases, role: str, database: str) -> Iterator[Engine]:
    engine = engine_for(databases.url(role, database))
    try:
        yield engine
    finally:
        engine.dispose()  # the server waits for connections to end


def _store_originals(full: Full) -> None:
    with full.pipeline.begin() as connection:
        for idno in full.originals:
            store_capture(connection, capture_of(idno), run_id="a run", requested_by=None)
        captures = captures_of_companies(connection, full.originals)
    make_all_current(full.pipeline.begin, captures)


def _fill(databases: Databases, users: Engine, full: Full, size: int) -> None:
    count = size - len(full.originals) - full.copies
    with databases.unhindered() as connection:
        connection.execute(
            text(
                "INSERT INTO sweeps (source, page_size, started_at) SELECT 'a list', 100, now()"
                " WHERE NOT EXISTS (SELECT FROM sweeps)"
            )
        )
        copy_companies(connection, full.originals, full.copies, count)
        if not full.copies:
            _make_few(connection)
    with users.begin() as connection:
        add_ended(connection, at=CAPTURES * full.copies, count=CAPTURES * count)
    full.copies += count
    with databases.unhindered(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    with users.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE launches, scrapes, launch_scrapes, scrape_requests")
    with databases.unhindered(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")  # what the filling left to be written is not measured


def _make_few(connection: Connection) -> None:
    """Have a few copies be due, and the newest captures of a few others be failures."""
    for part, statement in enumerate(
        (
            "UPDATE tracked_companies SET due_at = now() - interval '1 hour' WHERE idno = ANY(:idnos)",
            "INSERT INTO source_data (idno, url, outcome, fetched_at, duration_ms, run_id)"
            " SELECT idno, 'https://example.md/', 'timeout', now(), 1, 'a run that failed' FROM unnest(:idnos) AS idno",
        )
    ):
        connection.execute(text(statement), {"idnos": _few(part)})


def _few(part: int) -> list[str]:
    return [copied(part * _FEW + number) for number in range(_FEW)]


async def _at_size(report: ScaleReport, full: Full, size: int) -> None:
    for subject in subjects():
        report.milliseconds.setdefault(subject.name, {})[size] = await _timed(full, subject, report.plan.part)
    report.all_stale_seconds[size] = _all_stale(full)
    _set_version(full, _few(2), version.TRANSFORM_VERSION)  # these have no pages of their own
    report.retransformed_per_second[size] = [_retransform(full, len(full.originals)) for _ in range(_ROUNDS)]


async def _timed(full: Full, subject: Subject, part: float) -> list[float]:
    """Return milliseconds, the first few left out."""
    values = []
    for _ in range(_WARM_UP + max(3, int(subject.times * part))):
        began = time.perf_counter()
        await subject.do(full)
        values.append((time.perf_counter() - began) * 1000)
    return values[_WARM_UP:]


def _set_version(full: Full, idnos: Sequence[str], version: int) -> None:
    with full.pipeline.begin() as connection:
        connection.execute(
            text("UPDATE transformed_data SET transform_version = :version WHERE idno = ANY(:idnos)"),
            {"idnos": list(idnos), "version": version},
        )


def _all_stale(full: Full) -> float:
    """Go through everything, page by page, as if the version had grown; return the seconds."""
    began, after = time.perf_counter(), ""
    with patch("pipeline.transform.version.TRANSFORM_VERSION", version.TRANSFORM_VERSION + 1):
        while True:
            with full.pipeline.connect() as connection:
                page = stale_companies(connection, after=after, limit=_PAGE)
            if len(page) < _PAGE:
                return time.perf_counter() - began
            after = page[-1]


def _retransform(full: Full, many: int) -> float:
    """Have so many companies be stale and transform them again, in this process; return captures a second."""
    _set_version(full, full.originals[:many], version.TRANSFORM_VERSION - 1)
    began = time.perf_counter()
    stale = retransform_stale(full.pipeline.begin, "", processes=1, tolerance=Tolerance())
    done = sum(len(results) for results in stale)
    seconds = time.perf_counter() - began
    if done != many:
        raise SystemExit(f"{done} captures were transformed, not {many}")
    return done / seconds
