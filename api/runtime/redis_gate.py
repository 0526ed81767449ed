"""The one round trip to Redis that a request costs: it is counted, and what is held for it comes back.

A script inside Redis counts the address, then the caller, and stops where there were too many. The caller is counted
only where the copies of session and account are there and trusted; otherwise whoever asked has to ask PostgreSQL first,
so that the token of a session that was ended uses up nobody's limit.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from limits import RateLimitItem
from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from api.runtime.rate_limits import LimitState, refuse
from api.runtime.redis_batching import BatchedRedis
from warehouse.config.redis_options import backoff

_SCRIPT = """
-- ARGV: how many items the first limit has, and the second; how many copies there are; the record's database (or '');
-- of each item its amount and its window in milliseconds. KEYS: of the items, of the copies, of the record if any.
local first, second, copies, database = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A sliding window out of two: what came in the one before counts as far as it reaches into the last window's length.
local function count(item)
  local amount, window = tonumber(ARGV[3 + 2 * item]), tonumber(ARGV[4 + 2 * item])
  local began, before, counted = string.match(redis.call('GET', KEYS[item]) or '', '^(%d+) (%d+) (%d+)$')
  began, before, counted = tonumber(began or now), tonumber(before or 0), tonumber(counted or 0)
  if now >= began + 2 * window then
    began, before, counted = now, 0, 0
  elseif now >= began + window then
    began, before, counted = began + window, counted, 0
  end
  local left = math.min(window, began + window - now)
  local allowed = math.floor(before * left / window) + counted < amount
  if allowed then
    counted = counted + 1
    local kept = string.format('%.0f %.0f %.0f', began, before, counted)
    redis.call('SET', KEYS[item], kept, 'PX', string.format('%.0f', left + window))
  end
  return allowed, {before, counted, left}
end

-- Returns the item of which there were too many, or 0, and where it stands; if 0, where the first one stands.
local function count_all(from, to)
  local shown
  for item = from, to do
    local allowed, state = count(item)
    if not allowed then return item, state end
    shown = shown or state
  end
  return 0, shown
end

local refused, of_first = count_all(1, first)
if refused > 0 then return {refused, of_first} end
local at = first + second
local held = copies > 0 and redis.call('MGET', unpack(KEYS, at + 1, at + copies)) or {}
local of_second = false
if second > 0 then
  for _, copy in ipairs(held) do
    if not copy or copy == '?' or copy == '-' then return {0, of_first, held} end
  end
  refused, of_second = count_all(first + 1, at)
  if refused > 0 then return {refused, of_second} end
end
local record = false
if database ~= '' then
  redis.call('SELECT', database)
  record = redis.call('GET', KEYS[at + copies + 1])
end
return {0, of_first, held, of_second, record}
"""
_TRIES_AGAIN = 7
"""In 3.5 s: by then a Redis that is being restarted is back, and nobody was refused."""
_SCRIPT_SHA1 = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
"""Its name in Redis."""


@dataclass(frozen=True)
class Limit:
    """How often something may be done: its parts (the shortest window first), by whom, and what it is called."""

    items: tuple[RateLimitItem, ...]
    about: str
    what: str


@dataclass(frozen=True)
class Admission:
    """What came of asking: where the limits stand, the copies that are held, the record if there is one."""

    limit: LimitState
    copies: Sequence[str | None] = ()
    then: LimitState | None = None
    """Where the second limit stands; None if that was not counted: a copy is missing or not to be trusted."""
    record: bytes | None = None


class RedisGate:
    """Asks Redis; the record's database is asked in the same round trip if it is on the same server."""

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        state_url: str,
        cache_url: str,
        state_login: Mapping[str, Any] | None = None,
        cache_login: Mapping[str, Any] | None = None,
    ) -> None:
        """`options` are those of Redis connections, the logins further ones of each."""
        retry = Retry(backoff(), _TRIES_AGAIN, (RedisConnectionError,))
        raw = {**options, "decode_responses": False, "socket_timeout": None, "retry": retry}
        self._state = BatchedRedis(Redis.from_url(state_url, **raw, **(state_login or {})))
        self._cache = BatchedRedis(Redis.from_url(cache_url, **raw, **(cache_login or {})))
        of_state, of_cache = parse_url(state_url), parse_url(cache_url)
        of_state.pop("db", None)
        database = of_cache.pop("db", 0)
        is_same = of_state == of_cache and _user(state_login) == _user(cache_login)
        self._cache_database = str(database) if is_same else None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._state.aclose()
        await self._cache.aclose()

    async def ask(
        self,
        limit: Limit,
        *,
        copies: Sequence[str] = (),
        then: Limit | None = None,
        record: str | None = None,
    ) -> Admission:
        """Count a request by `limit`, and by `then` if all `copies` are good.

        Raises TooManyRequests, RedisError, TimeoutError.
        """
        if record is None or self._cache_database is not None:
            return await self._ask(limit, copies, then, record)
        admission, held = await asyncio.gather(
            self._ask(limit, copies, then, None), self._cache.execute("GET", record)
        )
        was_counted = then is None or admission.then is not None
        return replace(admission, record=held if was_counted else None)

    async def _ask(
        self, limit: Limit, copies: Sequence[str], then: Limit | None, record: str | None
    ) -> Admission:
        limits = [(limit, item) for item in limit.items]
        if then is not None:
            limits += [(then, item) for item in then.items]
        keys = [f"count:{each.about}:{item.amount}/{item.get_expiry()}" for each, item in limits]
        keys += copies
        arguments: list[Any] = [len(limit.items), len(limits) - len(limit.items), len(copies)]
        if record is None:
            arguments.append("")
        else:
            keys.append(record)
            arguments.append(self._cache_database)
        for _, item in limits:
            arguments += (item.amount, item.get_expiry() * 1000)
        refused, of_first, *rest = await self._run(len(keys), *keys, *arguments)
        if refused:
            of, item = limits[refused - 1]
            refuse(_state(item, of_first), of.what)
        held, of_second, found = [*rest, None, None][:3]
        return Admission(
            _state(limit.items[0], of_first),
            [None if each is None else each.decode() for each in held],
            _state(then.items[0], of_second) if then is not None and of_second else None,
            found,
        )

    async def _run(self, *arguments: Any) -> Any:
        try:
            return await self._state.execute("EVALSHA", _SCRIPT_SHA1, *arguments)
        except NoScriptError:
            return await self._state.execute("EVAL", _SCRIPT, *arguments)


def _user(login: Mapping[str, Any] | None) -> Any:
    """Return who signs in, and by which password."""
    provider = (login or {}).get("credential_provider")
    return provider.get_credentials() if provider else None


def _state(item: RateLimitItem, counted: Sequence[int]) -> LimitState:
    before, now, left_ms = counted
    window = item.get_expiry()
    left = left_ms / 1000
    # When the next one is allowed again: as the window before fades, or at the end of this one.
    waits = [left % (window / before) if before else left, left if now else window]
    return LimitState(
        amount=item.amount,
        window_seconds=window,
        remaining=max(0, item.amount - int(before * left / window + now)),
        reset_seconds=ceil(min(waits)) if before or now else 0,
    )
