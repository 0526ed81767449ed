"""How every process of ours connects to Redis."""

from collections.abc import Sequence
from typing import Any

from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError


def redis_options(
    retry: Any, *, errors: Sequence[type[RedisError]] = (RedisConnectionError, RedisTimeoutError)
) -> dict[str, Any]:
    """Keyword arguments for `Redis.from_url`, which by itself neither retries nor times out.

    `retry` is the retry object of the client's kind (`redis.retry.Retry`, `redis.asyncio.retry.Retry`); `errors` are
    those after which a command is tried again.
    """
    return {
        "decode_responses": True,
        "retry": retry,
        "retry_on_error": list(errors),
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "health_check_interval": 30,
    }


def backoff() -> ExponentialBackoff:
    """Waits of 0.05 s, doubling up to 1 s."""
    return ExponentialBackoff(cap=1.0, base=0.05)
