"""What an analyst reads beside a materialization: counts, a table, what failed and why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from dagster import MetadataValue, TableColumn, TableMetadataValue, TableRecord, TableSchema

from pipeline.runs.run_results import Result, Visited
from warehouse.contract import RunResult

MOST_ROWS = 200


def describe_visits(visits: Sequence[Visited], results: Sequence[Result]) -> dict[str, Any]:
    """Describe what a run came to for its companies, and every visit that it made."""
    last = {visit.idno: visit for visit in visits}
    outcomes = Counter(
        last[result.idno].outcome
        for result in results
        if result.result is RunResult.CAPTURED and result.idno in last
    )
    others = Counter(result.result for result in results if result.result is not RunResult.CAPTURED)
    durations = sorted(visit.duration_ms for visit in visits)
    return {
        "companies": len(results),
        "attempts": len(visits),
        **{f"outcome/{outcome}": count for outcome, count in sorted(outcomes.items())},
        **{str(result): count for result, count in sorted(others.items())},
        "median_visit_ms": durations[len(durations) // 2] if durations else 0,
        "visits": table(_visit_row(visit) for visit in visits),
        **({"not_visited": table(_rest_row(result) for result in rest)} if (rest := _rest(results)) else {}),
    }


def _visit_row(visit: Visited) -> dict[str, str | int]:
    return {
        "idno": visit.idno,
        "attempt": visit.attempt,
        "outcome": str(visit.outcome),
        "error": visit.error or "",
        "status_code": "" if visit.status_code is None else str(visit.status_code),
        "duration_ms": visit.duration_ms,
        "source_data_id": visit.source_data_id,
    }


def _rest(results: Sequence[Result]) -> list[Result]:
    return [result for result in results if result.result is not RunResult.CAPTURED]


def _rest_row(result: Result) -> dict[str, str | int]:
    return {
        "idno": result.idno,
        "result": str(result.result),
        "deferred_until": result.deferred_until.isoformat() if result.deferred_until else "",
        "reason": result.reason or "",
    }


def table(rows: Iterable[Mapping[str, str | int]]) -> TableMetadataValue:
    """Show rows as a table in Dagster's web UI, at most the first 200."""
    records = list(islice(rows, MOST_ROWS))
    columns = [
        TableColumn(name, "int" if isinstance(value, int) else "string")
        for name, value in (records[0] if records else {"idno": ""}).items()
    ]
    return MetadataValue.table(
        records=[TableRecord(record) for record in records], schema=TableSchema(columns=columns)
    )
