"""Bulk inserts with PostgreSQL's COPY."""

import io
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Insert rows, each with the values of `columns` in order. None is NULL. Raises the errors of an INSERT."""
    text = "".join("\t".join(map(_field, row)) + "\n" for row in rows)
    if not text:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    driver = connection.connection.cursor()
    try:
        driver.copy_expert(f'COPY "{table.name}" ({names}) FROM STDIN', io.StringIO(text))
    finally:
        driver.close()


def _field(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)
