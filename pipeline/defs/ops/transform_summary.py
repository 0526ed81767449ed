"""What an analyst reads beside a transformation: counts, what was set aside and why, what was never seen before."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pipeline.defs.ops.visit_summary import MOST_ROWS, table
from pipeline.records.record_updates import NOT_TRANSFORMED, Transformation
from pipeline.transform import version

_MOST_UNKNOWN = 1000


class TransformSummary:
    """Counts transformations as they come, however many: of each kind the first are kept to be shown."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._changes = self._news = 0
        self._first: list[Transformation] = []
        self._refused: list[Transformation] = []
        self._unknown: Counter[str] = Counter()

    @property
    def companies(self) -> int:
        """How many transformations have come."""
        return self._counts.total()

    def add(self, results: Iterable[Transformation]) -> None:
        """Count these."""
        for each in results:
            self._counts[each.result] += 1
            self._changes += each.changes
            self._news += each.news
            kept = self._refused if each.result == NOT_TRANSFORMED else self._first
            if len(kept) < MOST_ROWS:
                kept.append(each)
            for name in each.unknown:
                if name in self._unknown or len(self._unknown) < _MOST_UNKNOWN:
                    self._unknown[name] += 1

    def metadata(self) -> dict[str, Any]:
        """Return what there is to read."""
        described = {
            "companies": self.companies,
            **{f"result/{result}": count for result, count in sorted(self._counts.items())},
            "changes": self._changes,
            "changes_at_the_source": self._news,
            "transform_version": version.TRANSFORM_VERSION,
            "records": table(map(_row, self._first)),
        }
        if self._refused:
            described["quarantine"] = table(map(_row, self._refused))
        if self._unknown:
            described["unknown_fields"] = table(
                {"field": name, "companies": count} for name, count in self._unknown.most_common()
            )
        return described


def _row(each: Transformation) -> dict[str, str | int]:
    return {
        "idno": each.idno,
        "source_data_id": each.source_data_id,
        "result": each.result,
        "name": each.name,
        "note": each.note,
        "changes": each.changes,
    }
