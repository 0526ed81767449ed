"""The measurements: store captures as a run does, and compare the sizes of the tables before and after."""

import gzip
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection, insert, text

from benchmarks.command import log_progress
from benchmarks.machine import Machine
from benchmarks.storage.sample_captures import bodies, copies, raw_bytes, unchanged_copy, visit_twice
from pipeline.extract.page_capture import Capture
from pipeline.records.capture_store import store_capture
from tests.warehouse_server import Databases, running_databases
from warehouse.contract import RunResult
from warehouse.schema import database_roles
from warehouse.schema.tables import run_results

FIRST, UNCHANGED = "first", "unchanged"
OURS, ONE_ROW, FILES = "registru", "one row a capture", "gzip files"
FULL, PLAIN = "VACUUM FULL", "VACUUM"
_BLOCK = 4096
"""Usual block size of a file system, in bytes: a file occupies whole blocks."""
_TABLES = (
    "raw_documents",
    "source_data",
    "source_payloads",
    "pending_captures",
    "run_results",
    "whole_captures",
)
_SIZES = text(
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relname = ANY(:tables)"
)
# The table for comparison: one row for each capture, with all its bodies.
_ONE_ROW = """
CREATE TABLE whole_captures (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, idno text NOT NULL, url text NOT NULL, status_code int,
  fetched_at timestamptz NOT NULL, run_id text NOT NULL, headers text, html text, document text, company text,
  statements text
);
CREATE INDEX whole_captures_by_company ON whole_captures (idno, id DESC);
"""


@dataclass(frozen=True)
class StoragePlan:
    """Size of the benchmark: companies that Chrome visits, copies to store, and unchanged captures of each copy."""

    visited: int = 48
    companies: int = 400
    again: int = 3


@dataclass
class StorageReport:
    """The results in bytes per capture. `bytes`: way of storage → kind of capture → kind of vacuum → bytes.

    `by_table`: kind of capture → table of Registru → bytes. `unchanged_visits` is the number of companies whose
    second visit had the same bodies as the first.
    """

    machine: Machine
    plan: StoragePlan
    raw: float = 0.0
    raw_of_visited: float = 0.0
    unchanged_visits: int = 0
    bytes: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    by_table: dict[str, dict[str, float]] = field(default_factory=dict)
    of_visited: dict[str, float] = field(default_factory=dict)


def measure(plan: StoragePlan) -> StorageReport:
    """Run the benchmark; report progress on standard error."""
    report = StorageReport(Machine.current(), plan)
    log_progress(f"visiting {plan.visited} companies twice")
    pairs = visit_twice(plan.visited)
    report.unchanged_visits = sum(bodies(first) == bodies(second) for first, second in pairs)
    firsts = list(copies([first for first, _ in pairs], plan.companies))
    report.raw = _mean(map(raw_bytes, firsts))
    report.raw_of_visited = _mean(raw_bytes(first) for first, _ in pairs)
    with (
        tempfile.TemporaryDirectory(prefix="registru-bench-") as folder,
        running_databases(Path(folder), durable=True) as databases,
    ):
        with databases.unrestricted() as connection:
            connection.exec_driver_sql(_ONE_ROW)
        log_progress("storing the visits alone")
        report.of_visited = _visits(databases, pairs)
        log_progress(f"storing {plan.companies} companies, and each unchanged {plan.again} times")
        _ours(databases, report, firsts)
        _one_row(databases, report, firsts)
    _files(report, firsts)
    return report


def _visits(databases: Databases, pairs: Sequence[tuple[Capture, Capture]]) -> dict[str, float]:
    """Store the captures that Chrome made, without copies; return the bytes per capture, by kind of capture."""
    empty = _sizes(databases, FULL)
    _store(databases, [first for first, _ in pairs], "a first run")
    once = _sizes(databases, FULL)
    _store(databases, [second for _, second in pairs], "a second run")
    twice = _sizes(databases, FULL)
    return {
        FIRST: (sum(once.values()) - sum(empty.values())) / len(pairs),
        UNCHANGED: (sum(twice.values()) - sum(once.values())) / len(pairs),
    }


