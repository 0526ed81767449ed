"""The preparation of the databases refuses invalid settings with a clear message that shows no secret."""

import os
import subprocess
import sys

import pytest

from stack.home import PROJECT
from stack.ports import free_ports
from warehouse.schema.database_roles import LOGIN_ROLES

pytestmark = pytest.mark.usefixtures("starts_stores")
GOOD = "f3b0c44298fc1c149afbf4c8996fb924"


def migration_error(**settings: str) -> str:
    """Return the error message with these settings and otherwise valid ones. No PostgreSQL runs."""
    environment = {f"REGISTRU_{role.upper()}_PASSWORD": GOOD for role in ("postgres", *LOGIN_ROLES)}
    [port] = free_ports(1)
    environment |= {"REGISTRU_POSTGRES_HOST": "127.0.0.1", "REGISTRU_POSTGRES_PORT": str(port), **settings}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.migrate"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **{name: value for name, value in environment.items() if value}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "REGISTRU_PIPELINE_PASSWORD: Field required"),
        ("short-1", "REGISTRU_PIPELINE_PASSWORD has fewer than 12 characters"),
        ("please-change-me-now", "REGISTRU_PIPELINE_PASSWORD is a placeholder"),
        ("f3b0c44298@fc1c149afb", "REGISTRU_PIPELINE_PASSWORD is part of URLs"),
    ],
)
def test_invalid_password_is_named_and_not_shown(value: str, reason: str) -> None:
    message = migration_error(REGISTRU_PIPELINE_PASSWORD=value)
    assert reason in message
    assert not value or value not in message
    assert GOOD not in message


def test_unreachable_postgresql_is_reported_in_one_sentence() -> None:
    message = migration_error()
    assert "cannot connect as PostgreSQL's superuser" in message
    assert GOOD not in message
