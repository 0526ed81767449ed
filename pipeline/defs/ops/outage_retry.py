"""Retries of a step during an outage of PostgreSQL or Redis."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import AssetExecutionContext, OpExecutionContext, RetryRequested
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError

_MAX_RETRIES = 4
_OUTAGES = (RedisError, InterfaceError, OperationalError)


@contextmanager
def retried_on_outage(context: OpExecutionContext | AssetExecutionContext) -> Iterator[None]:
    """Make Dagster retry the step if PostgreSQL or Redis cannot be reached. The delay grows with each retry.

    Dagster's RetryPolicy is no alternative: it would also retry after any other error and after a cancellation.
    """
    try:
        yield
    except _OUTAGES as outage:
        wait_seconds = 2**context.retry_number * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
        raise RetryRequested(max_retries=_MAX_RETRIES, seconds_to_wait=wait_seconds) from outage
