"""Keys and passwords of one home: made up once, kept with mode 0600."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from warehouse.roles import LOGIN_ROLES

_MOST_RETIRED = 5


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Secrets:
    """Every secret of a home.

    `database` holds a password a role, `jwt_retired` the keys before `jwt` with the time each was retired.
    """

    superuser: str = field(default_factory=_random)
    database: dict[str, str] = field(default_factory=lambda: {role: _random() for role in LOGIN_ROLES})
    redis: str = field(default_factory=_random)
    jwt: str = field(default_factory=_random)
    jwt_retired: list[dict[str, str]] = field(default_factory=list)
    dagster: str = field(default_factory=_random)
    operator: str = field(default_factory=_random)


OPERATOR = "operator"
"""The account by which the commands of this machine sign in."""


def load_or_create(path: Path) -> Secrets:
    """Return the secrets of a home; make up what is missing (all of them, or what an older version had not)."""
    held = json.loads(path.read_text()) if path.exists() else {}
    made = Secrets(**held)
    if asdict(made) != held:
        _save(made, path)
    return made


def rotate_signing_key(path: Path) -> None:
    """Put a new key in the place of the one that signs access tokens; what that one signed is good to its end."""
    held = load_or_create(path)
    retired = [{"secret": held.jwt, "retired_at": datetime.now(UTC).isoformat()}, *held.jwt_retired]
    _save(replace(held, jwt=_random(), jwt_retired=retired[:_MOST_RETIRED]), path)


def _save(secrets_: Secrets, path: Path) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(secrets_), file)
    os.replace(unfinished, path)  # noqa: PTH105 - one atomic call
