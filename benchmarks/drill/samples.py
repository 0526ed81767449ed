"""What clients saw: one sample a request, and what many of them come to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

LONG_SECONDS = 10.0
"""Who waits longer than this has been kept waiting, whatever came then."""


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
    FETCHED = "company, asked to end"
    """No request: all of them that it takes until the company has ended in its right state."""


class SeenSamples(StrEnum):
    """How a request went."""

    OK = "ok"
    UNAVAILABLE = "503"
    """An honest refusal: 503 that says when to come again."""
    CUT = "cut"
    """Refused, or closed before there was an answer; or Dagster's web UI says that this happened to its query."""
    WRONG = "wrong"
    """Any other answer than is right: nothing that a client should ever see."""
    SILENT = "silent"
    """No answer in a minute."""


@dataclass(frozen=True)
class Sample:
    """One request: when it was sent (by the monotonic clock), how long it took, and how it went."""

    kind: SampleKind
    begun: float
    seconds: float
    seen: SeenSamples
    said: str = ""

    @property
    def ended(self) -> float:
        """When it was over."""
        return self.begun + self.seconds

    @property
    def is_usual(self) -> bool:
        """Whether it went as on any other day."""
        long = self.seconds > LONG_SECONDS and self.kind is not SampleKind.FETCHED
        return self.seen is SeenSamples.OK and not long


@dataclass(frozen=True)
class SampleTally:
    """What many requests of one kind came to."""

    kind: str
    counts: dict[SeenSamples, int]
    over_long: int
    p50_ms: float
    longest_seconds: float

    @classmethod
    def of(cls, kind: str, samples: Sequence[Sample]) -> "SampleTally":
        """Count samples, of which there is at least one."""
        return cls(
            kind=kind,
            counts={seen: sum(each.seen is seen for each in samples) for seen in SeenSamples},
            over_long=sum(each.seconds > LONG_SECONDS for each in samples),
            p50_ms=round(median(each.seconds for each in samples) * 1000, 1),
            longest_seconds=round(max(each.seconds for each in samples), 2),
        )

    @property
    def is_usual(self) -> bool:
        """Whether nobody was refused, or kept waiting."""
        return self.over_long == 0 and sum(self.counts.values()) == self.counts[SeenSamples.OK]


def tallies(samples: Iterable[Sample]) -> list[SampleTally]:
    """Count samples by kind."""
    found = list(samples)
    by_kind = {kind: [each for each in found if each.kind is kind] for kind in SampleKind}
    return [SampleTally.of(kind, each) for kind, each in by_kind.items() if each]


def recovered_at(samples: Sequence[Sample], *, since: float) -> float | None:
    """Return when all kinds of requests were answered as usual again; None as long as one is not.

    A kind is well when, after its last request that was not, one that was sent later went as usual. `since` is
    when the trouble ended: nobody is well before, and a company has to have been fetched from then on.
    """
    times = [since]
    for kind in SampleKind:
        own = [each for each in samples if each.kind is kind]
        bad = [each.ended for each in own if not each.is_usual]
        if not bad and kind is not SampleKind.FETCHED:
            continue
        after = max([*bad, since if kind is SampleKind.FETCHED else 0.0])
        well = [each.ended for each in own if each.is_usual and each.begun >= after]
        if not well:
            return None
        if bad:
            times.append(min(well))
    return max(times)
