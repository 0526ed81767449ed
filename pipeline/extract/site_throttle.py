"""Manners towards a site, one place for all runs and machines, kept in Redis.

- **Rate.** One request of ours after the other, at least an interval apart. Whoever has a turn holds the site until
  the moment their request was really sent is told (`sent`), so that a slow browser cannot bunch requests.
- **People first.** Those who wait for a person stand in a queue of their own; bulk work gets no turn while it is
  not empty.
- **Retry-After.** After a 429 the site is left alone for as long as it says.
- **Circuit breaker.** After several companies in a row were answered with a challenge (or 429, 401, 403), nobody
  asks for a while. Then one probe goes; whether it is answered well decides how it goes on.

Every decision is made by a script inside Redis, by Redis's own clock: machines need not agree on the time.
"""

import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from redis import Redis

from pipeline.extract.robots import Robots
from pipeline.settings import PipelineSettings
from telemetry.tallies import SITE_REQUESTS, field_of
from warehouse.contract import COUNTERS_KEY, PAUSES_KEY, RunKind

_HOLD = timedelta(seconds=5)
"""The longest that a turn is held by one who does not say that their request was sent (and may be dead)."""
_MARGIN = 1.05
"""Between sending and arriving, requests move closer together or apart."""
_LIMITED_WAIT = timedelta(seconds=30)
"""After a 429 that names no time."""
_LONGEST_PAUSE = timedelta(hours=6)
_POLL_SECONDS, _PAUSED_POLL_SECONDS = 0.05, 0.5
"""A pause may end sooner than it says: a probe that is under way ends it for all."""

# KEYS: next turn, queue of people, breaker, who holds the turn. ARGV: who asks, 1 for a person; milliseconds: to hold,
# interval, for a probe.
_ASK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local paused = tonumber(redis.call('HGET', KEYS[3], 'until') or '0')
if paused > now then return {'paused', paused, redis.call('HGET', KEYS[3], 'reason')} end
local open = redis.call('HGET', KEYS[3], 'open')
if open then
  local probe = tonumber(redis.call('HGET', KEYS[3], 'probe') or '0')
  if probe > now then return {'paused', probe, redis.call('HGET', KEYS[3], 'reason')} end
end
if tonumber(ARGV[4]) > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  local turn = tonumber(redis.call('GET', KEYS[1]) or '0')
  if turn > now then
    if ARGV[2] == '1' then
      redis.call('ZADD', KEYS[2], turn + 1000, ARGV[1])
      redis.call('PEXPIRE', KEYS[2], turn - now + 60000)
    end
    -- Whoever holds the turn may let go of it sooner.
    return {'wait', math.ceil(math.min(turn - now, tonumber(ARGV[4]) + 10))}
  end
  if ARGV[2] ~= '1' and redis.call('ZCARD', KEYS[2]) > 0 then return {'wait', 20} end
  redis.call('ZREM', KEYS[2], ARGV[1])
  local hold = math.max(tonumber(ARGV[3]), tonumber(ARGV[4]))
  redis.call('SET', KEYS[1], now + hold, 'PX', math.ceil(hold) + 60000)
  redis.call('SET', KEYS[4], ARGV[1], 'PX', math.ceil(hold) + 60000)
