"""Settings that may hold secrets, the base of every process's own (prefix REGISTRU_), and how they are loaded."""

import sys
from datetime import timedelta
from typing import NoReturn, TypeVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from warehouse.config.secrecy import check_url_password
from warehouse.config.setting_sources import FINDINGS, PREFIX, Findings, SettingsRefused, sources_of


class SourcedSettings(BaseSettings):
    """Settings from AWS Secrets Manager, else from files, else from the environment, else from `.env`."""

    # A value that is refused may be a secret: errors do not show it.
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
        """Return the sources, the first of which wins."""
        return sources_of(settings_cls, init_settings, env_settings, dotenv_settings)


class SecretSettings(SourcedSettings):
    """Settings some of which are secret, and are read again while the process runs."""

    secrets_minutes: float = Field(
        default=5, ge=0, description="How often secrets are read again; 0: only when told, or when refused"
    )


class StoreSettings(SecretSettings):
    """Where the stores are."""

    warehouse_url: str = Field(description="PostgreSQL URL of the warehouse, as this process's own role")
    redis_state_url: str = Field(description="Redis URL of state that must not be evicted")
    redis_cache_url: str = Field(description="Redis URL of the cache, which may be evicted")
    fresh_hours: float = Field(
        default=24, gt=0, description="How long a record counts as fresh, and is served without a visit"
    )

    @field_validator("warehouse_url", "redis_state_url", "redis_cache_url")
    @classmethod
    def _has_no_placeholder_password(cls, url: str, info: ValidationInfo) -> str:
        check_url_password(setting_name(info), url)
        return url

    @property
    def fresh_for(self) -> timedelta:
        """How long a company's record is served without a new visit."""
        return timedelta(hours=self.fresh_hours)


def setting_name(info: ValidationInfo) -> str:
    """Return how a setting that is being validated is called in the environment."""
    return f"{PREFIX}{str(info.field_name).upper()}"


AnySettings = TypeVar("AnySettings", bound=SecretSettings)
_Settings = TypeVar("_Settings", bound=BaseSettings)


def load(settings: type[_Settings]) -> _Settings:
    """Return the settings that the sources hold. Raises SettingsRefused, whose message holds no value."""
    findings = Findings()
    token = FINDINGS.set(findings)
    try:
        return settings()
    except ValidationError as error:
        raise SettingsRefused(findings.told(error)) from None
    except SettingsError as error:
        raise SettingsRefused(findings.told_no_json(error)) from None
    finally:
        FINDINGS.reset(token)


def refuse_to_start(reason: SettingsRefused, status: int = 1) -> NoReturn:
    """End the process with a line that says why."""
    sys.stderr.write(f"registru: refused to start: {reason}\n")
    sys.exit(status)
