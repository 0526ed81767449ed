"""Waiting out an outage of one of the platform's own parts."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import AssetExecutionContext, OpExecutionContext, RetryRequested
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError

_MOST_RETRIES = 4
_OUTAGES = (RedisError, InterfaceError, OperationalError)


@contextmanager
def retried_on_outage(context: OpExecutionContext | AssetExecutionContext) -> Iterator[None]:
    """Have Dagster run the step again, later each time, if Redis or PostgreSQL is away.

    (A RetryPolicy would do the same to any error, and to a run that somebody cancels.)
    """
    try:
        yield
    except _OUTAGES as outage:
        wait_seconds = 2**context.retry_number * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        raise RetryRequested(max_retries=_MOST_RETRIES, seconds_to_wait=wait_seconds) from outage
