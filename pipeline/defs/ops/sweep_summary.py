"""What a sweep came to, page by page, as an analyst reads it beside the materialization."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.defs.ops.visit_summary import table
from pipeline.extract.direct_client import SitePaused
from pipeline.register.listing import RowProblem, SweepPage
from pipeline.register.sweeps import Sweep

_MOST_PROBLEMS = 200
"""That are shown; all are counted."""


@dataclass
class SweepSummary:
    """Counts of a run's part of a sweep."""

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
        """Take over where the sweep stands."""
        self.sweep, self.next_page = sweep, sweep.next_page

    def add(self, page: SweepPage, added: int) -> str:
        """Count a page that is stored; return what to log of it."""
        parsed = page.parsed
        self.pages, self.next_page, self.is_finished = self.pages + 1, page.number + 1, page.is_last
        self.seen, self.added = self.seen + len(parsed.companies), self.added + added
        self.rejected, self.unreadable = (
            self.rejected + len(parsed.rejected),
            self.unreadable + len(parsed.unreadable),
        )
        self.total = self.total if parsed.total is None else parsed.total
        self.unknown_fields |= parsed.unknown_fields
        self.missing_fields |= parsed.missing_fields
        self._note(page, parsed.rejected, "row not taken")
        self._note(page, parsed.unreadable, "value not taken")
        of_total = "" if self.total is None else f" of {-(-self.total // page.size)}"
        return (
            f"page {page.number + 1}{of_total}: {len(parsed.companies)} companies, {added} new,"
            f" {len(parsed.rejected)} rows not taken"
        )

    def pause(self, paused: SitePaused) -> None:
        """Note that the site is to be left alone."""
        self.paused_until, self.pause_reason = paused.until, paused.reason

    def shortfall(self) -> str | None:
        """Say so if the whole sweep is over, and has seen fewer companies than its list says that it holds."""
        seen = self.seen + (self.sweep.seen if self.sweep else 0)
        if not self.is_finished or self.total is None or seen >= self.total:
            return None
        return f"the list says that it holds {self.total} companies; {seen} were taken from its pages"

    def metadata(self) -> dict[str, Any]:
        """Describe it all."""
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

    def _note(self, page: SweepPage, problems: list[RowProblem], what: str) -> None:
        room = _MOST_PROBLEMS - len(self.problems)
        self.problems += [
            {"page": page.number, "row": each.row, "what": what, "value": each.value, "reason": each.reason}
            for each in problems[:room]
        ]
