"""HTTP requests without a browser, for lists that a site serves as JSON. They use the same throttle as visits."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from pipeline.extract.site_throttle import (
    ForbiddenByRobots,
    Paused,
    RequestResult,
    SiteThrottle,
    Turn,
    parse_retry_after,
    wait_for_turn,
)
from pipeline.settings import PipelineSettings

_TIMEOUT_SECONDS = 60
_REFUSAL_STATUSES = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS)


class SitePaused(RuntimeError):
    """The site is paused until `until`, and the pause is longer than a run may wait."""

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(f"the site is paused until {until.isoformat(timespec='seconds')}: {reason}")
        self.until, self.reason = until, reason


class DisallowedByRobots(RuntimeError):
    """The site's robots.txt disallows the URL."""


class FetchFailed(RuntimeError):
    """Every attempt failed: no answer, or one with status 401, 403, 429 or 5xx."""


class DirectClient:
    """Fetches URLs one after another, each with a turn from the throttle."""

    def __init__(self, http: httpx.Client, settings: PipelineSettings, throttle: SiteThrottle) -> None:
        self._http, self._settings, self._throttle = http, settings, throttle

    def get(self, url: str) -> httpx.Response:
        """Wait for a turn and fetch `url`; retry transient failures.

        Returns an answer with any status but 401, 403, 429 and 5xx, which count as failures.
        Raises SitePaused, DisallowedByRobots, or FetchFailed after the last attempt.
        """
        failure = ""
        for attempt in range(1, self._settings.visit_attempts + 1):
            answer = self._fetch(url, self._turn_for(url))
            if isinstance(answer, httpx.Response):
                if answer.status_code not in _REFUSAL_STATUSES and not answer.is_server_error:
                    return answer
                failure = f"{url} was answered with status {answer.status_code}"
                retry_after = parse_retry_after(answer.headers.get("Retry-After"))
            else:
                failure, retry_after = f"{url}: {answer}", None
            if attempt < self._settings.visit_attempts:
                self._sleep_before_retry(attempt, retry_after)
        raise FetchFailed(failure)

    def _turn_for(self, url: str) -> Turn:
        answer = wait_for_turn(
            self._throttle, url, max_pause=timedelta(seconds=self._settings.longest_wait_seconds)
        )
        if isinstance(answer, ForbiddenByRobots):
            raise DisallowedByRobots(answer.reason)
        if isinstance(answer, Paused):
            raise SitePaused(answer.until, answer.reason)
        return answer

    def _fetch(self, url: str, turn: Turn) -> httpx.Response | str:
        """Return the answer, or the error's text if there is no answer. Report the result to the throttle."""
        sent_at = time.monotonic()
        try:
            answer: httpx.Response | str = self._http.get(url)
        except httpx.HTTPError as error:
            answer = f"{type(error).__name__}: {error}"
        self._throttle.report_sent(url, seconds_ago=time.monotonic() - sent_at)
        is_answer = isinstance(answer, httpx.Response)
        status = answer.status_code if isinstance(answer, httpx.Response) else 0
        result = (
            RequestResult.BLOCKED
            if status in _REFUSAL_STATUSES
            else RequestResult.WELL
            if 0 < status < 500
            else RequestResult.UNKNOWN
        )
        self._throttle.report_result(
            url,
            urlsplit(url).path,
            result,
            turn=turn,
            retry_after=answer.headers.get("Retry-After") if is_answer else None,  # type: ignore[union-attr]
            rate_limited=status == httpx.codes.TOO_MANY_REQUESTS,
        )
        return answer

    def _sleep_before_retry(self, attempt: int, retry_after: timedelta | None) -> None:
        seconds = self._settings.retry_seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        longest = self._settings.longest_wait_seconds
        time.sleep(min(max(seconds, retry_after.total_seconds() if retry_after else 0), longest))


@contextmanager
def direct_client(settings: PipelineSettings, throttle: SiteThrottle) -> Iterator[DirectClient]:
    """Yield a client that sends our User-Agent and obeys the throttle."""
    options: dict[str, Any] = {"follow_redirects": True, "timeout": _TIMEOUT_SECONDS, "trust_env": False}
    with httpx.Client(headers={"User-Agent": settings.user_agent}, **options) as http:
        yield DirectClient(http, settings, throttle)