def _ours(databases: Databases, report: StorageReport, firsts: Sequence[Capture]) -> None:
    stages = list(_stages(firsts, report.plan.again))
    for vacuum in (PLAIN, FULL):
        _clear(databases)
        empty = _sizes(databases, vacuum)
        _store(databases, stages[0], "0f8fad5b-d9cb-469f-a165-70867728950e")
        once = _sizes(databases, vacuum)
        for number in range(1, len(stages)):
            _store(databases, stages[number], f"{number}f8fad5b-d9cb-469f-a165-70867728950e")
        often = _sizes(databases, vacuum)
        repeated = len(firsts) * report.plan.again
        parts = {
            FIRST: {table: (once[table] - empty[table]) / len(firsts) for table in once},
            UNCHANGED: {table: (often[table] - once[table]) / repeated for table in once},
        }
        _record_sizes(report, OURS, vacuum, {kind: sum(tables.values()) for kind, tables in parts.items()})
        report.by_table = {
            kind: {table: round(size, 1) for table, size in tables.items() if size}
            for kind, tables in parts.items()
        }


def _stages(firsts: Sequence[Capture], times: int) -> Iterable[list[Capture]]:
    """Yield a list of the first captures, then `times` lists of unchanged captures of the same companies."""
    yield list(firsts)
    for _ in range(times):
        yield [unchanged_copy(capture) for capture in firsts]


def _one_row(databases: Databases, report: StorageReport, firsts: Sequence[Capture]) -> None:
    for vacuum in (PLAIN, FULL):
        _clear(databases)
        sizes = [_sizes(databases, vacuum)["whole_captures"]]
        for captures in _stages(firsts, 1):
            with databases.unrestricted() as connection:
                _insert_whole(connection, captures)
            sizes.append(_sizes(databases, vacuum)["whole_captures"])
        each = [(after - before) / len(firsts) for before, after in pairwise(sizes)]
        _record_sizes(report, ONE_ROW, vacuum, {FIRST: each[0], UNCHANGED: each[1]})


def _insert_whole(connection: Connection, captures: Iterable[Capture]) -> None:
    statement = text(
        "INSERT INTO whole_captures (idno, url, status_code, fetched_at, run_id, headers, html, document, company,"
        " statements) VALUES (:idno, :url, 200, :at, 'a run', :headers, :html, :document, :company, :statements)"
    )
    for capture in captures:
        html, document, company, statements = (each.decode() for each in bodies(capture))
        headers = str([capture.response_headers, *(each.response_headers for each in capture.payloads)])
        values = {"html": html, "document": document, "company": company, "statements": statements}
        who = {"idno": capture.idno, "url": capture.url, "at": capture.fetched_at, "headers": headers}
        connection.execute(statement, {**who, **values})


def _files(report: StorageReport, firsts: Sequence[Capture]) -> None:
    """Compute how much one gzip file per body takes: the exact bytes, and the blocks that the files occupy.

    The other data of a visit is not counted.
    """
    packed = [[len(gzip.compress(body)) for body in bodies(capture)] for capture in firsts]
    exact = _mean(map(sum, packed))
    blocks = _mean(sum(-(-size // _BLOCK) * _BLOCK for size in sizes) for sizes in packed)
    report.bytes[FILES] = {kind: {"bytes": exact, "blocks": blocks} for kind in (FIRST, UNCHANGED)}


def _store(databases: Databases, captures: Iterable[Capture], run_id: str) -> None:
    """Store captures and their results as a run does; then remove them from the pending captures."""
    with databases.engine(database_roles.PIPELINE).connect() as connection:
        for capture in captures:
            with connection.begin():
                source_data_id = store_capture(connection, capture, run_id=run_id, requested_by="schedule")
                done = {"result": RunResult.CAPTURED, "source_data_id": source_data_id, "attempts": 1}
                row = {"run_id": run_id, "idno": capture.idno, "ended_at": datetime.now(UTC), **done}
                connection.execute(insert(run_results).values(row))
        with connection.begin():
            connection.exec_driver_sql("DELETE FROM pending_captures")


def _clear(databases: Databases) -> None:
    with databases.unrestricted() as connection:
        connection.exec_driver_sql(f"TRUNCATE {', '.join(_TABLES)} CASCADE")


def _sizes(databases: Databases, vacuum: str) -> dict[str, int]:
    with databases.unrestricted(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(vacuum)
        rows = connection.execute(_SIZES, {"tables": list(_TABLES)})
        return {row.relname: row.pg_total_relation_size for row in rows}


def _record_sizes(report: StorageReport, way: str, vacuum: str, sizes: dict[str, float]) -> None:
    for kind, size in sizes.items():
        report.bytes.setdefault(way, {}).setdefault(kind, {})[vacuum] = size


def _mean(values: Iterable[float]) -> float:
    kept = list(values)
    return sum(kept) / len(kept)
