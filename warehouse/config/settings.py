"""The base classes of all settings (prefix REGISTRU_), and the function that loads them."""

import sys
from datetime import timedelta
from typing import NoReturn, TypeVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from warehouse.config.secrecy import check_url_password
from warehouse.config.setting_sources import (
    CURRENT_ORIGINS,
    PREFIX,
    SettingOrigins,
    SettingsRefused,
    sources_of,
)


class SourcedSettings(BaseSettings):
    """Settings from AWS Secrets Manager, files, the environment or `.env`. The first source that has a setting wins."""

    # Errors do not show a refused value, because it may be a secret.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources. The first one that has a setting wins."""
        return sources_of(settings_cls, init_settings, env_settings, dotenv_settings)


class SecretSettings(SourcedSettings):
    """Settings that include secrets and are reloaded while the process runs."""

    secrets_minutes: float = Field(
        default=5,
        ge=0,
        description="Minutes between reloads of the settings; 0 reloads only on a signal or after refused credentials",
    )


class StoreSettings(SecretSettings):
    """The addresses of the stores."""

    warehouse_url: str = Field(description="PostgreSQL URL of the warehouse, in the role of this process")
    redis_state_url: str = Field(
        description="Redis URL of the state database, whose keys must not be evicted"
    )
    redis_cache_url: str = Field(description="Redis URL of the cache, whose keys may be evicted")
    fresh_hours: float = Field(
        default=24,
        gt=0,
        description="Hours for which a record is fresh, so that it is served without a visit",
    )

    @field_validator("warehouse_url", "redis_state_url", "redis_cache_url")
    @classmethod
    def _has_no_placeholder_password(cls, url: str, info: ValidationInfo) -> str:
        check_url_password(setting_name(info), url)
        return url

    @property
    def fresh_for(self) -> timedelta:
        """The time for which a record is served without a new visit."""
        return timedelta(hours=self.fresh_hours)


def setting_name(info: ValidationInfo) -> str:
    """Return the environment variable of the setting that is being validated."""
    return f"{PREFIX}{str(info.field_name).upper()}"


AnySettings = TypeVar("AnySettings", bound=SecretSettings)
_Settings = TypeVar("_Settings", bound=BaseSettings)


def load(settings: type[_Settings]) -> _Settings:
    """Load settings from their sources. Raises SettingsRefused; its message contains no values of settings."""
    origins = SettingOrigins()
    token = CURRENT_ORIGINS.set(origins)
    try:
        return settings()
    except ValidationError as error:
        raise SettingsRefused(origins.describe(error)) from None
    except SettingsError as error:
        raise SettingsRefused(origins.describe_malformed_json(error)) from None
    finally:
        CURRENT_ORIGINS.reset(token)


def refuse_to_start(reason: SettingsRefused, status: int = 1) -> NoReturn:
    """Exit with the reason on standard error."""
    sys.stderr.write(f"registru: refused to start: {reason}\n")
    sys.exit(status)
