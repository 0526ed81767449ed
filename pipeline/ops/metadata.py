"""What an analyst reads beside a materialization: counts, a table, what failed and why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dagster import (
    MetadataValue,
    TableColumn,
    TableMetadataValue,
    TableRecord,
    TableSchema,
)

from pipeline.extract.capture import Capture
from warehouse.contract import Outcome

_MOST_ROWS = 200


@dataclass(frozen=True)
class Visited:
    """What became of one visit, without its evidence."""

    idno: str
    outcome: Outcome
    source_data_id: int
    status_code: int | None
    duration_ms: int
    error: str | None

    @classmethod
    def of(cls, capture: Capture, source_data_id: int) -> "Visited":
        """Sum up a stored capture."""
        return cls(
            idno=capture.idno,
            outcome=capture.outcome,
            source_data_id=source_data_id,
            status_code=capture.status_code,
            duration_ms=capture.duration_ms,
            error=capture.error,
        )


def describe_visits(visits: Sequence[Visited]) -> dict[str, Any]:
    """Describe the visits of a run."""
    counts = Counter(visit.outcome for visit in visits)
    durations = sorted(visit.duration_ms for visit in visits)
    return {
        "companies": len(visits),
        **{f"outcome/{outcome}": count for outcome, count in sorted(counts.items())},
        "median_visit_ms": durations[len(durations) // 2] if durations else 0,
        "visits": table(
            {
                "idno": visit.idno,
                "outcome": str(visit.outcome),
                "error": visit.error or "",
                "status_code": "" if visit.status_code is None else str(visit.status_code),
                "duration_ms": visit.duration_ms,
                "source_data_id": visit.source_data_id,
            }
            for visit in visits
        ),
    }


def table(rows: Iterable[Mapping[str, str | int]]) -> TableMetadataValue:
    """Show rows as a table in Dagster's web UI, at most the first 200."""
    records = list(islice(rows, _MOST_ROWS))
    columns = [
        TableColumn(name, "int" if isinstance(value, int) else "string")
        for name, value in (records[0] if records else {"idno": ""}).items()
    ]
    return MetadataValue.table(
        records=[TableRecord(record) for record in records], schema=TableSchema(columns=columns)
    )
