"""Settings for logs and traces (prefix REGISTRU_), read from the same sources as all other settings."""

from enum import StrEnum

from pydantic import Field, field_validator

from warehouse.config.settings import SourcedSettings


class LogFormat(StrEnum):
    """The format of log lines."""

    TEXT = "text"
    """For people."""
    JSON = "json"
    """For programs: one JSON object on each line."""


class TelemetrySettings(SourcedSettings):
    """Log lines and traces; the same settings for every process."""

    log_format: LogFormat = Field(
        default=LogFormat.TEXT, description="Format of log lines: text, or json (one object per line)"
    )
    access_log: bool = Field(default=False, description="Whether the API also logs successful requests")
    otlp_endpoint: str | None = Field(
        default=None,
        description="Collector that receives traces by OTLP over HTTP (http://host:4318); without it no traces are"
        " recorded",
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_http(cls, endpoint: str | None) -> str | None:
        if not endpoint:
            return None
        if not endpoint.startswith(("http://", "https://")):
            raise ValueError(
                "not an HTTP URL; give an endpoint such as http://collector:4318 (OTLP over HTTP)"
            )
        return endpoint.rstrip("/")
