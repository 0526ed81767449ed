"""What this process of the API counts itself."""

from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

from api.metrics.workers import share_counts

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""From an answer out of the cache to the longest wait."""
_SUM_OF_LIVE: Final = "livesum"


class ProcessMetrics:
    """Every count of this process, and of the workers beside it."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # when each was counted first: as many series again
        self._folder: Path | None = share_counts()
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Counter(
            "registru_http_requests",
            "Answers, by the route's template, method and status.",
            ["route", "method", "status"],
            registry=registry,
        )
        self.durations = Histogram(
            "registru_http_request_duration_seconds",
            "Seconds until an answer began; kind: plain, wait (asked to wait for an end), stream.",
            ["route", "method", "kind"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "registru_http_requests_in_flight",
            "Requests that are being answered.",
            multiprocess_mode=_SUM_OF_LIVE,
            registry=registry,
        )
        self.answers = Counter(
            "registru_scrape_answers",
            "How requests for a company were answered: cached (Redis), stored (a fresh record in PostgreSQL), "
            "launched, joined, unavailable.",
            ["answer"],
            registry=registry,
        )
        self.answered_from_cache = self.answers.labels("cached")
        self.batch_items = Counter(
            "registru_batch_items", "Items of batches, by verdict.", ["verdict"], registry=registry
        )
        self.ended = Counter(
            "registru_scrapes_ended", "Scrapes that ended, by state.", ["state"], registry=registry
        )
        self.security = Counter(
            "registru_security_events",
            "Security events as in the audit log, every one of them.",
            ["event"],
            registry=registry,
        )
        self.refused = Counter(
            "registru_limits_refused", "Requests that came too often, by what.", ["limit"], registry=registry
        )
        self.pool_used = Gauge(
            "registru_db_pool_connections_in_use",
            "Connections to PostgreSQL that requests hold, by database.",
            ["database"],
            multiprocess_mode=_SUM_OF_LIVE,
            registry=registry,
        )
        self.pool_most = Gauge(
            "registru_db_pool_connections_most",
            "Connections to PostgreSQL that may be held, by database.",
            ["database"],
            multiprocess_mode=_SUM_OF_LIVE,
            registry=registry,
        )

    def all_workers(self) -> CollectorRegistry:
        """Return a registry, to be added to, that shows what all workers counted."""
        shown = CollectorRegistry()
        if self._folder is not None:
            MultiProcessCollector(shown, str(self._folder))  # type: ignore[no-untyped-call]
        else:
            shown.register(self._registry)
        return shown


@cache
def process_metrics() -> ProcessMetrics:
    """This process's counts, made when they are first needed."""
    return ProcessMetrics()
