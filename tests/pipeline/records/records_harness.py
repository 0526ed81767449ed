"""Stores captures of made-up companies in a warehouse and transforms them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import pytest
from sqlalchemy import Connection, text

from pipeline.extract.page_capture import Capture, Payload
from pipeline.records.capture_store import captures_of_companies, store_capture
from pipeline.records.quarantine import Tolerance
from pipeline.records.record_updates import Transformation, update_records
from pipeline.records.retransform import retransform_stale
from standin.filed_statements import fin_data
from standin.made_up_companies import company
from tests.warehouse_server import Databases
from warehouse.contract import Outcome
from warehouse.records.facts import load_facts
from warehouse.records.models import CompanyFacts
from warehouse.schema import database_roles

API = "https://api.example.md"
FIRST = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TABLES = (
    *("transformed_data", "company_parties", "company_activities", "financial_statements", "financial_lines"),
    *("company_changes", "quarantine", "pending_captures"),
)


def page(idno: str, name: str, facts: Sequence[tuple[str, str]] = ()) -> str:
    """Return a company's page with its name, its IDNO, and labels with values."""
    rows = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in (("IDNO", idno), *facts)
    )
    return f"<!doctype html><html><body><main><h1>{escape(name)}</h1><dl>{rows}</dl></main></body></html>"


@dataclass(frozen=True)
class CaptureSpec:
    """A good capture to create: a made-up company with changes, and which of its payloads arrived."""

    idno: str
    changes: dict[str, Any] = field(default_factory=dict)
    statements: list[dict[str, Any]] | None = None
    with_company: bool = True
    with_statements: bool = True
    html: str | None = None
    look: str | None = None
    shown: Sequence[tuple[str, str]] = ()

    def capture(self, fetched_at: datetime) -> Capture:
        """Return the capture."""
        content = {**company(self.idno), **self.changes}
        figures = fin_data(self.idno) if self.statements is None else self.statements
        bodies = [
            *([(f"/api/companies/{self.idno}", content)] if self.with_company else []),
            *([(f"/api/fin-data-v1/{self.idno}", figures)] if self.with_statements else []),
        ]
        return Capture(
            idno=self.idno,
            url=f"https://example.md/companies/{self.idno}",
            final_url=None,
            status_code=200,
            outcome=Outcome.OK,
            html=self.html or page(self.idno, str(content["fullName"]), self.shown),
            look=self.look,
            payloads=tuple(
                Payload(url=f"{API}{path}", status_code=200, body=json.dumps(body).encode())
                for path, body in bodies
            ),
            fetched_at=fetched_at,
            duration_ms=1,
        )


@dataclass
class RecordsHarness:
    """A warehouse that contains only what a test puts there."""

    databases: Databases
    monkeypatch: pytest.MonkeyPatch
    tolerance: Tolerance = field(default_factory=Tolerance)
    _now: datetime = FIRST

    def put(self, idno: str, *, run_id: str = "a run", **made: Any) -> int:
        """Store a capture, one day later than the previous one. Return its id."""
        self._now += DAY
        with self.databases.warehouse() as connection:
            capture = CaptureSpec(idno, **made).capture(self._now)
            return store_capture(connection, capture, run_id=run_id, requested_by=None)

    def put_many(self, idnos: Sequence[str]) -> None:
        """Store a capture of each company, all fetched at the same time."""
        self._now += DAY
        with self.databases.warehouse() as connection:
            for idno in idnos:
                store_capture(
                    connection, CaptureSpec(idno).capture(self._now), run_id="a run", requested_by=None
                )

    def transform(self, *idnos: str) -> list[Transformation]:
        """Transform the newest captures of companies."""
        engine = self.databases.engine(database_roles.PIPELINE)
        with engine.begin() as connection:
            captures = captures_of_companies(connection, idnos)
        return update_records(engine.begin, captures)

    def retransform(self, *, cohort: str | None = None, processes: int = 1) -> list[Transformation]:
        """Transform stale records again."""
        return [done for results in self.batches(cohort=cohort, processes=processes) for done in results]

    def batches(self, *, cohort: str | None = None, processes: int = 1) -> Iterator[list[Transformation]]:
        """Transform stale records again, batch by batch."""
        return retransform_stale(
            self.databases.engine(database_roles.PIPELINE).begin,
            self.databases.url(database_roles.PIPELINE),
            cohort=cohort,
            processes=processes,
            tolerance=self.tolerance,
        )

    def version(self, number: int) -> None:
        """Set the transform version."""
        self.monkeypatch.setattr("pipeline.transform.version.TRANSFORM_VERSION", number)

    def facts(self, idno: str) -> CompanyFacts | None:
        """Return the facts of a record."""
        return self.all_facts([idno]).get(idno)

    def all_facts(self, idnos: Sequence[str]) -> dict[str, CompanyFacts]:
        """Return the facts of records by IDNO."""
        with self.databases.warehouse() as connection:
            return load_facts(connection, idnos)

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return rows of the warehouse."""
        with self.databases.warehouse() as connection:
            return [dict(row) for row in connection.execute(text(query), parameters).mappings()]

    def changes(self, idno: str) -> list[tuple[str, str]]:
        """Return the changed fields with their causes, in order."""
        rows = self.rows("SELECT field, cause FROM company_changes WHERE idno = :idno ORDER BY id", idno=idno)
        return [(row["field"], row["cause"]) for row in rows]

    def tables(self) -> dict[str, list[str]]:
        """Return all rows of the tables of records with their physical place, which only a write changes."""
        return {
            table: [
                row["row"]
                for row in self.rows(f"SELECT ctid || ' ' || t::text AS row FROM {table} t ORDER BY 1")
            ]
            for table in TABLES
        }

    def owner(self) -> AbstractContextManager[Connection]:
        """Return a connection without restrictions, whose changes are committed."""
        return self.databases.unrestricted()

    def clear(self) -> None:
        """Delete everything."""
        with self.owner() as connection:
            connection.exec_driver_sql(
                f"TRUNCATE source_data, source_payloads, raw_documents, {', '.join(TABLES)} CASCADE"
            )
