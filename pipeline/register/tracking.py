"""Tracked companies: the table `tracked_companies`, its due times, and the selection of companies for a run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select, text, union

from pipeline.records.cohorts import in_cohort
from pipeline.register.listing import ListedCompany
from warehouse.contract import Outcome
from warehouse.schema.tables import source_data, tracked_companies

DEFAULT_INTERVAL_HOURS = 24 * 30
"""The default interval in hours: a tracked company is due when its newest good capture is older than this."""
CONCLUSIVE_OUTCOMES = (Outcome.OK, Outcome.NOT_FOUND)
"""After these outcomes, a company is due again after its interval. After a failure (any other), it is due sooner."""

# xmax is 0 in a row that this statement inserted, but not in a row that it updated. If the list lacks a value, the
# stored value is kept. If the company has a good capture, it is due `every_hours` after the newest one.
_TRACK = text("""
INSERT INTO tracked_companies AS tracked (
  idno, name, legal_form, is_active, registered_on, every_hours, due_at, captured_at, failures,
  sweep_id, sweep_page, first_seen_at, last_seen_at
)
SELECT listed.idno, listed.name, listed.legal_form, listed.is_active, listed.registered_on, :every_hours,
  coalesce(newest_good.fetched_at + make_interval(hours => :every_hours), :seen_at), newest_good.fetched_at, 0,
  :sweep_id, :page, :seen_at, :seen_at
FROM unnest(
  CAST(:idnos AS text[]), CAST(:names AS text[]), CAST(:legal_forms AS text[]), CAST(:are_active AS boolean[]),
  CAST(:registered_on AS date[])
) AS listed (idno, name, legal_form, is_active, registered_on)
LEFT JOIN LATERAL (
  SELECT fetched_at FROM source_data
  WHERE source_data.idno = listed.idno AND outcome IN ('ok', 'not_found')
  ORDER BY id DESC LIMIT 1
) AS newest_good ON true
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

# After a failure, the company is due in one hour. Each further failure doubles this delay, up to `every_hours`.
_SCHEDULE = text("""
UPDATE tracked_companies SET
  captured_at = CASE WHEN :is_conclusive THEN :fetched_at ELSE captured_at END,
  failures = CASE WHEN :is_conclusive THEN 0 ELSE failures + 1 END,
  due_at = CAST(:fetched_at AS timestamptz) + make_interval(hours =>
    CASE WHEN :is_conclusive THEN every_hours ELSE least(CAST(2 ^ least(failures, 20) AS integer), every_hours) END)
WHERE idno = :idno AND (captured_at IS NULL OR captured_at <= :fetched_at)
""")


class CompanySet(StrEnum):
    """The sets of companies that a run can select."""

    FAILED = "failed"
    """Companies whose newest capture is neither ok nor not_found. The oldest such capture comes first."""
    DUE = "due"
    """Tracked companies whose due time has passed, the most overdue company first."""
    ALL = "all"
    """All companies that are tracked or have a capture, in the order of their IDNOs."""


class Selection(Protocol):
    """The companies that a run works on; pipeline/defs/selection.py implements it as Dagster config."""

    @property
    def idnos(self) -> list[str]:
        """The IDNOs, if companies are listed one by one; empty if a set is selected."""

    @property
    def select(self) -> str | None:
        """The selected set, a value of CompanySet; None if companies are listed one by one."""

    @property
    def cohort(self) -> int | None:
        """The year to which the set is restricted, by the year in which an IDNO was issued; None for all years."""

    @property
    def since_time(self) -> datetime | None:
        """Restricts the set to companies without a good capture since this time; None for no restriction."""

    @property
    def limit(self) -> int:
        """The maximum number of companies from the set."""


def track(
    connection: Connection,
    companies: Sequence[ListedCompany],
    *,
    sweep_id: int,
    page: int,
    seen_at: datetime,
    every_hours: int = DEFAULT_INTERVAL_HOURS,
) -> int:
    """Track the companies of a list's page. Update companies that are tracked already.

    Args:
        connection: A connection in the caller's transaction.
        companies: The companies of the page.
        sweep_id: The id of the sweep.
        page: The number of the page in the sweep.
        seen_at: The time at which the page was read.
        every_hours: The interval between visits, for new companies. Others keep their interval.

    Returns:
        The number of companies that are new.
    """
    # The dict removes duplicates, because an upsert cannot update a row twice. The fixed order prevents deadlocks
    # between concurrent sweeps.
    rows = sorted({company.idno: company for company in companies}.values(), key=lambda row: row.idno)
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


def schedule_next_visit(connection: Connection, *, idno: str, outcome: Outcome, fetched_at: datetime) -> None:
    """Set a tracked company's next due time according to the outcome of a visit. Ignore untracked companies."""
    connection.execute(
        _SCHEDULE, {"idno": idno, "is_conclusive": outcome in CONCLUSIVE_OUTCOMES, "fetched_at": fetched_at}
    )


def is_any_due(connection: Connection) -> bool:
    """Tell whether any tracked company is due."""
    due = exists().where(tracked_companies.c.due_at <= datetime.now(UTC))
    return bool(connection.scalar(select(due)))


def select_companies(connection: Connection, selection: Selection) -> list[str]:
    """Return the IDNOs of a selection, in the order in which they are visited."""
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
            failure.c.outcome.not_in(CONCLUSIVE_OUTCOMES),
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
    # Each subquery reads only its first rows, with an index. Otherwise the union would process half a million rows.
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
    # For each row, PostgreSQL looks up a subquery with LIMIT in an index, even before the tables have statistics. With
    # NOT EXISTS instead, the query took a minute and a half on tables without statistics.
    conditions: list[ColumnElement[bool]] = []
    if cohort is not None:
        conditions.append(in_cohort(idno, str(cohort)))
    if since is not None:
        good = source_data.alias("good")
        newest_good = (
            select(good.c.fetched_at)
            .where(good.c.idno == idno, good.c.outcome.in_(CONCLUSIVE_OUTCOMES))
            .order_by(good.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        conditions.append(func.coalesce(newest_good, datetime.min.replace(tzinfo=UTC)) <= since)
    return conditions
