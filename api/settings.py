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
    """A key that signs no more; what it signed before it was retired is good until it expires."""

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
        raise ValueError("no limit: write it like 5/minute, several with ; between them") from None
    return text


Limit = Annotated[str, AfterValidator(_is_limit)]
"""Like `5/minute;30/hour`: each of them holds."""


class AccountRetentionSettings(BaseSettings):
    """How long the API keeps what is over."""

    model_config = StoreSettings.model_config

    keep_sessions_days: int = Field(
        default=90, ge=1, description="How long sessions are kept after they ended or expired"
    )
    keep_requests_days: int = Field(
        default=365, ge=1, description="How long requests and batches are kept after they ended"
    )
    keep_audit_days: int | None = Field(
        default=None, ge=90, description="How long the audit log is kept; by itself for ever"
    )


class ApiSettings(StoreSettings, AccountRetentionSettings):
    """What the API needs to know. It refuses to start on a placeholder secret."""

    users_url: str = Field(description="PostgreSQL URL of the API's own database, in the API's role")
    jwt_secret: SecretStr = Field(description="Key that signs access tokens (HS256), 32 characters or more")
    jwt_retired_secrets: list[RetiredSecret] = Field(
        default_factory=list, description='Keys before it, as JSON: [{"secret": …, "retired_at": …}]'
    )
    access_minutes: int = Field(default=30, gt=0, description="How long an access token is good for")
    session_days: int = Field(default=30, gt=0, description="How long a session can be refreshed")
    browser_hours: int = Field(default=12, gt=0, description="How long a sign-in by the page lasts")
    refresh_grace_seconds: int = Field(
        default=10, ge=0, description="How long a used refresh token answers a client that raced itself"
    )
    bcrypt_cost: int = Field(default=12, ge=10, le=16, description="Rounds of bcrypt, as a power of two")
    registration: Literal["open", "closed"] = Field(
        default="open", description="Whether anyone may open an account, or only admins for others"
    )
    registration_role: Literal[Role.STANDARD, Role.READONLY] = Field(
        default=Role.STANDARD, description="The role of those who register themselves"
    )
    limit_address: Limit = Field(default="6000/minute", description="Requests from one address")
    limit_caller: Limit = Field(default="3000/minute", description="Requests of one user, or by one API key")
    limit_registrations: Limit = Field(default="60/minute", description="Registrations from one address")
    limit_guesses: Limit = Field(
        default="5/minute;30/hour", description="Wrong passwords for one account from one address"
    )
    limit_guesses_address: Limit = Field(
        default="60/minute;600/hour", description="Wrong passwords from one address, whatever the account"
    )
    limit_guesses_account: Limit = Field(
        default="20/minute;100/hour",
        description="Sign-ins to one account from addresses that it never signed in from",
    )
    cors_origins: list[str] = Field(
        default_factory=list, description='Other sites whose scripts may call the API: ["https://…"]'
    )
    dagster_url: str = Field(description="Dagster's webserver, inside: http://host:port/dagster")
    dagster_key: SecretStr = Field(
        description="What Dagster's webservers want to be shown, 32 characters or more"
    )
    most_body_bytes: int = Field(default=65_536, gt=0, description="The largest request body")
    run_companies: int = Field(
        default=250,
        ge=1,
        le=250,
        description="The most companies of a batch in one run; fewer where several workers share it",
    )
    run_limit_seconds: int = Field(
        default=300, gt=0, description="How long a run for one company may take before Dagster ends it"
    )

    @field_validator("jwt_secret", "dagster_key")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        check_secret(setting_name(info), secret.get_secret_value())
        return secret

    @field_validator("users_url")
    @classmethod
    def _has_no_placeholder_password_either(cls, url: str, info: ValidationInfo) -> str:
        check_url_password(setting_name(info), url)
        return url

    @field_validator("cors_origins")
    @classmethod
    def _are_named(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not origin.startswith(("https://", "http://")) or "*" in origin:
                raise ValueError(f"{origin!r}: name each site in full, https://host; * is not taken")
        return origins

    @property
    def access_lifetime(self) -> timedelta:
        """How long an access token is good for."""
        return timedelta(minutes=self.access_minutes)

    def signing_keys(self) -> list[tuple[str, datetime | None]]:
        """Return every key that tokens may be signed with, and when it was retired; the first one signs."""
        retired = [(key.secret.get_secret_value(), key.retired_at) for key in self.jwt_retired_secrets]
        return [(self.jwt_secret.get_secret_value(), None), *retired]


@cache
def parse_limits(text: str) -> tuple[RateLimitItem, ...]:
    """Return a limit's parts, the shortest first."""
    return tuple(sorted(parse_many(text), key=lambda item: item.get_expiry()))
