"""The throttle of a site. All runs on all machines share one throttle for each host; its state is in Redis.

- **Rate.** Requests to a site are at least an interval apart. A run asks for a turn, sends its request, and then
  reports when the request really left (`report_sent`). The interval before the next turn begins at that moment.
  Otherwise a slow browser could send two requests at almost the same time.
- **Single requests first.** Runs of single requests, for which a user waits, have a queue of their own. Bulk work gets
  no turn while this queue is not empty.
- **Retry-After.** After a 429 no run sends requests for as long as the header says (30 seconds without the header).
- **Circuit breaker.** After several companies in a row were answered with a challenge (or 429, 401, 403), the site is
  paused. When the pause ends, one run sends one request, the probe. If it succeeds, all runs continue; if not, the site
  is paused again.

Lua scripts inside Redis make all decisions, by Redis's own clock. So the clocks of the machines may differ.
"""

import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from redis import Redis

from pipeline.extract.robots import Robots
from pipeline.settings import PipelineSettings
from telemetry.tallies import SITE_REQUESTS, field_of
from warehouse.config.lua import load_script
from warehouse.contract import COUNTERS_KEY, PAUSES_KEY, RunKind

_LUA = Path(__file__).parent / "lua"
_REQUEST_TURN = load_script(_LUA, "request_turn")
_REPORT_SENT = load_script(_LUA, "report_sent")
_CHARGE_REQUESTS = load_script(_LUA, "charge_requests")
_REPORT_RESULT = load_script(_LUA, "report_result")

_MAX_HOLD = timedelta(seconds=5)
"""How long other runs wait for a run that has a turn and does not report its request. It may have died."""
_INTERVAL_MARGIN = 1.05
"""The interval is multiplied by this, because network jitter can bring two requests closer together."""
_DEFAULT_RETRY_AFTER = timedelta(seconds=30)
"""The pause after a 429 without a Retry-After header."""
_MAX_PAUSE = timedelta(hours=6)
_POLL_SECONDS, _PAUSED_POLL_SECONDS = 0.05, 0.5
"""How often a run that waits out a pause asks again: the pause ends early if the probe of another run succeeds."""


class RequestResult(StrEnum):
    """What a request says about the site's willingness to serve us."""

    WELL = "well"
    """The site answered, with whatever content."""
    BLOCKED = "blocked"
    """The site refused us: a challenge, or status 401, 403 or 429."""
    UNKNOWN = "unknown"
    """The request says nothing: a server error, or no answer."""


@dataclass(frozen=True)
class Turn:
    """Permission to send one request to the site now.

    The run that gets a turn calls `SiteThrottle.report_sent` when the request has left, and
    `SiteThrottle.report_result` when it is answered. `is_probe` marks the first request after a pause of the circuit
    breaker. Its result decides for all runs whether they continue or the site is paused again.
    """

    is_probe: bool = False


@dataclass(frozen=True)
class Wait:
    """No turn yet, because another run has just sent a request or is next. Ask again after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Paused:
    """No turns for any run until `until`. Ask again then, or earlier, because a successful probe ends the pause."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class ForbiddenByRobots:
    """The site's robots.txt disallows this URL. Do not ask again for it."""

    reason: str


