"""The API's settings (prefix REGISTRU_)."""

from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Literal

from limits import RateLimitItem, parse_many
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings

from api.auth.roles import Role
from warehouse.config.secrecy import check_secret, check_url_password
from warehouse.config.settings import StoreSettings, setting_name


class RetiredSecret(BaseModel):
    """A signing key that was replaced; tokens that it signed before `retired_at` are valid until they expire."""

    secret: SecretStr
    retired_at: AwareDatetime

    @field_validator("secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr) -> SecretStr:
        check_secret("the secret in REGISTRU_JWT_RETIRED_SECRETS", secret.get_secret_value())
        return secret


def _is_limit(text: str) -> str:
    try:
        parse_many(text)
    except ValueError:
        raise ValueError("not a rate limit; write 5/minute, or several like 5/minute;30/hour") from None
    return text


Limit = Annotated[str, AfterValidator(_is_limit)]
"""Text like `5/minute;30/hour`; all parts apply."""


class AccountRetentionSettings(BaseSettings):
    """How long the API keeps sessions, requests and audit entries."""

    model_config = StoreSettings.model_config

    keep_sessions_days: int = Field(
        default=90, ge=1, description="Days for which sessions are kept after they ended or expired"
    )
    keep_requests_days: int = Field(
        default=365, ge=1, description="Days for which requests and batches are kept after they ended"
    )
    keep_audit_days: int | None = Field(
        default=None, ge=90, description="Days for which audit log entries are kept; by default forever"
    )


class ApiSettings(StoreSettings, AccountRetentionSettings):
    """All settings of the API. It refuses to start with a placeholder secret."""

    users_url: str = Field(description="PostgreSQL URL of the API's own database, with the API's role")
    jwt_secret: SecretStr = Field(description="Key that signs access tokens (HS256), at least 32 characters")
    jwt_retired_secrets: list[RetiredSecret] = Field(
        default_factory=list, description='Earlier signing keys, as JSON: [{"secret": …, "retired_at": …}]'
    )
    access_minutes: int = Field(default=30, gt=0, description="Minutes for which an access token is valid")
    session_days: int = Field(default=30, gt=0, description="Days for which a session can be refreshed")
    browser_hours: int = Field(default=12, gt=0, description="Hours for which a browser session is valid")
    refresh_grace_seconds: int = Field(
        default=10,
        ge=0,
        description="Seconds within which a refresh token may be sent again; the new tokens are then the same",
    )
    bcrypt_cost: int = Field(
        default=12, ge=10, le=16, description="Cost of bcrypt: the base-2 logarithm of its rounds"
    )
    registration: Literal["open", "closed"] = Field(
        default="open", description="Whether everyone may create an account (open) or only admins (closed)"
    )
    registration_role: Literal[Role.STANDARD, Role.READONLY] = Field(
        default=Role.STANDARD, description="Role of accounts that are registered"
    )
    limit_address: Limit = Field(default="6000/minute", description="Requests from one address")
    limit_caller: Limit = Field(default="3000/minute", description="Requests of one user or with one API key")
    limit_registrations: Limit = Field(default="60/minute", description="Registrations from one address")
    limit_guesses: Limit = Field(
        default="5/minute;30/hour", description="Wrong passwords for one account from one address"
    )
    limit_guesses_address: Limit = Field(
        default="60/minute;600/hour", description="Wrong passwords from one address, whatever the account"
    )
    limit_guesses_account: Limit = Field(
        default="20/minute;100/hour",
        description="Sign-ins to one account, summed over all addresses that never signed in to it before",
    )
    cors_origins: list[str] = Field(
        default_factory=list,
        description='Origins of other sites whose scripts may call the API: ["https://…"]',
    )
    dagster_url: str = Field(description="Internal URL of Dagster's webserver: http://host:port/dagster")
    dagster_key: SecretStr = Field(
        description="Key that Dagster's webservers require, at least 32 characters"
    )
    most_body_bytes: int = Field(default=65_536, gt=0, description="Largest request body, in bytes")
    run_companies: int = Field(
        default=250,
        ge=1,
        le=250,
        description="Maximum companies of a batch in one run; lower it to spread batches over several workers",
    )
    run_limit_seconds: int = Field(
        default=300, gt=0, description="Seconds after which Dagster terminates a run for one company"
    )

    @field_validator("jwt_secret", "dagster_key")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        check_secret(setting_name(info), secret.get_secret_value())
        return secret

    @field_validator("users_url")
    @classmethod
    def _users_url_has_no_placeholder_password(cls, url: str, info: ValidationInfo) -> str:
        check_url_password(setting_name(info), url)
        return url

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not origin.startswith(("https://", "http://")) or "*" in origin:
                raise ValueError(f"{origin!r} is not an origin; write https://host without wildcards")
        return origins

    @property
    def access_lifetime(self) -> timedelta:
        """How long an access token is valid."""
        return timedelta(minutes=self.access_minutes)

    def signing_keys(self) -> list[tuple[str, datetime | None]]:
        """Return all valid signing keys with the time at which each was retired; the first one signs new tokens."""
        retired = [(key.secret.get_secret_value(), key.retired_at) for key in self.jwt_retired_secrets]
        return [(self.jwt_secret.get_secret_value(), None), *retired]


@cache
def parse_limits(text: str) -> tuple[RateLimitItem, ...]:
    """Return the parts of a rate limit, the shortest window first."""
    return tuple(sorted(parse_many(text), key=lambda item: item.get_expiry()))
