"""The summary of visits, which Dagster shows next to the materialization of `source_data`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from dagster import MetadataValue, TableColumn, TableMetadataValue, TableRecord, TableSchema

from pipeline.runs.run_results import CompanyRunResult, RunVisit
from warehouse.contract import RunResult

MAX_ROWS = 200


def describe_visits(visits: Sequence[RunVisit], results: Sequence[CompanyRunResult]) -> dict[str, Any]:
    """Return the metadata of the materialization: counts, a table of all visits, a table of companies not visited."""
    last = {visit.idno: visit for visit in visits}
    outcomes = Counter(
        last[result.idno].outcome
        for result in results
        if result.result is RunResult.CAPTURED and result.idno in last
    )
    others = Counter(result.result for result in results if result.result is not RunResult.CAPTURED)
    durations = sorted(visit.duration_ms for visit in visits)
    not_visited = [result for result in results if result.result is not RunResult.CAPTURED]
    return {
        "companies": len(results),
        "attempts": len(visits),
        **{f"outcome/{outcome}": count for outcome, count in sorted(outcomes.items())},
        **{str(result): count for result, count in sorted(others.items())},
        "median_visit_ms": durations[len(durations) // 2] if durations else 0,
        "visits": table(map(_visit_row, visits)),
        **({"not_visited": table(map(_not_visited_row, not_visited))} if not_visited else {}),
    }


def _visit_row(visit: RunVisit) -> dict[str, str | int]:
    return {
        "idno": visit.idno,
        "attempt": visit.attempt,
        "outcome": str(visit.outcome),
        "error": visit.error or "",
        "status_code": "" if visit.status_code is None else str(visit.status_code),
        "duration_ms": visit.duration_ms,
        "source_data_id": visit.source_data_id,
    }


def _not_visited_row(result: CompanyRunResult) -> dict[str, str | int]:
    return {
        "idno": result.idno,
        "result": str(result.result),
        "deferred_until": result.deferred_until.isoformat() if result.deferred_until else "",
        "reason": result.reason or "",
    }


def table(rows: Iterable[Mapping[str, str | int]]) -> TableMetadataValue:
    """Return the first 200 rows as a table for Dagster's web UI."""
    records = list(islice(rows, MAX_ROWS))
    columns = [
        TableColumn(name, "int" if isinstance(value, int) else "string")
        for name, value in (records[0] if records else {"idno": ""}).items()
    ]
    return MetadataValue.table(
        records=[TableRecord(record) for record in records], schema=TableSchema(columns=columns)
    )
