"""Queries on the results of runs for each company (the table `run_results`) and on the captures of runs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.register.tracking import CONCLUSIVE_OUTCOMES
from warehouse.contract import Outcome, RunResult
from warehouse.schema.tables import run_results, source_data


@dataclass(frozen=True)
class CompanyRunResult:
    """The result of a run for a company."""

    idno: str
    result: RunResult
    attempts: int
    source_data_id: int | None = None
    deferred_until: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True)
class RunVisit:
    """A visit of a run, without the page and the other bodies that it stored."""

    idno: str
    attempt: int
    outcome: Outcome
    source_data_id: int
    status_code: int | None
    duration_ms: int
    error: str | None


def store_result(connection: Connection, run_id: str, result: CompanyRunResult) -> None:
    """Store the result of a run for a company. If Dagster has retried the step, replace the earlier result."""
    values = {"run_id": run_id, **vars(result), "ended_at": datetime.now(UTC)}
    statement = upsert(run_results).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[run_results.c.run_id, run_results.c.idno],
            set_={name: statement.excluded[name] for name in values if name not in ("run_id", "idno")},
        )
    )


def load_results(connection: Connection, run_ids: Collection[str]) -> list[CompanyRunResult]:
    """Return the results of these runs in the order of IDNOs. For each company, return only the newest result."""
    rows = connection.execute(
        select(run_results)
        .where(run_results.c.run_id.in_(run_ids))
        .order_by(run_results.c.idno, run_results.c.ended_at.desc())
        .distinct(run_results.c.idno)
    ).mappings()
    return [
        CompanyRunResult(
            idno=row["idno"],
            result=RunResult(row["result"]),
            attempts=row["attempts"],
            source_data_id=row["source_data_id"],
            deferred_until=row["deferred_until"],
            reason=row["reason"],
        )
        for row in rows
    ]


def load_visits(connection: Connection, run_ids: Collection[str]) -> list[RunVisit]:
    """Return every visit of these runs, in the order in which the captures were stored."""
    rows = connection.execute(
        select(
            source_data.c.idno,
            source_data.c.attempt,
            source_data.c.outcome,
            source_data.c.id.label("source_data_id"),
            source_data.c.status_code,
            source_data.c.duration_ms,
            source_data.c.error,
        )
        .where(source_data.c.run_id.in_(run_ids))
        .order_by(source_data.c.id)
    ).mappings()
    return [RunVisit(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows]


def find_conclusive_capture(connection: Connection, idno: str, since: datetime) -> int | None:
    """Return the id of a company's newest conclusive capture since a time, or None if there is none.

    The capture may be of any run. Conclusive outcomes are `ok` and `not_found`.
    """
    source_data_id: int | None = connection.scalar(
        select(source_data.c.id)
        .where(
            source_data.c.idno == idno,
            source_data.c.fetched_at >= since,
            source_data.c.outcome.in_(CONCLUSIVE_OUTCOMES),
        )
        .order_by(source_data.c.id.desc())
        .limit(1)
    )
    return source_data_id


def without_result(connection: Connection, idnos: Iterable[str], run_ids: Collection[str]) -> list[str]:
    """Return the companies that none of these runs has finished, in the order of `idnos`.

    A company counts as unfinished if a run deferred it.
    """
    rows = connection.scalars(
        select(run_results.c.idno).where(
            run_results.c.run_id.in_(run_ids), run_results.c.result != RunResult.DEFERRED
        )
    )
    finished = set(rows)
    return [idno for idno in idnos if idno not in finished]
