"""The summary of a sweep, which Dagster shows next to the materialization of `tracked_companies`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.defs.ops.visit_summary import table
from pipeline.extract.direct_client import SitePaused
from pipeline.register.listing import RowProblem, SweepPage
from pipeline.register.sweeps import StoredPage, Sweep, SweepOutcome

_MAX_PROBLEMS = 200
"""The maximum number of problems to show. The counts include all problems."""


@dataclass
class SweepSummary:
    """Counts of one run's share of a sweep. A sweep may take several runs; `sweep` has the counts of all."""

    sweep: Sweep | None = None
    pages: int = 0
    seen: int = 0
    added: int = 0
    rejected: int = 0
    repeated: int = 0
    unreadable: int = 0
    paused_until: datetime | None = None
    pause_reason: str = ""
    unknown_fields: set[str] = field(default_factory=set)
    missing_fields: set[str] = field(default_factory=set)
    problems: list[dict[str, str | int]] = field(default_factory=list)
    totals: list[dict[str, str | int]] = field(default_factory=list)

    @property
    def next_page(self) -> int:
        """The page at which the sweep continues."""
        return self.sweep.next_page if self.sweep else 0

    def begin(self, sweep: Sweep) -> None:
        """Set the sweep that the run starts or continues."""
        self.sweep = sweep

    def add(self, page: SweepPage, stored: StoredPage) -> str:
        """Count a page that has been stored. Return the line to log."""
        parsed = page.parsed
        self._note_total(page, stored.sweep)
        self.sweep, self.pages = stored.sweep, self.pages + 1
        self.seen, self.added = self.seen + stored.new, self.added + stored.added
        self.rejected += len(parsed.rejected)
        self.repeated += len(stored.repeated)
        self.unreadable += len(parsed.unreadable)
        self.unknown_fields |= parsed.unknown_fields
        self.missing_fields |= parsed.missing_fields
        self._add_problems(page, parsed.rejected, "row rejected")
        self._add_problems(page, stored.repeated, "company repeated")
        self._add_problems(page, parsed.unreadable, "value unreadable")
        total = stored.sweep.total
        of_total = "" if total is None else f" of {-(-total // page.size)}"
        return (
            f"page {page.number + 1}{of_total}: {stored.new} companies, {stored.added} new,"
            f" {len(parsed.rejected)} rows rejected, {len(stored.repeated)} repeated"
        )

    def pause(self, paused: SitePaused) -> None:
        """Note that this run stopped before the end of the list, because the site is paused."""
        self.paused_until, self.pause_reason = paused.until, paused.reason

    def warning(self) -> str | None:
        """Return a warning if the finished sweep may have missed companies of the list. Otherwise return None."""
        sweep = self.sweep
        if sweep is None or sweep.outcome in (SweepOutcome.UNFINISHED, SweepOutcome.COMPLETE):
            return None
        counts = (
            f"the list states that it has {sweep.total} companies, but its pages contained {sweep.seen} different"
            f" IDNOs ({sweep.repeated} rows were repeated, {sweep.rejected} had no valid IDNO)"
        )
        if sweep.outcome is SweepOutcome.SHORTFALL:
            return f"{counts}: {sweep.missing} companies are missing" if sweep.missing else counts
        return (
            f"the total that the list states changed {sweep.total_changes} times during the sweep, so companies may"
            f" have moved to pages that were read already; {counts}"
        )

    def metadata(self) -> dict[str, Any]:
        """Return the metadata of the materialization."""
        return {
            "pages": self.pages,
            "seen": self.seen,
            "added": self.added,
            "refused": self.rejected,
            "repeated": self.repeated,
            "values_not_read": self.unreadable,
            "next_page": self.next_page,
            **(_of_sweep(self.sweep) if self.sweep else {}),
            **({"total_changes": table(self.totals)} if self.totals else {}),
            **({"problems": table(self.problems)} if self.problems else {}),
            **({"unknown_fields": ", ".join(sorted(self.unknown_fields))} if self.unknown_fields else {}),
            **({"missing_fields": ", ".join(sorted(self.missing_fields))} if self.missing_fields else {}),
            **self._pause(),
        }

    def _pause(self) -> dict[str, Any]:
        if self.paused_until is None:
            return {}
        return {"paused_until": self.paused_until.isoformat(), "pause_reason": self.pause_reason}

    def _note_total(self, page: SweepPage, after: Sweep) -> None:
        before = self.sweep.total if self.sweep else None
        if None not in (before, after.total) and before != after.total and len(self.totals) < _MAX_PROBLEMS:
            self.totals.append({"page": page.number, "before": before or 0, "now": after.total or 0})

    def _add_problems(self, page: SweepPage, problems: Sequence[RowProblem], what: str) -> None:
        room = _MAX_PROBLEMS - len(self.problems)
        self.problems += [
            {
                "page": page.number,
                "row": problem.row,
                "what": what,
                "value": problem.value,
                "reason": problem.reason,
            }
            for problem in problems[:room]
        ]


def _of_sweep(sweep: Sweep) -> dict[str, Any]:
    """Return the metadata about a sweep as a whole, with all of its runs."""
    return {
        "outcome": sweep.outcome.value,
        "finished": sweep.finished_at is not None,
        "distinct_companies": sweep.seen,
        **({} if sweep.total is None else {"total": sweep.total}),
        **({} if sweep.total is None or sweep.finished_at is None else {"missing": sweep.missing}),
        "source": sweep.source,
        "sweep_id": sweep.id,
    }
