"""Settings of the stores, the base of every process's own settings (prefix REGISTRU_)."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.secrecy import check_url_password


class StoreSettings(BaseSettings):
    """Where the stores are. Read from the environment, else from `.env` in the working folder."""

    # A value that is refused may be a secret: errors do not show it.
    model_config = SettingsConfigDict(
        env_prefix="REGISTRU_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    warehouse_url: str = Field(description="PostgreSQL URL of the warehouse, as this process's own role")
    redis_state_url: str = Field(description="Redis URL of state that must not be evicted")
    redis_cache_url: str = Field(description="Redis URL of the cache, which may be evicted")
    fresh_hours: float = Field(
        default=24, gt=0, description="How long a record counts as fresh, and is served without a visit"
    )

    @model_validator(mode="after")
    def _has_no_placeholder_passwords(self) -> Self:
        for name in type(self).model_fields:
            if name in ("warehouse_url", "redis_state_url", "redis_cache_url", "users_url"):
                check_url_password(f"REGISTRU_{name.upper()}", getattr(self, name))
        return self

    @property
    def fresh_for(self) -> timedelta:
        """How long a company's record is served without a new visit."""
        return timedelta(hours=self.fresh_hours)
