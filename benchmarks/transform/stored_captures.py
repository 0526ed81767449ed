"""Fills a warehouse with captures: pages of the stand-in site, rendered by Chrome and copied for many companies.

In a copy, the IDNO is replaced in the HTML and in the JSON, so the copy is another document with another hash.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select, text

from standin.filed_statements import fin_data
from standin.made_up_companies import company
from standin.site_facts import make_idno
from warehouse.contract import Outcome
from warehouse.records.bulk_copy import copy_rows
from warehouse.schema.tables import pending_captures, raw_documents, source_data, source_payloads

_AT = datetime(2026, 9, 1, tzinfo=UTC)
_PAGE = 500
_FIRST_COPY = 100_000
"""Companies with this number (see `make_idno`) and higher numbers are copies."""

_SCRIPTS = re.compile(r"<script\b.*?</script>", re.DOTALL)

Document = tuple[str, bytes, tuple[bytes, bytes]]
"""A company's IDNO, its page, and the two JSON bodies that the page fetched."""


def documents(pages: Sequence[tuple[str, str]], count: int) -> Iterator[Document]:
    """Yield `count` documents, copied in turn from rendered `pages` (for each page: IDNO and HTML)."""
    bodies = {
        idno: (json.dumps(company(idno), ensure_ascii=False), json.dumps(fin_data(idno), ensure_ascii=False))
        for idno, _ in pages
    }
    # Remove scripts: documents of the stand-in site contain data in a script; those of the live site do not.
    shown = [(idno, _SCRIPTS.sub("", html)) for idno, html in pages]
    for number in range(count):
        original, html = shown[number % len(shown)]
        idno = make_idno(_FIRST_COPY + number)
        first, second = (body.replace(original, idno).encode() for body in bodies[original])
        yield idno, html.replace(original, idno).encode(), (first, second)


def fill(connection: Connection, made: Iterator[Document]) -> int:
    """Store documents as good captures that are pending; return their number."""
    count, page = 0, []
    for document in made:
        page.append(document)
        if len(page) == _PAGE:
            count += _store(connection, page)
            page = []
    return count + _store(connection, page)


def forget_records(connection: Connection) -> None:
    """Empty the tables of records and make every capture pending again."""
    connection.execute(
        text(
            "TRUNCATE transformed_data, company_parties, company_activities, financial_statements, financial_lines,"
            " company_changes, quarantine, pending_captures CASCADE"
        )
    )
    connection.execute(
        text("INSERT INTO pending_captures (idno, source_data_id) SELECT idno, id FROM source_data")
    )


def _store(connection: Connection, page: Sequence[Document]) -> int:
    if not page:
        return 0
    _store_bodies(connection, page)
    first = (connection.scalar(select(source_data.c.id).order_by(source_data.c.id.desc()).limit(1)) or 0) + 1
    copy_rows(
        connection,
        source_data,
        (
            "idno",
            "url",
            "outcome",
            "raw_html_sha256",
            "fetched_at",
            "duration_ms",
            "run_id",
            "attempt",
            "redirects",
        ),
        (
            (
                idno,
                f"https://example.md/companies/{idno}",
                Outcome.OK,
                _sha256(html),
                _AT,
                1,
                "a run",
                1,
                "[]",
            )
            for idno, html, _ in page
        ),
    )
    ids = {
        row.idno: row.id
        for row in connection.execute(
            select(source_data.c.id, source_data.c.idno).where(source_data.c.id >= first)
        )
    }
    copy_rows(
        connection,
        source_payloads,
        ("source_data_id", "position", "url", "status_code", "sha256"),
        (
            (ids[idno], position, "https://api.example.md/", 200, _sha256(body))
            for idno, _, bodies in page
            for position, body in enumerate(bodies)
        ),
    )
    copy_rows(
        connection, pending_captures, ("idno", "source_data_id"), ((idno, ids[idno]) for idno, _, _ in page)
    )
    return len(page)


def _store_bodies(connection: Connection, page: Sequence[Document]) -> None:
    bodies = {
        _sha256(body): (body, kind)
        for _, html, payloads in page
        for body, kind in ((html, "text/html"), *((payload, "application/json") for payload in payloads))
    }
    held = set(
        connection.scalars(select(raw_documents.c.sha256).where(raw_documents.c.sha256.in_(bodies)))
    )  # companies without statements share one body
    copy_rows(
        connection,
        raw_documents,
        ("sha256", "content", "content_type", "size"),
        (
            (sha256, f"\\x{body.hex()}", kind, len(body))
            for sha256, (body, kind) in bodies.items()
            if sha256 not in held
        ),
    )


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
