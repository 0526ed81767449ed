"""Requests without a browser, with the same manners: for lists that a site serves as JSON."""

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
_REFUSALS = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS)


class SitePaused(RuntimeError):
    """The site is to be left alone until `until`."""

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(f"the site is left alone until {until.isoformat(timespec='seconds')}: {reason}")
        self.until, self.reason = until, reason


class DisallowedByRobots(RuntimeError):
    """The site's robots.txt does not want the address to be fetched."""


class FetchFailed(RuntimeError):
    """No answer, or none that helps, after all attempts."""


class DirectClient:
    """Fetches addresses one after another."""

    def __init__(self, http: httpx.Client, settings: PipelineSettings, manners: SiteThrottle) -> None:
        self._http, self._settings, self._manners = http, settings, manners

    def get(self, url: str) -> httpx.Response:
        """Fetch `url` when its turn has come; what fails for a time is tried again.

        Raises SitePaused, DisallowedByRobots, FetchFailed. Answers with other statuses than 5xx are returned.
        """
        failure = ""
        for attempt in range(1, self._settings.visit_attempts + 1):
            answer = self._fetch(url, self._turn(url))
            if isinstance(answer, httpx.Response):
                if answer.status_code not in _REFUSALS and not answer.is_server_error:
                    return answer
                failure = f"{url} was answered with status {answer.status_code}"
                asked = parse_retry_after(answer.headers.get("Retry-After"))
            else:
                failure, asked = f"{url}: {answer}", None
            if attempt < self._settings.visit_attempts:
                self._rest(attempt, asked)
        raise FetchFailed(failure)

    def _turn(self, url: str) -> Turn:
        answer = wait_for_turn(
            self._manners, url, longest=timedelta(seconds=self._settings.longest_wait_seconds)
        )
        if isinstance(answer, ForbiddenByRobots):
            raise DisallowedByRobots(answer.reason)
        if isinstance(answer, Paused):
            raise SitePaused(answer.until, answer.reason)
        return answer

    def _fetch(self, url: str, turn: Turn) -> httpx.Response | str:
        """Return the answer, or what went wrong."""
        sent = time.monotonic()
        try:
            answer: httpx.Response | str = self._http.get(url)
        except httpx.HTTPError as error:
            answer = f"{type(error).__name__}: {error}"
        self._manners.sent(url, seconds_ago=time.monotonic() - sent)
        is_answer = isinstance(answer, httpx.Response)
        status = answer.status_code if isinstance(answer, httpx.Response) else 0
        went = (
            RequestResult.BLOCKED
            if status in _REFUSALS
            else RequestResult.WELL
            if 0 < status < 500
            else RequestResult.UNKNOWN
        )
        self._manners.answered(
            url,
            urlsplit(url).path,
            went,
            turn=turn,
            retry_after=answer.headers.get("Retry-After") if is_answer else None,  # type: ignore[union-attr]
            limited=status == httpx.codes.TOO_MANY_REQUESTS,
        )
        return answer

    def _rest(self, attempt: int, asked: timedelta | None) -> None:
        seconds = self._settings.retry_seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        longest = self._settings.longest_wait_seconds
        time.sleep(min(max(seconds, asked.total_seconds() if asked else 0), longest))


@contextmanager
def direct_client(settings: PipelineSettings, manners: SiteThrottle) -> Iterator[DirectClient]:
    """Yield a client that says who we are and stays within our manners."""
    options: dict[str, Any] = {"follow_redirects": True, "timeout": _TIMEOUT_SECONDS, "trust_env": False}
    with httpx.Client(headers={"User-Agent": settings.user_agent}, **options) as http:
        yield DirectClient(http, settings, manners)
