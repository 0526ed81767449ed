"""What is counted, logged and traced of a run's work."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from pipeline.extract.crawl import Attempt
from pipeline.records.record_updates import NEWER_IS_CURRENT, Transformation
from pipeline.records.record_updates import NOT_TRANSFORMED as WAS_NOT_TRANSFORMED
from pipeline.records.record_updates import TRANSFORMED as WAS_TRANSFORMED
from pipeline.settings import PipelineSettings
from pipeline.transform import version
from telemetry import traces
from telemetry.tallies import (
    NOT_TRANSFORMED,
    OLDER,
    RETRIES,
    SITE_RATE,
    TRANSFORMATIONS,
    TRANSFORMED,
    TURN_SECONDS,
    VISIT_SECONDS,
    VISITS,
    WARM_BROWSERS,
    Tallies,
)
from telemetry.tallies import TRANSFORM_VERSION as VERSION_LEVEL

logger = logging.getLogger(__name__)

_RESULTS = {WAS_TRANSFORMED: TRANSFORMED, WAS_NOT_TRANSFORMED: NOT_TRANSFORMED, NEWER_IS_CURRENT: OLDER}


def note_settings(tallies: Tallies, settings: PipelineSettings) -> None:
    """Say by which settings runs work."""
    tallies.set_level(SITE_RATE, settings.site_rate)
    tallies.set_level(WARM_BROWSERS, settings.warm_browsers if settings.browser_lender else 0)
    tallies.set_level(VERSION_LEVEL, version.TRANSFORM_VERSION)


def note_visit(tallies: Tallies, attempt: Attempt) -> None:
    """Count a visit that is over; one line in the log, one span."""
    capture = attempt.capture
    tallies.count(VISITS, capture.outcome)
    tallies.observe(VISIT_SECONDS, capture.duration_ms / 1000)
    if attempt.turn_wait is not None:
        tallies.observe(TURN_SECONDS, attempt.turn_wait.total_seconds())
    if attempt.retry_in is not None:
        tallies.count(RETRIES)
    about = {"idno": capture.idno, "attempt": capture.attempt, "outcome": capture.outcome}
    took = timedelta(milliseconds=capture.duration_ms)
    traces.record_span("visit", started_at=capture.fetched_at, duration=took, **about, status_code=capture.status_code)
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


def note_transformations(tallies: Tallies, results: Iterable[Transformation]) -> None:
    """Count captures that were to be made records."""
    for each in results:
        if (result := _RESULTS.get(each.result)) is not None:
            tallies.count(TRANSFORMATIONS, result)


def _milliseconds(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds() * 1000)
