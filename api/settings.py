"""The API's settings, from the environment (prefix REGISTRU_)."""

from pydantic import Field, SecretStr, field_validator

from warehouse.settings import StoreSettings

_SHORTEST_SECRET = 32
_PLACEHOLDERS = ("change", "secret", "password", "example", "placeholder", "default", "xxxx")


class ApiSettings(StoreSettings):
    """What the API needs to know. It refuses to start on a placeholder secret."""

    users_url: str = Field(description="PostgreSQL URL of the API's own database, in the API's role")
    jwt_secret: SecretStr = Field(description="Key that signs access tokens (HS256), 32 characters or more")
    access_minutes: int = Field(default=30, gt=0, description="How long an access token is good for")
    bcrypt_cost: int = Field(default=12, ge=10, le=16, description="Rounds of bcrypt, as a power of two")
    dagster_url: str = Field(description="Dagster's webserver, inside: http://host:port")
    most_body_bytes: int = Field(default=65_536, gt=0, description="The largest request body")
    run_limit_seconds: int = Field(
        default=300, gt=0, description="How long a run for one company may take before Dagster ends it"
    )

    @field_validator("jwt_secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if len(value) < _SHORTEST_SECRET:
            raise ValueError(f"REGISTRU_JWT_SECRET has to have {_SHORTEST_SECRET} characters or more")
        if len(set(value)) < 10 or any(word in value.lower() for word in _PLACEHOLDERS):
            raise ValueError("REGISTRU_JWT_SECRET is a placeholder; make one up, at random")
        return secret
