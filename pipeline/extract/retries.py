"""Which visits are retried, and after how long."""

import random
from datetime import timedelta

from pipeline.extract.page_verdict import PageVerdict
from pipeline.extract.site_throttle import RequestResult, parse_retry_after
from warehouse.contract import Outcome

TRANSIENT = frozenset({Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.NETWORK_ERROR, Outcome.BROWSER_ERROR})
"""Outcomes after which a visit is retried. A visit answered with 429 is retried too. After `not_found` or a challenge,
the same run never visits the company again."""
_MAX_DELAY_SECONDS = 60.0


def is_transient(verdict: PageVerdict) -> bool:
    """Return whether another visit may have another outcome."""
    return verdict.outcome in TRANSIENT or verdict.rate_limited


def retry_delay(verdict: PageVerdict, *, attempt: int, base_seconds: float) -> timedelta:
    """Return the delay after attempt number `attempt`: exponential, with jitter, but at least Retry-After."""
    # Jitter, so that visits which failed together are not retried together.
    seconds = min(base_seconds * 2 ** (attempt - 1), _MAX_DELAY_SECONDS) * random.uniform(0.5, 1.5)  # noqa: S311
    return max(timedelta(seconds=seconds), parse_retry_after(verdict.retry_after) or timedelta(0))


def request_result(verdict: PageVerdict) -> RequestResult:
    """Return what a visit's verdict means for the throttle."""
    if verdict.outcome is Outcome.BLOCKED:
        return RequestResult.BLOCKED
    return RequestResult.UNKNOWN if verdict.outcome in TRANSIENT else RequestResult.WELL
