"""The one round trip to Redis that a request takes: the gate counts the request and fetches the cached rows for it.

A script inside Redis (`lua/admit.lua`) counts the request against the limit of the address, then that of the caller,
and stops at the first limit that is exceeded. The caller's limit is counted only if the copies of session and account
exist and are valid; otherwise PostgreSQL has to be read first. Therefore a token whose session has ended does not use
up its user's limit.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from limits import RateLimitItem
from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from api.runtime.rate_limits import LimitState, refuse
from api.runtime.redis_batching import BatchedRedis
from warehouse.config.lua import load_script
from warehouse.config.redis_options import backoff

_SCRIPT = load_script(Path(__file__).parent / "lua", "admit")
_SCRIPT_SHA1 = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
"""The hash by which Redis identifies the script."""
_RETRIES = 7
"""Number of retries. Together they take 3.5 s. By then a restarting Redis is back, so no request is refused."""


@dataclass(frozen=True)
class Limit:
    """A rate limit of one address, user or API key."""

    items: tuple[RateLimitItem, ...]
    """Amounts per window, the shortest window first. A request must satisfy all of them."""
    about: str
    """Whose requests are counted; part of the Redis key."""
    what: str
    """What is counted, for the error message and the metric."""


@dataclass(frozen=True)
class Admission:
    """The result for an admitted request: what is left of its limits, and the cached rows and record for it."""

    limit: LimitState
    copies: Sequence[str | None] = ()
    second_limit: LimitState | None = None
    """None if the second limit was not counted: a copy is missing or invalidated."""
    record: bytes | None = None


class RedisGate:
    """Counts and admits requests.

    If the cache is on the same server, the script reads the record too. Otherwise a second command, sent at the same
    time, reads it from the other server.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        state_url: str,
        cache_url: str,
        state_login: Mapping[str, Any] | None = None,
        cache_login: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare the connections; none is opened yet.

        Args:
            options: Options of both Redis connections.
            state_url: URL of the state database, which holds counts and copies.
            cache_url: URL of the cache database, which holds records.
            state_login: Further options that authenticate at the state database.
            cache_login: Further options that authenticate at the cache database.
        """
        retry = Retry(backoff(), _RETRIES, (RedisConnectionError,))
        raw = {**options, "decode_responses": False, "socket_timeout": None, "retry": retry}
        self._state = BatchedRedis(Redis.from_url(state_url, **raw, **(state_login or {})))
        self._cache = BatchedRedis(Redis.from_url(cache_url, **raw, **(cache_login or {})))
        state_server, cache_server = parse_url(state_url), parse_url(cache_url)
        state_server.pop("db", None)
        database = cache_server.pop("db", 0)
        is_same = state_server == cache_server and _credentials(state_login) == _credentials(cache_login)
        self._cache_database = str(database) if is_same else None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._state.aclose()
        await self._cache.aclose()

    async def admit(
        self,
        limit: Limit,
        *,
        copies: Sequence[str] = (),
        second_limit: Limit | None = None,
        record: str | None = None,
    ) -> Admission:
        """Count a request and return what Redis holds for it.

        Args:
            limit: The limit of the address, or of the caller if it is known; always counted.
            copies: Redis keys of cached rows to return.
            second_limit: The limit of the caller; counted only if all copies exist and are valid.
            record: Cache key of a record to return, if the request is admitted.

        Raises:
            TooManyRequests: The request exceeds a limit.
            RedisError, TimeoutError: Redis does not answer.
        """
        if record is None or self._cache_database is not None:
            return await self._run_script(limit, copies, second_limit, record)
        admission, content = await asyncio.gather(
            self._run_script(limit, copies, second_limit, None), self._cache.execute("GET", record)
        )
        was_counted = second_limit is None or admission.second_limit is not None
        return replace(admission, record=content if was_counted else None)

    async def _run_script(
        self, limit: Limit, copies: Sequence[str], second_limit: Limit | None, record: str | None
    ) -> Admission:
        limits = [(limit, item) for item in limit.items]
        if second_limit is not None:
            limits += [(second_limit, item) for item in second_limit.items]
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
        refused, first_state, *rest = await self._evaluate(len(keys), *keys, *arguments)
        if refused:
            exceeded, item = limits[refused - 1]
            refuse(_limit_state(item, first_state), exceeded.what)
        contents, second_state, content = [*rest, None, None][:3]
        return Admission(
            _limit_state(limit.items[0], first_state),
            [None if copy is None else copy.decode() for copy in contents],
            _limit_state(second_limit.items[0], second_state) if second_limit and second_state else None,
            content,
        )

    async def _evaluate(self, *arguments: Any) -> Any:
        try:
            return await self._state.execute("EVALSHA", _SCRIPT_SHA1, *arguments)
        except NoScriptError:
            return await self._state.execute("EVAL", _SCRIPT, *arguments)


def _credentials(login: Mapping[str, Any] | None) -> Any:
    """Return the current user and password from the options of a connection; None if they contain none."""
    provider = (login or {}).get("credential_provider")
    return provider.get_credentials() if provider else None


def _limit_state(item: RateLimitItem, counts: Sequence[int]) -> LimitState:
    """Return what is left of a limit.

    `counts` are the script's numbers for this limit: the requests in the previous window, those in the current window,
    and the milliseconds that are left of the current window.
    """
    previous, current, left_ms = counts
    window = item.get_expiry()
    left = left_ms / 1000
    # The next request is allowed when the previous window's share has shrunk by one, or when this window ends.
    waits = [left % (window / previous) if previous else left, left if current else window]
    return LimitState(
        amount=item.amount,
        window_seconds=window,
        remaining=max(0, item.amount - int(previous * left / window + current)),
        reset_seconds=ceil(min(waits)) if previous or current else 0,
    )
