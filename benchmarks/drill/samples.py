"""Samples: the result and duration of each request of a client, and summaries of many samples."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

LONG_SECONDS = 10.0
"""A response that takes longer counts as slow, whatever its content."""


class SampleKind(StrEnum):
    """The kinds of requests."""

    CACHED = "cached record"
    SCRAPE = "new company"
    STATUS = "status"
    EVENTS = "events (SSE)"
    BATCH = "batch"
    BATCH_STATUS = "batch status"
    SIGN_IN = "sign-in"
    REFRESH = "token refresh"
    WEB_UI = "Dagster's web UI"
    HEALTH = "health"
    FETCHED = "company, end to end"
    """One sample for all requests together that a client needs until a company has its correct final state."""


class SampleResult(StrEnum):
    """The result of a request."""

    OK = "ok"
    UNAVAILABLE = "503"
    """Refused with status 503 and a Retry-After header."""
    CUT = "cut"
    """The connection was refused or was closed before a response; or Dagster's web UI lost its database connection."""
    WRONG = "wrong"
    """Any other incorrect response; a client should never get one."""
    SILENT = "silent"
    """No response within a minute."""


@dataclass(frozen=True)
class Sample:
    """One request: when it was sent (monotonic clock), its duration and its result."""

    kind: SampleKind
    begun: float
    seconds: float
    result: SampleResult
    detail: str = ""

    @property
    def ended(self) -> float:
        """When the request ended (monotonic clock)."""
        return self.begun + self.seconds

    @property
    def is_normal(self) -> bool:
        """Whether the request succeeded and was not slow (LONG_SECONDS)."""
        long = self.seconds > LONG_SECONDS and self.kind is not SampleKind.FETCHED
        return self.result is SampleResult.OK and not long


@dataclass(frozen=True)
class SampleTally:
    """Summary of many requests of one kind."""

    kind: str
    counts: dict[SampleResult, int]
    over_long: int
    p50_ms: float
    longest_seconds: float

    @classmethod
    def of(cls, kind: str, samples: Sequence[Sample]) -> "SampleTally":
        """Summarize samples; at least one is required."""
        return cls(
            kind=kind,
            counts={result: sum(each.result is result for each in samples) for result in SampleResult},
            over_long=sum(each.seconds > LONG_SECONDS for each in samples),
            p50_ms=round(median(each.seconds for each in samples) * 1000, 1),
            longest_seconds=round(max(each.seconds for each in samples), 2),
        )

    @property
    def is_normal(self) -> bool:
        """Whether all requests succeeded and none was slow."""
        return self.over_long == 0 and sum(self.counts.values()) == self.counts[SampleResult.OK]


def tallies(samples: Iterable[Sample]) -> list[SampleTally]:
    """Summarize samples by kind."""
    found = list(samples)
    by_kind = {kind: [each for each in found if each.kind is kind] for kind in SampleKind}
    return [SampleTally.of(kind, each) for kind, each in by_kind.items() if each]


def recovered_at(samples: Sequence[Sample], *, since: float) -> float | None:
    """Return when all kinds of requests had recovered; None if one kind has not. Times are of the monotonic clock.

    A kind has recovered when a request succeeds that was sent after the last failure of its kind. The fault
    ended at `since`: recovery is never earlier, and at least one company must have been requested and fetched later.
    """
    times = [since]
    for kind in SampleKind:
        own = [each for each in samples if each.kind is kind]
        bad = [each.ended for each in own if not each.is_normal]
        if not bad and kind is not SampleKind.FETCHED:
            continue
        after = max([*bad, since if kind is SampleKind.FETCHED else 0.0])
        well = [each.ended for each in own if each.is_normal and each.begun >= after]
        if not well:
            return None
        if bad:
            times.append(min(well))
    return max(times)
