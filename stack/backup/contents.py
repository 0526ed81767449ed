"""What a database holds, table by table, in a form that two databases can be compared by."""

from sqlalchemy import Connection, text

from stack.backup.manifest import TableContents

_TABLES = (
    "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " ORDER BY relname"
)
# Rows are hashed as text: what text looks like is set here, whatever the server's defaults are.
_SETTINGS = (
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


def tables_of(connection: Connection) -> list[str]:
    """Return the names of a database's tables, quoted where they need it."""
    return list(connection.scalars(text(_TABLES)))


def contents_of(connection: Connection) -> dict[str, TableContents]:
    """Return what each table holds, within the connection's transaction; every row is read."""
    for setting in _SETTINGS:
        connection.execute(text(setting))
    return {table.strip('"'): _contents(connection, table) for table in tables_of(connection)}


def _contents(connection: Connection, table: str) -> TableContents:
    # The sum of 64 bits of each row's MD5: the same whatever the rows' order, and needs no sorting.
    row = connection.execute(
        text(
            "SELECT count(*) AS rows, coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0) AS digest"
            f" FROM public.{table} AS t"
        )
    ).one()
    return TableContents(rows=row.rows, digest=str(row.digest))
