"""Redis as a Dagster resource: one database for state that must persist, one for the cache."""

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr
from redis import Redis
from redis.retry import Retry

from pipeline.settings import current_settings
from warehouse.config.credentials import redis_credentials
from warehouse.config.redis_options import backoff, redis_options

_RETRIES = 12


class RedisStores(ConfigurableResource):  # type: ignore[type-arg]
    """The two Redis databases (settings: redis_state_url, redis_cache_url, fresh_hours)."""

    _state: Redis = PrivateAttr()
    _cache: Redis = PrivateAttr()
    _fresh_seconds: int = PrivateAttr()

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Create the clients, without connecting yet. They retry for about ten seconds while Redis restarts."""
        current, options = current_settings(), redis_options(Retry(backoff(), _RETRIES))
        state_url, state_login = redis_credentials(current, lambda now: now.redis_state_url)
        cache_url, cache_login = redis_credentials(current, lambda now: now.redis_cache_url)
        self._state = Redis.from_url(state_url, **options, **state_login)
        self._cache = Redis.from_url(cache_url, **options, **cache_login)
        self._fresh_seconds = int(current.settings.fresh_for.total_seconds())

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Close the clients."""
        self._state.close()
        self._cache.close()

    @property
    def state(self) -> Redis:
        """The client of the state database, from which Redis must not evict anything."""
        return self._state

    @property
    def cache(self) -> Redis:
        """The client of the cache, whose entries expire when they are no longer fresh."""
        return self._cache

    @property
    def fresh_seconds(self) -> int:
        """How long a record counts as fresh, in seconds."""
        return self._fresh_seconds
