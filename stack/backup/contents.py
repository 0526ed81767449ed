"""The contents of a database as row counts and digests, to compare two databases table by table."""

from sqlalchemy import Connection, text

from stack.backup.manifest import TableContents

_TABLES = (
    "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " ORDER BY relname"
)
# Rows are hashed as text. With these settings, the text of a value does not depend on the server's defaults.
_SETTINGS = (
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


def tables_of(connection: Connection) -> list[str]:
    """Return the names of a database's tables, quoted where SQL requires it."""
    return list(connection.scalars(text(_TABLES)))


def contents_of(connection: Connection) -> dict[str, TableContents]:
    """Return each table's row count and digest. Reads every row, within the connection's transaction."""
    for setting in _SETTINGS:
        connection.execute(text(setting))
    return {table.strip('"'): _contents(connection, table) for table in tables_of(connection)}


def _contents(connection: Connection, table: str) -> TableContents:
    # The digest is a sum over all rows: 64 bits of each row's MD5. A sum does not depend on the order of rows, so the
    # query needs no sort.
    row = connection.execute(
        text(
            "SELECT count(*) AS rows, coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0) AS digest"
            f" FROM public.{table} AS t"
        )
    ).one()
    return TableContents(rows=row.rows, digest=str(row.digest))
