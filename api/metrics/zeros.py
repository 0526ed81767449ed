"""Initializes counters at zero: Prometheus sees no increase in a series that appears only with its first event."""

from api.audit.events import Event
from api.batches.verdicts import ItemVerdict
from api.metrics.process_metrics import process_metrics
from api.scrape.states import OPEN_STATES, ScrapeState

_ANSWERS = ("cached", "stored", "launched", "joined", "unavailable")
_LIMITS = (
    "requests from this address",
    "requests of this user",
    "requests by this API key",
    "registrations from this address",
    "wrong passwords",
    "sign-ins",
)


def initialize_counters() -> None:
    """Create every counter series whose labels are known."""
    metrics = process_metrics()
    for counter, values in (
        (metrics.answers, _ANSWERS),
        (metrics.batch_items, tuple(ItemVerdict)),
        (metrics.ended, tuple(state for state in ScrapeState if state not in OPEN_STATES)),
        (metrics.security_events, tuple(Event)),
        (metrics.limit_refusals, _LIMITS),
    ):
        for value in values:
            counter.labels(value)