end
if open then redis.call('HSET', KEYS[3], 'probe', now + tonumber(ARGV[5])) end
return {'turn', open and 1 or 0}
"""
# KEYS: next turn, who holds the turn. ARGV: who tells; milliseconds: since it was sent, interval. Who holds the turn no
# longer (they were slow, and another has it) can only put the next one off.
_SENT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local turn = now - ARGV[2] + ARGV[3]
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
else
  turn = math.max(turn, tonumber(redis.call('GET', KEYS[1]) or '0'))
end
redis.call('SET', KEYS[1], turn, 'PX', math.ceil(ARGV[3]) + 60000)
"""
# KEYS: next turn. ARGV: milliseconds to put it off by.
_CHARGED = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + ARGV[1]
redis.call('SET', KEYS[1], turn, 'PX', math.ceil(turn - now) + 60000)
"""
# KEYS: breaker, the companies blocked, pauses. ARGV: how it went, company, 1 for the probe, most companies,
# milliseconds: pause, longest pause, Retry-After; the host, the reason.
_ANSWERED = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open, is_probe = redis.call('HGET', KEYS[1], 'open'), ARGV[3] == '1'
local function pause(milliseconds, opened)
  local paused = math.max(now + milliseconds, tonumber(redis.call('HGET', KEYS[1], 'until') or '0'))
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', paused), 'reason', ARGV[9])
  if opened then redis.call('HSET', KEYS[1], 'open', 1) end
  redis.call('HDEL', KEYS[1], 'probe')
  redis.call('HSET', KEYS[3], ARGV[8], cjson.encode({['until'] = paused / 1000, reason = ARGV[9]}))
end
if ARGV[1] == 'well' then
  redis.call('DEL', KEYS[2])
  if open and is_probe then
    redis.call('DEL', KEYS[1])
    redis.call('HDEL', KEYS[3], ARGV[8])
    return 'closed'
  end
  if not open and tonumber(redis.call('HGET', KEYS[1], 'until') or '0') <= now then
    redis.call('DEL', KEYS[1])
    redis.call('HDEL', KEYS[3], ARGV[8])
  end
  return ''
end
if ARGV[1] == 'blocked' then
  redis.call('SADD', KEYS[2], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
  if is_probe or (not open and redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[4])) then
    local times = redis.call('HINCRBY', KEYS[1], 'times', 1)
    pause(math.max(math.min(ARGV[5] * 2 ^ (times - 1), tonumber(ARGV[6])), tonumber(ARGV[7])), true)
    return 'opened'
  end
  if tonumber(ARGV[7]) > 0 then pause(tonumber(ARGV[7]), false) return 'paused' end
  return ''
end
if is_probe then pause(tonumber(ARGV[5]), true) return 'opened' end
return ''
"""


class RequestResult(StrEnum):
    """How a request went, as far as manners are concerned."""

    WELL = "well"
    """The site served us, whatever it served."""
    BLOCKED = "blocked"
    """It does not want us now."""
    UNKNOWN = "unknown"
    """Nothing can be said: an error, or no answer."""


@dataclass(frozen=True)
class Turn:
    """The site may be asked now, once. `is_probe`: the first time after a pause, by which all others go on."""

    is_probe: bool = False


@dataclass(frozen=True)
class Wait:
    """Ask again after this many seconds."""

    seconds: float


@dataclass(frozen=True)
class Paused:
    """The site is left alone until then, by everybody."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class ForbiddenByRobots:
    """The site's robots.txt does not want this page to be fetched."""

    reason: str


