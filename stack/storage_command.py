"""`registru storage`: shows the size of each table and how fast the stored data grows."""

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
# A body is new if no capture older than 30 days uses it.
_GROWTH = text(
    "WITH held AS ("
    "  SELECT b.sha256, s.fetched_at FROM source_data s"
    "    CROSS JOIN LATERAL (VALUES (s.raw_html_sha256), (s.look_sha256), (s.document_sha256),"
    "    (s.screenshot_sha256)) AS b (sha256)"
    "  UNION ALL SELECT p.sha256, s.fetched_at FROM source_payloads p JOIN source_data s ON s.id = p.source_data_id),"
    " new AS (SELECT sha256 FROM held WHERE sha256 IS NOT NULL GROUP BY sha256"
    "   HAVING min(fetched_at) > now() - interval '30 days')"
    " SELECT count(*) AS bodies, coalesce(sum(d.size), 0) AS bytes FROM new JOIN raw_documents d USING (sha256)"
)
_REMOVED = text(
    "SELECT because, sum(bodies) AS bodies, sum(bytes) AS bytes FROM removals GROUP BY because ORDER BY because"
)

_MAX_TABLES = 20


@dataclass(frozen=True)
class TableSize:
    """The number of rows of a table, of which `dead` are dead, and its size in bytes.

    `toast` includes the free space map and the visibility map.
    """

    database: str
    table: str
    rows: int
    heap: int
    toast: int
    indexes: int
    dead: int

    @property
    def total(self) -> int:
        """The sum of all bytes of the table."""
        return self.heap + self.toast + self.indexes


def sizes(databases: Sequence[OwnedDatabase]) -> list[TableSize]:
    """Return the sizes of all tables of all databases, the largest first."""
    tables = [size for database in databases for size in _sizes(database)]
    return sorted(tables, key=lambda size: size.total, reverse=True)


def _sizes(database: OwnedDatabase) -> list[TableSize]:
    with database.engine().connect() as connection:
        rows = {table.strip('"'): _count(connection, table) for table in tables_of(connection)}
        return [
            TableSize(database.name, row.name, rows[row.name], row.heap, row.toast, row.indexes, row.dead)
            for row in connection.execute(_SIZES)
        ]


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM public.{table}")).scalar_one())


def report(databases: Sequence[OwnedDatabase], home: Home | None, console: Console) -> None:
    """Print the sizes of tables, the growth of captures and, for a home, the sizes of its folders."""
    tables = sizes(databases)
    _print_tables(tables, console)
    [warehouse] = [database for database in databases if database.name == database_roles.WAREHOUSE_DATABASE]
    warehouse_bytes = sum(size.total for size in tables if size.database == warehouse.name)
    with warehouse.engine().connect() as connection:
        _print_captures(connection, warehouse_bytes, console)
    if home is not None:
        for name, folder in (
            ("compute logs", home.compute_logs),
            ("logs", home.logs),
            ("Redis", home.valkey),
        ):
            console.print(f"{name} on disk: {_readable(_folder_size(folder))}")


def _print_tables(sizes: Sequence[TableSize], console: Console) -> None:
    table = Table(title="The largest tables")
    for name in ("database", "table"):
        table.add_column(name)
    for name in ("rows", "heap", "toast", "indexes", "total", "dead rows"):
        table.add_column(name, justify="right")
    for size in sizes[:_MAX_TABLES]:
        numbers = (size.heap, size.toast, size.indexes, size.total)
        table.add_row(size.database, size.table, f"{size.rows:,}", *map(_readable, numbers), f"{size.dead:,}")
    console.print(table)
    if rest := sizes[_MAX_TABLES:]:
        console.print(
            f"{len(rest)} smaller tables: {sum(size.rows for size in rest):,} rows,"
            f" {_readable(sum(size.total for size in rest))}"
        )
    for name in sorted({size.database for size in sizes}):
        total = sum(size.total for size in sizes if size.database == name)
        console.print(f"database {name}: {_readable(total)}")


def _print_captures(connection: Connection, warehouse_bytes: int, console: Console) -> None:
    for row in connection.execute(_OUTCOMES):
        console.print(f"captures {row.outcome}: {row.captures:,}, {row.recent:,} of them in the last 30 days")
    companies = connection.execute(_COMPANIES).scalar_one()
    if companies:
        per_company = _readable(warehouse_bytes // companies)
        console.print(f"companies: {companies:,}; the warehouse uses {per_company} per company")
    growth = connection.execute(_GROWTH).one()
    console.print(
        f"new bodies in the last 30 days: {growth.bodies:,}, {_readable(int(growth.bytes))} before compression"
    )
    for row in connection.execute(_REMOVED):
        console.print(f"removed by {row.because}: {row.bodies:,} bodies, {_readable(int(row.bytes))}")


def _folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _readable(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"
