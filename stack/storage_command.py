"""`registru storage`: what takes how much room, table by table, and how fast it grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from stack.backup.contents import tables_of
from stack.databases import OwnedDatabase
from stack.home import Home
from warehouse.schema import database_roles

_SIZES = text(
    "SELECT c.relname AS name, pg_relation_size(c.oid) AS heap, pg_indexes_size(c.oid) AS indexes,"
    " pg_total_relation_size(c.oid) - pg_relation_size(c.oid) - pg_indexes_size(c.oid) AS toast,"
    " coalesce(pg_stat_get_dead_tuples(c.oid), 0) AS dead"
    " FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
    " ORDER BY pg_total_relation_size(c.oid) DESC, c.relname"
)
_OUTCOMES = text(
    "SELECT outcome, count(*) AS captures, count(*) FILTER (WHERE fetched_at > now() - interval '30 days') AS recent"
    " FROM source_data GROUP BY outcome ORDER BY count(*) DESC, outcome"
)
_COMPANIES = text("SELECT count(DISTINCT idno) FROM source_data")
# A body is new where no capture from before the last 30 days holds it.
_GROWTH = text(
    "WITH held AS ("
    "  SELECT b.sha256, s.fetched_at FROM source_data s"
    "    CROSS JOIN LATERAL (VALUES (s.raw_html_sha256), (s.document_sha256), (s.screenshot_sha256)) AS b (sha256)"
    "  UNION ALL SELECT p.sha256, s.fetched_at FROM source_payloads p JOIN source_data s ON s.id = p.source_data_id),"
    " new AS (SELECT sha256 FROM held WHERE sha256 IS NOT NULL GROUP BY sha256"
    "   HAVING min(fetched_at) > now() - interval '30 days')"
    " SELECT count(*) AS bodies, coalesce(sum(d.size), 0) AS bytes FROM new JOIN raw_documents d USING (sha256)"
)
_REMOVED = text(
    "SELECT because, sum(bodies) AS bodies, sum(bytes) AS bytes FROM removals GROUP BY because ORDER BY because"
)


_SHOWN = 20


@dataclass(frozen=True)
class Size:
    """A table: its rows, the bytes of its heap, of what is stored beside it (TOAST, maps) and of its indexes."""

    database: str
    table: str
    rows: int
    heap: int
    toast: int
    indexes: int
    dead: int

    @property
    def total(self) -> int:
        """All its bytes."""
        return self.heap + self.toast + self.indexes


def sizes(databases: Sequence[OwnedDatabase]) -> list[Size]:
    """Return every table of all databases, the largest first."""
    found = [size for database in databases for size in _sizes(database)]
    return sorted(found, key=lambda size: size.total, reverse=True)


def _sizes(database: OwnedDatabase) -> list[Size]:
    with database.engine().connect() as connection:
        rows = {table.strip('"'): _count(connection, table) for table in tables_of(connection)}
        return [
            Size(database.name, row.name, rows[row.name], row.heap, row.toast, row.indexes, row.dead)
            for row in connection.execute(_SIZES)
        ]


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM public.{table}")).scalar_one())


def report(databases: Sequence[OwnedDatabase], home: Home | None, console: Console) -> None:
    """Print it all."""
    found = sizes(databases)
    _print_tables(found, console)
    [warehouse] = [each for each in databases if each.name == database_roles.WAREHOUSE_DATABASE]
    held = sum(size.total for size in found if size.database == warehouse.name)
    with warehouse.engine().connect() as connection:
        _print_captures(connection, held, console)
    if home is not None:
        for name, folder in (
            ("compute logs", home.compute_logs),
            ("logs", home.logs),
            ("Redis", home.valkey),
        ):
            console.print(f"{name} on disk: {_bytes(_on_disk(folder))}")


def _print_tables(found: Sequence[Size], console: Console) -> None:
    table = Table(title="Tables, the largest first")
    for name in ("database", "table"):
        table.add_column(name)
    for name in ("rows", "heap", "toast", "indexes", "total", "dead rows"):
        table.add_column(name, justify="right")
    for size in found[:_SHOWN]:
        numbers = (size.heap, size.toast, size.indexes, size.total)
        table.add_row(size.database, size.table, f"{size.rows:,}", *map(_bytes, numbers), f"{size.dead:,}")
    console.print(table)
    if rest := found[_SHOWN:]:
        console.print(
            f"{len(rest)} smaller ones: {sum(size.rows for size in rest):,} rows,"
            f" {_bytes(sum(size.total for size in rest))}"
        )
    for name in sorted({size.database for size in found}):
        total = sum(size.total for size in found if size.database == name)
        console.print(f"the database {name}: {_bytes(total)}")


def _print_captures(connection: Connection, held: int, console: Console) -> None:
    for row in connection.execute(_OUTCOMES):
        console.print(f"captures {row.outcome}: {row.captures:,}, of the last 30 days {row.recent:,}")
    companies = connection.execute(_COMPANIES).scalar_one()
    if companies:
        console.print(f"companies: {companies:,}; the warehouse takes {_bytes(held // companies)} a company")
    growth = connection.execute(_GROWTH).one()
    console.print(
        f"new bodies of the last 30 days: {growth.bodies:,}, {_bytes(int(growth.bytes))} before compression"
    )
    for row in connection.execute(_REMOVED):
        console.print(f"removed by {row.because}: {row.bodies:,} bodies, {_bytes(int(row.bytes))}")


def _on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _bytes(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"
