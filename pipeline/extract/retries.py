"""Which visits are tried again, and when."""

import random
from datetime import timedelta

from pipeline.extract.page_verdict import PageVerdict
from pipeline.extract.site_throttle import RequestResult, parse_retry_after
from warehouse.contract import Outcome

TRANSIENT = frozenset({Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.NETWORK_ERROR, Outcome.BROWSER_ERROR})
"""May be otherwise a moment later; so may a 429. `not_found` and challenges are never tried again within a run."""
_LONGEST_SECONDS = 60.0


def is_transient(verdict: PageVerdict) -> bool:
    """Tell whether another visit may end otherwise."""
    return verdict.outcome in TRANSIENT or verdict.limited


def wait_before_retry(verdict: PageVerdict, *, attempt: int, base_seconds: float) -> timedelta:
    """Return how long to wait after attempt number `attempt`: doubled each time, jittered, never sooner than asked."""
    # Jitter, so that what failed together does not come back together.
    seconds = min(base_seconds * 2 ** (attempt - 1), _LONGEST_SECONDS) * random.uniform(0.5, 1.5)  # noqa: S311
    return max(timedelta(seconds=seconds), parse_retry_after(verdict.retry_after) or timedelta(0))


def how_it_went(verdict: PageVerdict) -> RequestResult:
    """Judge a visit as far as manners are concerned."""
    if verdict.outcome is Outcome.BLOCKED:
        return RequestResult.BLOCKED
    return RequestResult.UNKNOWN if verdict.outcome in TRANSIENT else RequestResult.WELL
