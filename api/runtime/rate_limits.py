"""Where somebody stands with a limit, and the limits on guesses; counted in Redis for all API processes together."""

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
    """Where a caller stands with a limit."""

    amount: int
    window_seconds: int
    remaining: int
    reset_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """The RateLimit header fields (IETF draft, httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Limit": str(self.amount),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
            "RateLimit-Policy": f"{self.amount};w={self.window_seconds}",
        }


class GuessLimits:
    """Tries at secrets, logged in Redis: exact to the single guess, too much to keep for ordinary requests."""

    def __init__(self, state: Redis) -> None:
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="limit",
            connection_pool=state.connection_pool,  # type: ignore[arg-type] # taken, but not declared
        )
        self._logged = MovingWindowRateLimiter(storage)

    async def guess(self, items: Sequence[RateLimitItem], *about: str, what: str) -> None:
        """Count a try at a secret, before it is looked at. Raises TooManyRequests; that try costs nothing."""
        for item in items:
            if not await self._logged.hit(item, *about):
                refuse(await self._state(item, about), what)

    async def check_guesses(self, items: Sequence[RateLimitItem], *about: str, what: str) -> None:
        """Raise TooManyRequests if there were too many tries; count none."""
        for item in items:
            if not await self._logged.test(item, *about):
                refuse(await self._state(item, about), what)

    async def forgive(self, items: Sequence[RateLimitItem], *about: str) -> None:
        """Forget the tries counted so far."""
        for item in items:
            await self._logged.clear(item, *about)

    async def _state(self, item: RateLimitItem, about: tuple[str, ...]) -> LimitState:
        stats = await self._logged.get_window_stats(item, *about)
        return LimitState(
            amount=item.amount,
            window_seconds=item.get_expiry(),
            remaining=max(0, stats.remaining),
            reset_seconds=max(0, ceil(stats.reset_time - time.time())),
        )


def refuse(state: LimitState, what: str) -> NoReturn:
    """Count a request that exceeds a limit, and raise TooManyRequests."""
    process_metrics().refused.labels(what).inc()
    wait = max(1, state.reset_seconds)
    raise TooManyRequests(
        f"too many {what}: {state.amount} in {state.window_seconds} s are allowed; wait {wait} s",
        {**state.headers, "RateLimit-Remaining": "0", "Retry-After": str(wait)},
    )
