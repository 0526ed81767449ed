"""How a process tells about itself (prefix REGISTRU_); from wherever other settings come."""

from enum import StrEnum

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from warehouse.sources import sources_of


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    """For people."""
    JSON = "json"
    """For programs: an object a line."""


class TelemetrySettings(BaseSettings):
    """Log lines and traces; the same for every process."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRU_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    log_format: LogFormat = Field(default=LogFormat.TEXT, description="text, or json: an object a line")
    access_log: bool = Field(default=False, description="Whether the API logs requests that went well too")
    otlp_endpoint: str | None = Field(
        default=None, description="Where traces go by OTLP over HTTP, http://host:4318; none: there are none"
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

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_http(cls, endpoint: str | None) -> str | None:
        if not endpoint:
            return None
        if not endpoint.startswith(("http://", "https://")):
            raise ValueError("name it like http://collector:4318 (OTLP over HTTP)")
        return endpoint.rstrip("/")


SETTINGS = tuple(f"REGISTRU_{name.upper()}" for name in TelemetrySettings.model_fields)
"""Their names in the environment."""