class SiteThrottle:
    """What one run has to ask before, and tell after, each request to a site."""

    def __init__(self, redis: Redis, settings: PipelineSettings, *, kind: RunKind) -> None:
        self._redis, self._settings, self._kind = redis, settings, kind
        self._id = uuid4().hex
        self._robots = Robots(redis, user_agent=settings.user_agent)
        self._ask, self._sent, self._charged, self._answered = (
            redis.register_script(script) for script in (_ASK, _SENT, _CHARGED, _ANSWERED)
        )

    def ask(self, url: str) -> Turn | Wait | Paused | ForbiddenByRobots:
        """Ask for a turn to fetch `url`. Whoever gets one has to tell `sent`, then `answered`."""
        host = urlsplit(url).netloc
        if not self._robots.is_known(host):
            turn = self._turn(host, interval_ms=self._interval_ms(0))
            if not isinstance(turn, Turn):
                return turn
            self._robots.learn(url)
            self.sent(url)
        if reason := self._robots.unreachable(host):
            return Paused(datetime.now(UTC) + self._robots.UNREACHABLE_FOR, reason)
        if not self._robots.allows(url):
            return ForbiddenByRobots(f"robots.txt of {host} does not want {urlsplit(url).path} to be fetched")
        return self._turn(host, interval_ms=self._interval_of(host))

    def pause_of(self, url: str) -> Paused | None:
        """Return the pause in force at the site of `url`, if any, without asking for a turn."""
        keys = _keys(urlsplit(url).netloc)
        until, reason = self._redis.hmget(keys["breaker"], ["until", "reason"])
        if until is None or float(until) / 1000 <= time.time():
            return None
        return _paused(until, reason)

    def sent(self, url: str, *, seconds_ago: float = 0) -> None:
        """Tell when the request that a turn was for was really sent."""
        host = urlsplit(url).netloc
        self._count(1)
        if interval_ms := self._interval_of(host):
            keys = _keys(host)
            age_ms = round(max(0, seconds_ago) * 1000)
            self._sent(keys=[keys["turn"], keys["holder"]], args=[self._id, age_ms, interval_ms])

    def charge(self, url: str, *, requests: int) -> None:
        """Tell of requests that were made without a turn: those that a redirect led to."""
        host = urlsplit(url).netloc
        self._count(requests)
        if interval_ms := self._interval_of(host):
            self._charged(keys=[_keys(host)["turn"]], args=[interval_ms * requests])

    def answered(
        self,
        url: str,
        idno: str,
        went: RequestResult,
        *,
        turn: Turn,
        retry_after: str | None = None,
        limited: bool = False,
    ) -> None:
        """Tell how a request went. `limited`: answered with 429; `retry_after`: the header of that name."""
        host, wait = urlsplit(url).netloc, timedelta(0)
        if limited:
            wait = min(parse_retry_after(retry_after) or _LIMITED_WAIT, _LONGEST_PAUSE)
        keys, settings = _keys(host), self._settings
        self._answered(
            keys=[keys["breaker"], keys["blocked"], PAUSES_KEY],
            args=[
                *(went, idno, int(turn.is_probe), settings.breaker_challenges),
                *(round(settings.breaker_seconds * 1000), _milliseconds(_LONGEST_PAUSE), _milliseconds(wait)),
                *(host, _reason(idno, limited=limited, is_probe=turn.is_probe)),
            ],
        )

    def _count(self, requests: int) -> None:
        self._redis.hincrby(COUNTERS_KEY, field_of(SITE_REQUESTS.name), requests)

    def _turn(self, host: str, *, interval_ms: float) -> Turn | Wait | Paused:
        keys = _keys(host)
        probe_ms = _milliseconds(timedelta(seconds=self._settings.visit_timeout_seconds + 30))
        answer: list[Any] = self._ask(
            keys=[keys["turn"], keys["people"], keys["breaker"], keys["holder"]],
            args=[
                *(self._id, int(self._kind is RunKind.PERSON)),
                *(_milliseconds(_HOLD), interval_ms, probe_ms),
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
        return round(max(1 / rate if rate else 0, delay_seconds) * 1000 * _MARGIN, 3)


def parse_retry_after(text: str | None) -> timedelta | None:
    """Read a Retry-After header: seconds, or an HTTP date (RFC 9110, 10.2.3); None where it is neither."""
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
    manners: SiteThrottle, url: str, *, longest: timedelta
) -> Turn | Paused | ForbiddenByRobots:
    """Wait until `url` may be fetched, or may not for longer than `longest`."""
    while True:
        answer = manners.ask(url)
        if isinstance(answer, Wait):
            time.sleep(answer.seconds)
        elif isinstance(answer, Paused) and answer.until - datetime.now(UTC) <= longest:
            left = (answer.until - datetime.now(UTC)).total_seconds()
            time.sleep(min(max(_POLL_SECONDS, left), _PAUSED_POLL_SECONDS))
        else:
            return answer


def pauses(redis: Redis) -> dict[str, Paused]:
    """Return the hosts that are left alone at this moment."""
    held: dict[str, str] = redis.hgetall(PAUSES_KEY)  # type: ignore[assignment]
    read = {host: json.loads(text) for host, text in held.items()}
    return {
        host: Paused(datetime.fromtimestamp(entry["until"], UTC), entry["reason"])
        for host, entry in read.items()
    }


def _paused(until_ms: object, reason: object) -> Paused:
    return Paused(datetime.fromtimestamp(float(str(until_ms)) / 1000, UTC), str(reason))


def _keys(host: str) -> dict[str, str]:
    """The Redis keys (state database) about a host."""
    return {name: f"site:{host}:{name}" for name in ("turn", "holder", "people", "breaker", "blocked")}


def _reason(idno: str, *, limited: bool, is_probe: bool) -> str:
    what = "the site answered 429 (too many requests)" if limited else "the site answers with challenges"
    return f"{what}, last for {idno}" + (", the probe" if is_probe else "")


def _milliseconds(duration: timedelta) -> int:
    return math.ceil(duration.total_seconds() * 1000)
