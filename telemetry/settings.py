"""How a process tells about itself (prefix REGISTRU_); from wherever other settings come."""

from enum import StrEnum

from pydantic import Field, field_validator

from warehouse.config.settings import SourcedSettings


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    """For people."""
    JSON = "json"
    """For programs: an object a line."""


class TelemetrySettings(SourcedSettings):
    """Log lines and traces; the same for every process."""

    log_format: LogFormat = Field(default=LogFormat.TEXT, description="text, or json: an object a line")
    access_log: bool = Field(default=False, description="Whether the API logs requests that went well too")
    otlp_endpoint: str | None = Field(
        default=None, description="Where traces go by OTLP over HTTP, http://host:4318; none: there are none"
    )

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
