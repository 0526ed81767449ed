"""Many rows into a table at once, by PostgreSQL's COPY."""

import io
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Insert rows, each the values of `columns` in their order; None is NULL. Raises what an INSERT raises."""
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
