"""What the platform keeps fresh: the table `tracked_companies`, and which companies a run is to visit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select, text, union

from pipeline.records.cohorts import in_cohort
from pipeline.register.listing import ListedCompany
from warehouse.contract import Outcome
from warehouse.schema.tables import source_data, tracked_companies

EVERY_HOURS = 24 * 30
"""How old a tracked company's newest good capture may get."""
SETTLED_OUTCOMES = (Outcome.OK, Outcome.NOT_FOUND)
"""Outcomes that answer what was asked; any other is a failure, to be tried again."""

# xmax is 0 in a row that was inserted just now, and not in one that was updated. What a list does not say does not
# overwrite what it, or another, has said before. Whoever has been captured before is due when that gets old.
_TRACK = text("""
INSERT INTO tracked_companies AS tracked (
  idno, name, legal_form, is_active, registered_on, every_hours, due_at, captured_at, failures,
  sweep_id, sweep_page, first_seen_at, last_seen_at
)
SELECT listed.idno, listed.name, listed.legal_form, listed.is_active, listed.registered_on, :every_hours,
  coalesce(held.fetched_at + make_interval(hours => :every_hours), :seen_at), held.fetched_at, 0,
  :sweep_id, :page, :seen_at, :seen_at
FROM unnest(
  CAST(:idnos AS text[]), CAST(:names AS text[]), CAST(:legal_forms AS text[]), CAST(:are_active AS boolean[]),
  CAST(:registered_on AS date[])
) AS listed (idno, name, legal_form, is_active, registered_on)
LEFT JOIN LATERAL (
  SELECT fetched_at FROM source_data
  WHERE source_data.idno = listed.idno AND outcome IN ('ok', 'not_found')
  ORDER BY id DESC LIMIT 1
) AS held ON true
ON CONFLICT (idno) DO UPDATE SET
  name = coalesce(excluded.name, tracked.name),
  legal_form = coalesce(excluded.legal_form, tracked.legal_form),
  is_active = coalesce(excluded.is_active, tracked.is_active),
  registered_on = coalesce(excluded.registered_on, tracked.registered_on),
  sweep_id = excluded.sweep_id,
  sweep_page = excluded.sweep_page,
  last_seen_at = excluded.last_seen_at
RETURNING xmax = 0
""")

# After a failure: an hour, doubled with each further one, never longer than the company's own interval.
_NOTE = text("""
UPDATE tracked_companies SET
  captured_at = CASE WHEN :is_settled THEN :fetched_at ELSE captured_at END,
  failures = CASE WHEN :is_settled THEN 0 ELSE failures + 1 END,
  due_at = CAST(:fetched_at AS timestamptz) + make_interval(hours =>
    CASE WHEN :is_settled THEN every_hours ELSE least(CAST(2 ^ least(failures, 20) AS integer), every_hours) END)
WHERE idno = :idno AND (captured_at IS NULL OR captured_at <= :fetched_at)
""")


class CompanySet(StrEnum):
    """Companies by how the platform stands with them."""

    FAILED = "failed"
    """Whose newest capture is neither ok nor not_found; longest ago first."""
    DUE = "due"
    """Tracked, and to be visited by now; most overdue first."""
    ALL = "all"
    """Tracked or captured; by IDNO."""


class Selection(Protocol):
    """What a run is to work on; pipeline/defs/selection.py has it as Dagster's config."""

    @property
    def idnos(self) -> list[str]:
        """Named companies; none where a set is selected."""

    @property
    def select(self) -> str | None:
        """A CompanySet."""

    @property
    def cohort(self) -> int | None:
        """Of the set, only those whose IDNO was given in this year."""

    @property
    def since_time(self) -> datetime | None:
        """Of the set, only those not captured well since then."""

    @property
    def limit(self) -> int:
        """The most that a set comes to."""


