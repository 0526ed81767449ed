"""The summary of a sweep, which Dagster shows next to the materialization of `tracked_companies`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.defs.ops.visit_summary import table
from pipeline.extract.direct_client import SitePaused
from pipeline.register.listing import RowProblem, SweepPage
from pipeline.register.sweeps import Sweep

_MAX_PROBLEMS = 200
"""The maximum number of problems to show. The counts include all problems."""


@dataclass
class SweepSummary:
    """Counts of one run's share of a sweep. A sweep may take several runs."""

    sweep: Sweep | None = None
    pages: int = 0
    seen: int = 0
    added: int = 0
    rejected: int = 0
    unreadable: int = 0
    total: int | None = None
    next_page: int = 0
    is_finished: bool = False
    paused_until: datetime | None = None
    pause_reason: str = ""
    unknown_fields: set[str] = field(default_factory=set)
    missing_fields: set[str] = field(default_factory=set)
    problems: list[dict[str, str | int]] = field(default_factory=list)

    def begin(self, sweep: Sweep) -> None:
        """Set the sweep that the run starts or continues, and the page at which the run begins."""
        self.sweep, self.next_page = sweep, sweep.next_page

    def add(self, page: SweepPage, added: int) -> str:
        """Count a page that has been stored, with `added` new companies. Return the line to log."""
        parsed = page.parsed
        self.pages, self.next_page, self.is_finished = self.pages + 1, page.number + 1, page.is_last
        self.seen, self.added = self.seen + len(parsed.companies), self.added + added
        self.rejected += len(parsed.rejected)
        self.unreadable += len(parsed.unreadable)
        self.total = self.total if parsed.total is None else parsed.total
        self.unknown_fields |= parsed.unknown_fields
        self.missing_fields |= parsed.missing_fields
        self._add_problems(page, parsed.rejected, "row rejected")
        self._add_problems(page, parsed.unreadable, "value unreadable")
        of_total = "" if self.total is None else f" of {-(-self.total // page.size)}"
        return (
            f"page {page.number + 1}{of_total}: {len(parsed.companies)} companies, {added} new,"
            f" {len(parsed.rejected)} rows rejected"
        )

    def pause(self, paused: SitePaused) -> None:
        """Note that this run stopped before the end of the list, because the site is paused."""
        self.paused_until, self.pause_reason = paused.until, paused.reason

    def shortfall(self) -> str | None:
        """Return a warning if the finished sweep saw fewer companies than the list states. Otherwise return None."""
        seen = self.seen + (self.sweep.seen if self.sweep else 0)
        if not self.is_finished or self.total is None or seen >= self.total:
            return None
        return f"the list states that it has {self.total} companies, but its pages contained {seen}"

    def metadata(self) -> dict[str, Any]:
        """Return the metadata of the materialization."""
        return {
            "pages": self.pages,
            "seen": self.seen,
            "added": self.added,
            "refused": self.rejected,
            "values_not_read": self.unreadable,
            "next_page": self.next_page,
            "finished": self.is_finished,
            **({"source": self.sweep.source, "sweep_id": self.sweep.id} if self.sweep else {}),
            **({} if self.total is None else {"total": self.total}),
            **({"problems": table(self.problems)} if self.problems else {}),
            **({"unknown_fields": ", ".join(sorted(self.unknown_fields))} if self.unknown_fields else {}),
            **({"missing_fields": ", ".join(sorted(self.missing_fields))} if self.missing_fields else {}),
            **self._pause(),
        }

    def _pause(self) -> dict[str, Any]:
        if self.paused_until is None:
            return {}
        return {"paused_until": self.paused_until.isoformat(), "pause_reason": self.pause_reason}

    def _add_problems(self, page: SweepPage, problems: list[RowProblem], what: str) -> None:
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
