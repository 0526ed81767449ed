"""Fills the warehouse with many companies: SQL statements copy a few companies that the platform stored itself.

To save time, copies share their bodies, which no measured operation reads, and have only a few lines of statements.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from uuid import uuid4

from sqlalchemy import Connection, Table, text

from pipeline.extract.page_capture import Capture, Payload
from standin.filed_statements import fin_data
from standin.made_up_companies import company
from standin.site_facts import company_name, make_idno
from warehouse.contract import Outcome
from warehouse.folding import fold
from warehouse.schema.tables import (
    company_activities,
    company_parties,
    financial_lines,
    financial_statements,
    source_data,
    transformed_data,
)

CAPTURES = 3
"""Captures of each company."""
_LINES = 10
_FIRST_COPY = 10_000
"""Companies with this number (see `make_idno`) and higher numbers are copies."""
_AT = datetime.now(UTC) - timedelta(days=1)


def capture_of(idno: str) -> Capture:
    """Return a good capture of a company, made now: a short page, and the JSON that the stand-in site would send."""
    content = company(idno)
    bodies = {f"companies/{idno}": content, f"fin-data-v1/{idno}": fin_data(idno)}
    heading = escape(str(content["fullName"]))
    return Capture(
        capture_id=uuid4(),
        idno=idno,
        url=f"https://example.md/companies/{idno}",
        final_url=None,
        status_code=200,
        outcome=Outcome.OK,
        html=f"<html><body><main><h1>{heading}</h1><dl><dt>IDNO</dt><dd>{idno}</dd></dl></main></body></html>",
        payloads=tuple(
            Payload(url=f"https://api.example.md/{path}", status_code=200, body=json.dumps(body).encode())
            for path, body in bodies.items()
        ),
        fetched_at=datetime.now(UTC),
        duration_ms=1,
    )


def copy_idno(number: int) -> str:
    """Return the IDNO of the copy with this number, counted from 0."""
    return make_idno(_FIRST_COPY + number)


def copy_companies(connection: Connection, originals: Sequence[str], first: int, count: int) -> None:
    """Store `count` copies of the originals in the warehouse, starting with copy number `first`."""
    idnos = [copy_idno(first + number) for number in range(count)]
    names = [company_name(idno) for idno in idnos]
    connection.execute(text("DROP TABLE IF EXISTS copies"))
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE copies AS SELECT idno, name, folded, n, (:originals)[1 + n % :many] AS original"
            " FROM unnest(:idnos, :names, :folded) WITH ORDINALITY AS each (idno, name, folded, n)"
        ),
        {
            "originals": list(originals),
            "many": len(originals),
            "idnos": idnos,
            "names": names,
            "folded": [fold(name) for name in names],
        },
    )
    connection.execute(text("ANALYZE copies"))
    base = int(connection.scalar(text("SELECT coalesce(max(id), 0) FROM source_data")) or 0)
    _copy_captures(connection, base, count)
    newest = {"source_data_id": f"{base + (CAPTURES - 1) * count} + c.n"}
    _copy(
        connection,
        transformed_data,
        {**newest, "name": "c.name", "name_folded": "c.folded", "fetched_at": ":at"},
    )
    for table in (company_parties, company_activities, financial_statements):
        _copy(connection, table, newest)
    _copy(connection, financial_lines, newest, few=True)
    _write_around(connection, base, count)


def _copy_captures(connection: Connection, base: int, count: int) -> None:
    for number in range(CAPTURES):
        began = base + number * count
        at = _AT - timedelta(days=30 * (CAPTURES - 1 - number))
        changed = {
            "id": f"{began} + c.n",
            "run_id": f"'run ' || {began} + c.n / 50",
            "capture_id": "gen_random_uuid()",
            "fetched_at": ":at",
        }
        _copy(connection, source_data, changed, at=at)
        connection.execute(
            text(
                "INSERT INTO source_payloads (source_data_id, position, url, status_code, sha256, response_headers)"
                f" SELECT {began} + c.n, p.position, p.url, p.status_code, p.sha256, p.response_headers FROM copies c"
                " JOIN transformed_data o ON o.idno = c.original"
                " JOIN source_payloads p ON p.source_data_id = o.source_data_id ORDER BY c.n, p.position"
            )
        )
        connection.execute(
            text(
                "INSERT INTO run_results (run_id, idno, result, source_data_id, attempts, ended_at)"
                f" SELECT 'run ' || {began} + n / 50, idno, 'captured', {began} + n, 1, :at FROM copies"
            ),
            {"at": at},
        )
    connection.execute(text("SELECT setval('source_data_id_seq', :last)"), {"last": base + CAPTURES * count})


def _copy(
    connection: Connection, table: Table, changed: dict[str, str], *, at: datetime = _AT, few: bool = False
) -> None:
    """Insert rows into a table for each copy: the rows of its original, with some values replaced.

    Args:
        connection: A connection of the role that owns the tables.
        table: The table to fill.
        changed: The replaced values: column → SQL expression.
        at: Value of the parameter `:at` in these expressions.
        few: Copy only the first rows of each company.
    """
    values = {column.name: changed.get(column.name, f'o."{column.name}"') for column in table.columns}
    values["idno"] = "c.idno"
    if table is source_data:
        origin = "source_data o ON o.id = h.source_data_id JOIN copies c ON c.original = h.idno"
        origin = f"transformed_data h JOIN {origin}"
    else:
        rows = table.name
        if few:
            ranked = f"SELECT *, row_number() OVER (PARTITION BY idno) AS rank FROM {rows}"
            originals = "WHERE idno IN (SELECT original FROM copies)"
            rows = f"(SELECT * FROM ({ranked} {originals}) WHERE rank <= {_LINES})"
        origin = f"{rows} o JOIN copies c ON c.original = o.idno"
    columns = ", ".join(f'"{name}"' for name in values)
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {', '.join(values.values())}"
            f" FROM {origin} ORDER BY c.n"
        ),
        {"at": at} if ":at" in values.values() else {},
    )


def _write_around(connection: Connection, base: int, count: int) -> None:
    """Add two recorded changes for each copy, and track each copy with a due time in the coming days."""
    for number in (1, 2):
        connection.execute(
            text(
                "INSERT INTO company_changes (idno, field, old, new, cause, observed_at, recorded_at,"
                " previous_source_data_id, previous_version, source_data_id, transform_version)"
                " SELECT c.idno, 'address', to_jsonb('here ' || :number), to_jsonb('there ' || :number), 'source',"
                " :at, :at, :base + c.n, o.transform_version, :base + :count + c.n, o.transform_version"
                " FROM copies c JOIN transformed_data o ON o.idno = c.original ORDER BY c.n"
            ),
            {
                "number": str(number),
                "at": _AT - timedelta(days=30 * (3 - number)),
                "base": base + (number - 1) * count,
                "count": count,
            },
        )
    connection.execute(
        text(
            "INSERT INTO tracked_companies (idno, name, every_hours, due_at, captured_at, sweep_id, sweep_page,"
            " first_seen_at, last_seen_at) SELECT idno, name, 720,"
            " now() + interval '1 day' + n * interval '29 days' / :count, :at, 1, n / 100, :at, :at FROM copies"
        ),
        {"at": _AT, "count": count},
    )