def track(
    connection: Connection,
    companies: Sequence[ListedCompany],
    *,
    sweep_id: int,
    page: int,
    seen_at: datetime,
    every_hours: int = EVERY_HOURS,
) -> int:
    """Track the companies of a list's page, or note that they were seen again; return how many are new."""
    # One statement cannot meet a row twice; in one order, so that two sweeps do not wait for each other.
    rows = sorted({company.idno: company for company in companies}.values(), key=lambda each: each.idno)
    if not rows:
        return 0
    parameters: dict[str, Any] = {
        "idnos": [row.idno for row in rows],
        "names": [row.name for row in rows],
        "legal_forms": [row.legal_form for row in rows],
        "are_active": [row.is_active for row in rows],
        "registered_on": [row.registered_on for row in rows],
        "every_hours": every_hours,
        "seen_at": seen_at,
        "sweep_id": sweep_id,
        "page": page,
    }
    return sum(connection.execute(_TRACK, parameters).scalars())


def note_capture(connection: Connection, *, idno: str, outcome: Outcome, fetched_at: datetime) -> None:
    """Note what a visit came to, so that the company's next turn comes in time. Not for companies untracked."""
    connection.execute(
        _NOTE, {"idno": idno, "is_settled": outcome in SETTLED_OUTCOMES, "fetched_at": fetched_at}
    )


def is_any_due(connection: Connection) -> bool:
    """Tell whether a tracked company is to be visited by now."""
    due = exists().where(tracked_companies.c.due_at <= datetime.now(UTC))
    return bool(connection.scalar(select(due)))


def resolve(connection: Connection, selection: Selection) -> list[str]:
    """Return the IDNOs of a selection, in the order in which they are to be visited."""
    if selection.select is None:
        return selection.idnos
    build = {CompanySet.FAILED: _failed, CompanySet.DUE: _due, CompanySet.ALL: _all}[
        CompanySet(selection.select)
    ]
    return list(connection.scalars(build(selection.limit, selection.cohort, selection.since_time)))


def _failed(limit: int, cohort: int | None, since: datetime | None) -> Select[tuple[str]]:
    failure, newest = source_data.alias("failure"), source_data.alias("newest")
    newest_id = (
        select(newest.c.id).where(newest.c.idno == failure.c.idno).order_by(newest.c.id.desc()).limit(1)
    )
    return (
        select(failure.c.idno)
        .where(
            failure.c.outcome.not_in(SETTLED_OUTCOMES),
            failure.c.id == newest_id.scalar_subquery(),
            *_narrowed(failure.c.idno, cohort, since),
        )
        .order_by(failure.c.id)
        .limit(limit)
    )


def _due(limit: int, cohort: int | None, since: datetime | None) -> Select[tuple[str]]:
    tracked = tracked_companies.c
    return (
        select(tracked.idno)
        .where(tracked.due_at <= datetime.now(UTC), *_narrowed(tracked.idno, cohort, since))
        .order_by(tracked.due_at, tracked.idno)
        .limit(limit)
    )


def _all(limit: int, cohort: int | None, since: datetime | None) -> Select[tuple[str]]:
    # The first so many of each table by its index: their union need not be made of half a million.
    firsts = [
        select(column)
        .where(*_narrowed(column, cohort, since))
        .group_by(column)
        .order_by(column)
        .limit(limit)
        .subquery()
        for column in (tracked_companies.c.idno, source_data.c.idno)
    ]
    known = union(*(select(first.c.idno) for first in firsts)).subquery()
    return select(known.c.idno).order_by(known.c.idno).limit(limit)


def _narrowed(
    idno: ColumnElement[str], cohort: int | None, since: datetime | None
) -> list[ColumnElement[bool]]:
    # Subqueries with a LIMIT are looked up one by one in an index, whatever the planner knows of the tables. With
    # NOT EXISTS in their place, and no statistics yet, it took a minute and a half.
    conditions: list[ColumnElement[bool]] = []
    if cohort is not None:
        conditions.append(in_cohort(idno, str(cohort)))
    if since is not None:
        good = source_data.alias("good")
        newest_good = (
            select(good.c.fetched_at)
            .where(good.c.idno == idno, good.c.outcome.in_(SETTLED_OUTCOMES))
            .order_by(good.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        conditions.append(func.coalesce(newest_good, datetime.min.replace(tzinfo=UTC)) <= since)
    return conditions
