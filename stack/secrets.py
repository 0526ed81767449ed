"""Keys and passwords of one home: made up once, kept with mode 0600."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from warehouse.roles import LOGIN_ROLES


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Secrets:
    """Every secret of a home. `database` holds a password a role."""

    superuser: str = field(default_factory=_random)
    database: dict[str, str] = field(default_factory=lambda: {role: _random() for role in LOGIN_ROLES})
    redis: str = field(default_factory=_random)
    jwt: str = field(default_factory=_random)
    operator: str = field(default_factory=_random)


OPERATOR = "operator"
"""The account by which the commands of this machine sign in."""


def load_or_create(path: Path) -> Secrets:
    """Return the secrets of a home; make them up if there are none."""
    if path.exists():
        return Secrets(**json.loads(path.read_text()))
    made = Secrets()
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(made), file)
    os.replace(unfinished, path)  # noqa: PTH105 - one atomic call
    return made
