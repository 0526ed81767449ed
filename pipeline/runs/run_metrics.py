"""Metrics, log lines and spans of a run's work."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from pipeline.extract.crawl import Attempt
from pipeline.records.record_updates import Transformation, TransformResult
from pipeline.settings import PipelineSettings
from pipeline.transform import version
from telemetry import tallies as metrics
from telemetry import traces
from telemetry.tallies import Tallies

logger = logging.getLogger(__name__)

_RESULT_LABELS = {
    TransformResult.TRANSFORMED: metrics.TRANSFORMED,
    TransformResult.NOT_TRANSFORMED: metrics.NOT_TRANSFORMED,
    TransformResult.NEWER_IS_CURRENT: metrics.OLDER,
}
"""The label for each result in the counter of transformations. A company without a good capture is not counted."""


def report_settings(tallies: Tallies, settings: PipelineSettings) -> None:
    """Set the gauges that show the settings of runs."""
    tallies.set_level(metrics.SITE_RATE, settings.site_rate)
    tallies.set_level(metrics.WARM_BROWSERS, settings.warm_browsers if settings.browser_lender else 0)
    tallies.set_level(metrics.TRANSFORM_VERSION, version.TRANSFORM_VERSION)


def report_visit(tallies: Tallies, attempt: Attempt) -> None:
    """Count a finished visit, log it and record its span."""
    capture = attempt.capture
    tallies.count(metrics.VISITS, capture.outcome)
    tallies.observe(metrics.VISIT_SECONDS, capture.duration_ms / 1000)
    if attempt.turn_wait is not None:
        tallies.observe(metrics.TURN_SECONDS, attempt.turn_wait.total_seconds())
    if attempt.retry_in is not None:
        tallies.count(metrics.RETRIES)
    about = {"idno": capture.idno, "attempt": capture.attempt, "outcome": capture.outcome}
    duration = timedelta(milliseconds=capture.duration_ms)
    traces.record_span(
        "visit", started_at=capture.fetched_at, duration=duration, **about, status_code=capture.status_code
    )
    logger.info(
        "visited",
        extra={
            **about,
            "capture_id": capture.capture_id,
            "status_code": capture.status_code,
            "duration_ms": capture.duration_ms,
            "waited_ms": _milliseconds(attempt.turn_wait),
            "retry_in_ms": _milliseconds(attempt.retry_in),
            "error": capture.error,
        },
    )


def count_transformations(tallies: Tallies, results: Iterable[Transformation]) -> None:
    """Count attempts to transform captures, by result."""
    for done in results:
        if (label := _RESULT_LABELS.get(done.result)) is not None:
            tallies.count(metrics.TRANSFORMATIONS, label)


def _milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds() * 1000)
