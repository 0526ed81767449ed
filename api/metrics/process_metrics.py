"""Metrics that the API's own processes count."""

from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

from api.metrics.workers import share_counts

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Upper bounds of the buckets for durations, from that of a response from the cache to the longest `wait`."""
_SUM_OF_LIVE: Final = "livesum"


class ProcessMetrics:
    """The metrics of this process; if there are several workers, they share one set of files."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # they would double the number of series
        self._folder: Path | None = share_counts()
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Counter(
            "registru_http_requests",
            "Responses by route template, method and status.",
            ["route", "method", "status"],
            registry=registry,
        )
        self.durations = Histogram(
            "registru_http_request_duration_seconds",
            "Seconds until the response began; kind: plain, wait (the request waits for a scrape to end), stream.",
            ["route", "method", "kind"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "registru_http_requests_in_flight",
            "Requests in progress.",
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
            "registru_batch_items", "Items of batches by verdict.", ["verdict"], registry=registry
        )
        self.ended = Counter(
            "registru_scrapes_ended", "Ended scrapes by state.", ["state"], registry=registry
        )
        self.security_events = Counter(
            "registru_security_events",
            "Security events; unlike the audit log, this counts repeated ones too.",
            ["event"],
            registry=registry,
        )
        self.limit_refusals = Counter(
            "registru_limits_refused",
            "Requests refused by a rate limit, by limit.",
            ["limit"],
            registry=registry,
        )
        self.pool_in_use = Gauge(
            "registru_db_pool_connections_in_use",
            "Pooled PostgreSQL connections in use, by database.",
            ["database"],
            multiprocess_mode=_SUM_OF_LIVE,
            registry=registry,
        )
        self.pool_size = Gauge(
            "registru_db_pool_connections_most",
            "Size of the pool of PostgreSQL connections, by database.",
            ["database"],
            multiprocess_mode=_SUM_OF_LIVE,
            registry=registry,
        )

    def all_workers(self) -> CollectorRegistry:
        """Return a new registry that contains the metrics of all workers; the caller may add collectors."""
        registry = CollectorRegistry()
        if self._folder is not None:
            MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        else:
            registry.register(self._registry)
        return registry


@cache
def process_metrics() -> ProcessMetrics:
    """Return the metrics of this process; the first call creates them."""
    return ProcessMetrics()
