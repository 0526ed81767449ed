"""Settings of the stores, the base of every process's own settings (prefix REGISTRU_)."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """Where the stores are. Read from the environment, else from `.env` in the working folder."""

    # A value that is refused may be a secret: errors do not show it.
    model_config = SettingsConfigDict(
        env_prefix="REGISTRU_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    warehouse_url: str = Field(description="PostgreSQL URL of the warehouse, as this process's own role")
    redis_state_url: str = Field(description="Redis URL of state that must not be evicted")
    redis_cache_url: str = Field(description="Redis URL of the cache, which may be evicted")
    fresh_hours: float = Field(default=24, gt=0, description="How long a record counts as fresh")

    @property
    def fresh_for(self) -> timedelta:
        """How long a company's record is served without a new visit."""
        return timedelta(hours=self.fresh_hours)
