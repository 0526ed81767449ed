"""The preparation of the databases refuses bad settings in a sentence, and shows none of them."""

import os
import subprocess
import sys

import pytest

from stack.home import PROJECT
from stack.ports import free_ports
from warehouse.schema.database_roles import LOGIN_ROLES

GOOD = "f3b0c44298fc1c149afbf4c8996fb924"


def migrated(**settings: str) -> str:
    """Return what it says, with no PostgreSQL anywhere and these settings in the place of good ones."""
    told = {f"REGISTRU_{role.upper()}_PASSWORD": GOOD for role in ("postgres", *LOGIN_ROLES)}
    [port] = free_ports(1)
    told |= {"REGISTRU_POSTGRES_HOST": "127.0.0.1", "REGISTRU_POSTGRES_PORT": str(port), **settings}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.migrate"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **{name: value for name, value in told.items() if value}},
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
        ("f3b0c44298@fc1c149afb", "REGISTRU_PIPELINE_PASSWORD stands in URLs"),
    ],
)
def test_a_password_that_will_not_do_is_named_and_not_shown(value: str, reason: str) -> None:
    said = migrated(REGISTRU_PIPELINE_PASSWORD=value)
    assert reason in said
    assert not value or value not in said
    assert GOOD not in said


def test_no_postgresql_is_a_sentence() -> None:
    said = migrated()
    assert "no connection as PostgreSQL's superuser" in said
    assert GOOD not in said
