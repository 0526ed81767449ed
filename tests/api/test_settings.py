"""Tests of the API's settings: unsafe values are refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.settings import ApiSettings

REQUIRED: dict[str, Any] = {
    "warehouse_url": "postgresql+psycopg2://nowhere/none",
    "users_url": "postgresql+psycopg2://nowhere/none",
    "redis_state_url": "redis://nowhere/0",
    "redis_cache_url": "redis://nowhere/1",
    "dagster_url": "http://nowhere",
    "dagster_key": "yT5vR8nB2mK7qW4xZ9cJ6hL3pD1fG0sA",
}


@pytest.mark.parametrize(
    "secret", ["", "short", "a" * 64, "change-me-" * 5, "my-secret-key-for-the-development-of-this"]
)
def test_placeholder_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ValidationError, match="REGISTRU_JWT_SECRET") as refusal:
        ApiSettings(**REQUIRED, jwt_secret=secret, _env_file=None)
    assert not secret or secret not in str(refusal.value)


def test_random_secret_is_accepted_and_not_shown() -> None:
    secret = "q8Zr1xW7vT4uY0pL5kJ9hG2fD6sA3mN8bV1c"
    settings = ApiSettings(**REQUIRED, jwt_secret=secret, _env_file=None)
    assert settings.jwt_secret.get_secret_value() == secret
    assert secret not in repr(settings)


GOOD = "q8Zr1xW7vT4uY0pL5kJ9hG2fD6sA3mN8bV1c"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"dagster_key": "short"}, "REGISTRU_DAGSTER_KEY"),
        ({"jwt_retired_secrets": [{"secret": "b" * 40, "retired_at": "2026-01-01T00:00:00Z"}]}, "RETIRED"),
        ({"jwt_retired_secrets": [{"secret": GOOD, "retired_at": "2026-01-01T00:00:00"}]}, "retired_at"),
        ({"users_url": "postgresql://api:postgres@nowhere/users"}, "password in REGISTRU_USERS_URL"),
        ({"redis_state_url": "redis://:change-me-please@nowhere/0"}, "password in REGISTRU_REDIS_STATE_URL"),
        ({"warehouse_url": "postgresql://api:1234@nowhere/warehouse"}, "password in REGISTRU_WAREHOUSE_URL"),
        ({"limit_caller": "often"}, "limit_caller"),
        ({"cors_origins": ["*"]}, "cors_origins"),
        ({"registration_role": "admin"}, "registration_role"),
        ({"registration": "perhaps"}, "registration"),
        ({"bcrypt_cost": 4}, "bcrypt_cost"),
    ],
)
def test_unsafe_setting_is_refused_by_name_and_not_shown(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named) as refusal:
        ApiSettings(**{**REQUIRED, "jwt_secret": GOOD, **changed}, _env_file=None)
    for secret in ("b" * 40, "change-me-please", "1234", "postgres@"):
        assert secret not in str(refusal.value)
