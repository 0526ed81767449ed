"""The summary of a transformation, which Dagster shows next to the materialization of the records.

Dagster keeps it for a long time, and the erasure of a person does not reach it. So it quotes no text about parties.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pipeline.defs.ops.visit_summary import MAX_ROWS, table
from pipeline.records.record_updates import Transformation, TransformResult
from pipeline.transform import version
from pipeline.transform.reading import abbreviate
from warehouse.records.redaction import FIELDS as PARTY_FIELDS

_MAX_UNKNOWN = 1000
_MAX_UNREAD = 200
"""Maximum number of different pairs of field and reason that the table of unread texts shows."""


class TransformSummary:
    """Counts of transformations, and rows for two tables: the first transformed and the first failed captures."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._changes = self._source_changes = 0
        self._first: list[Transformation] = []
        self._refused: list[Transformation] = []
        self._unknown: Counter[str] = Counter()
        self._unread: Counter[tuple[str, str]] = Counter()
        self._unread_examples: dict[tuple[str, str], dict[str, str]] = {}

    @property
    def companies(self) -> int:
        """The number of transformations counted so far."""
        return self._counts.total()

    def add(self, results: Iterable[Transformation]) -> None:
        """Count transformations and collect rows for the tables."""
        for done in results:
            self._counts[done.result] += 1
            self._changes += done.changes
            self._source_changes += done.source_changes
            shown = self._refused if done.result is TransformResult.NOT_TRANSFORMED else self._first
            if len(shown) < MAX_ROWS:
                shown.append(done)
            for name in done.unknown:
                if name in self._unknown or len(self._unknown) < _MAX_UNKNOWN:
                    self._unknown[name] += 1
            self._add_unread(done)

    def _add_unread(self, done: Transformation) -> None:
        for unread in done.unread:
            key = unread.field, unread.reason
            if key not in self._unread and len(self._unread) == _MAX_UNREAD:
                key = "others", "not shown"
            self._unread[key] += 1
            text = "" if unread.field in PARTY_FIELDS else abbreviate(unread.text)
            self._unread_examples.setdefault(key, {"example": done.idno, "text": text})

    def metadata(self) -> dict[str, Any]:
        """Return the metadata of the materialization."""
        described = {
            "companies": self.companies,
            **{f"result/{result}": count for result, count in sorted(self._counts.items())},
            "changes": self._changes,
            "changes_at_the_source": self._source_changes,
            "transform_version": version.TRANSFORM_VERSION,
            "records": table(map(_row, self._first)),
        }
        if self._refused:
            described["quarantine"] = table(map(_row, self._refused))
        if self._unknown:
            described["unknown_fields"] = table(
                {"field": name, "companies": count} for name, count in self._unknown.most_common()
            )
        if self._unread:
            described["unread_texts"] = table(
                {"field": key[0], "reason": key[1], "texts": count, **self._unread_examples[key]}
                for key, count in self._unread.most_common()
            )
        return described


def _row(done: Transformation) -> dict[str, str | int]:
    return {
        "idno": done.idno,
        "source_data_id": done.source_data_id,
        "result": str(done.result),
        "name": done.name,
        "note": done.note,
        "changes": done.changes,
    }
