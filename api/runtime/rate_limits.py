"""Rate limits: how much of a limit is left, and the limits on password guesses. All API processes share the counts."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import NoReturn

from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import Redis

from api.metrics.process_metrics import process_metrics
from api.problems import TooManyRequests


@dataclass(frozen=True)
class LimitState:
    """How much of a limit a caller has left."""

    amount: int
    """Requests that the window allows."""
    window_seconds: int
    remaining: int
    """Requests that are still allowed now."""
    reset_seconds: int
    """Time until one more request is allowed."""

    @property
    def headers(self) -> dict[str, str]:
        """The RateLimit headers (IETF draft, httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Limit": str(self.amount),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
            "RateLimit-Policy": f"{self.amount};w={self.window_seconds}",
        }


class GuessLimits:
    """Limits on attempts at passwords.

    Redis stores the time of each attempt, so that these limits are exact. For ordinary requests, that would take too
    much memory.
    """

    def __init__(self, state: Redis) -> None:
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="limit",
            connection_pool=state.connection_pool,  # type: ignore[arg-type] # accepted, but not declared
        )
        self._limiter = MovingWindowRateLimiter(storage)

    async def count(self, items: Sequence[RateLimitItem], *about: str, what: str) -> None:
        """Count an attempt under each of these limits.

        Args:
            items: The limits, each an amount per window.
            about: What identifies the origin of the attempt, for example the account and the network address.
            what: What is counted, for the error message and the metric.

        Raises:
            TooManyRequests: A limit is exceeded. The attempt is not counted under this limit or the following ones.
        """
        for item in items:
            if not await self._limiter.hit(item, *about):
                refuse(await self._state(item, about), what)

    async def check(self, items: Sequence[RateLimitItem], *about: str, what: str) -> None:
        """Raise TooManyRequests if a limit is exceeded, without counting; for the arguments see `count`."""
        for item in items:
            if not await self._limiter.test(item, *about):
                refuse(await self._state(item, about), what)

    async def reset(self, items: Sequence[RateLimitItem], *about: str) -> None:
        """Forget the attempts that were counted so far; for the arguments see `count`."""
        for item in items:
            await self._limiter.clear(item, *about)

    async def _state(self, item: RateLimitItem, about: tuple[str, ...]) -> LimitState:
        stats = await self._limiter.get_window_stats(item, *about)
        return LimitState(
            amount=item.amount,
            window_seconds=item.get_expiry(),
            remaining=max(0, stats.remaining),
            reset_seconds=max(0, ceil(stats.reset_time - time.time())),
        )


def refuse(state: LimitState, what: str) -> NoReturn:
    """Count a request that exceeds a limit, and raise TooManyRequests."""
    process_metrics().limit_refusals.labels(what).inc()
    wait = max(1, state.reset_seconds)
    raise TooManyRequests(
        f"too many {what}: {state.amount} in {state.window_seconds} s are allowed; wait {wait} s",
        {**state.headers, "RateLimit-Remaining": "0", "Retry-After": str(wait)},
    )