class SiteThrottle:
    """One run's access to the throttle. The run asks for a turn before each request, and reports after it.

    answer = throttle.request_turn(url)      # Turn, Wait, Paused or ForbiddenByRobots
    ...                                      # with a Turn: send the request
    throttle.report_sent(url)
    throttle.report_result(url, idno, RequestResult.WELL, turn=answer)
    """

    def __init__(self, redis: Redis, settings: PipelineSettings, *, kind: RunKind) -> None:
        self._redis, self._settings, self._kind = redis, settings, kind
        self._id = uuid4().hex
        self._robots = Robots(redis, user_agent=settings.user_agent)
        self._request_turn, self._report_sent, self._charge_requests, self._report_result = (
            redis.register_script(script)
            for script in (_REQUEST_TURN, _REPORT_SENT, _CHARGE_REQUESTS, _REPORT_RESULT)
        )

    def request_turn(self, url: str) -> Turn | Wait | Paused | ForbiddenByRobots:
        """Ask for a turn to fetch `url`. If Redis has no current robots.txt of the host, fetch it first.

        After a `Turn` the caller must call `report_sent`, then `report_result`.
        """
        host = urlsplit(url).netloc
        if not self._robots.load(host):
            turn = self._turn_for(host, interval_ms=self._interval_ms(0))
            if not isinstance(turn, Turn):
                return turn
            self._robots.fetch(url)
            self.report_sent(url)
        if reason := self._robots.failure_reason(host):
            return Paused(datetime.now(UTC) + self._robots.FAILURE_TTL, reason)
        if not self._robots.allows(url):
            return ForbiddenByRobots(f"robots.txt of {host} disallows {urlsplit(url).path}")
        return self._turn_for(host, interval_ms=self._interval_of(host))

    def current_pause(self, url: str) -> Paused | None:
        """Return the current pause of the site of `url`, or None. This does not ask for a turn."""
        keys = _keys(urlsplit(url).netloc)
        until, reason = self._redis.hmget(keys["breaker"], ["until", "reason"])
        if until is None or float(until) / 1000 <= time.time():
            return None
        return _paused(until, reason)

    def report_sent(self, url: str, *, seconds_ago: float = 0) -> None:
        """Report that the request of a turn left `seconds_ago`. The next turn comes one interval after that moment."""
        host = urlsplit(url).netloc
        self._count(1)
        if interval_ms := self._interval_of(host):
            keys = _keys(host)
            age_ms = round(max(0, seconds_ago) * 1000)
            self._report_sent(keys=[keys["turn"], keys["holder"]], args=[self._id, age_ms, interval_ms])

    def charge_requests(self, url: str, requests: int) -> None:
        """Delay the next turn by `requests` intervals, because redirects caused that many requests without a turn."""
        host = urlsplit(url).netloc
        self._count(requests)
        if interval_ms := self._interval_of(host):
            self._charge_requests(keys=[_keys(host)["turn"]], args=[interval_ms * requests])

    def report_result(
        self,
        url: str,
        subject: str,
        result: RequestResult,
        *,
        turn: Turn,
        retry_after: str | None = None,
        rate_limited: bool = False,
    ) -> None:
        """Report the result of a request; this may pause the site, or end its pause.

        Args:
            url: The URL that was fetched.
            subject: What was fetched: a company's IDNO, or a path. The breaker counts each subject once.
            result: Whether the site served us.
            turn: The turn that the request had.
            retry_after: The value of the answer's Retry-After header.
            rate_limited: Whether the answer had status 429; then the site is paused for the time in `retry_after`.
        """
        host, wait = urlsplit(url).netloc, timedelta(0)
        if rate_limited:
            wait = min(parse_retry_after(retry_after) or _DEFAULT_RETRY_AFTER, _MAX_PAUSE)
        keys, settings = _keys(host), self._settings
        self._report_result(
            keys=[keys["breaker"], keys["blocked"], PAUSES_KEY],
            args=[
                *(result, subject, int(turn.is_probe), settings.breaker_challenges),
                *(round(settings.breaker_seconds * 1000), _milliseconds(_MAX_PAUSE), _milliseconds(wait)),
                *(host, _pause_reason(subject, rate_limited=rate_limited, is_probe=turn.is_probe)),
            ],
        )

    def _count(self, requests: int) -> None:
        self._redis.hincrby(COUNTERS_KEY, field_of(SITE_REQUESTS.name), requests)

    def _turn_for(self, host: str, *, interval_ms: float) -> Turn | Wait | Paused:
        keys = _keys(host)
        probe_ms = _milliseconds(timedelta(seconds=self._settings.visit_timeout_seconds + 30))
        answer: list[Any] = self._request_turn(
            keys=[keys["turn"], keys["people"], keys["breaker"], keys["holder"]],
            args=[
                *(self._id, int(self._kind is RunKind.PERSON)),
                *(_milliseconds(_MAX_HOLD), interval_ms, probe_ms),
            ],
        )
        match answer[0]:
            case "turn":
                return Turn(is_probe=bool(answer[1]))
            case "wait":
                return Wait(int(answer[1]) / 1000)
        return _paused(answer[1], answer[2])

    def _interval_of(self, host: str) -> float:
        return self._interval_ms(self._robots.delay_seconds(host))

    def _interval_ms(self, delay_seconds: float) -> float:
        rate = self._settings.site_rate
        return round(max(1 / rate if rate else 0, delay_seconds) * 1000 * _INTERVAL_MARGIN, 3)


def parse_retry_after(text: str | None) -> timedelta | None:
    """Return how long a Retry-After header says to wait, as seconds or date (RFC 9110, 10.2.3); None if malformed."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return timedelta(seconds=int(text))
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(then - datetime.now(UTC), timedelta(0))


def wait_for_turn(
    throttle: SiteThrottle, url: str, *, max_pause: timedelta
) -> Turn | Paused | ForbiddenByRobots:
    """Wait for a turn to fetch `url`, during pauses too. If a pause is longer than `max_pause`, return it instead."""
    while True:
        answer = throttle.request_turn(url)
        if isinstance(answer, Wait):
            time.sleep(answer.seconds)
        elif isinstance(answer, Paused) and answer.until - datetime.now(UTC) <= max_pause:
            left = (answer.until - datetime.now(UTC)).total_seconds()
            time.sleep(min(max(_POLL_SECONDS, left), _PAUSED_POLL_SECONDS))
        else:
            return answer


def current_pauses(redis: Redis) -> dict[str, Paused]:
    """Return the pause of each paused host. Some of these pauses may have expired."""
    stored: dict[str, str] = redis.hgetall(PAUSES_KEY)  # type: ignore[assignment]
    entries = {host: json.loads(text) for host, text in stored.items()}
    return {
        host: Paused(datetime.fromtimestamp(entry["until"], UTC), entry["reason"])
        for host, entry in entries.items()
    }


def _paused(until_ms: object, reason: object) -> Paused:
    return Paused(datetime.fromtimestamp(float(str(until_ms)) / 1000, UTC), str(reason))


def _keys(host: str) -> dict[str, str]:
    """Return the Redis keys (state database) of a host."""
    return {name: f"site:{host}:{name}" for name in ("turn", "holder", "people", "breaker", "blocked")}


def _pause_reason(subject: str, *, rate_limited: bool, is_probe: bool) -> str:
    what = "the site answered 429 (too many requests)" if rate_limited else "the site answers with challenges"
    return f"{what}, last for {subject}" + (", the probe" if is_probe else "")


def _milliseconds(duration: timedelta) -> int:
    return math.ceil(duration.total_seconds() * 1000)
