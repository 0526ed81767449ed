"""Keys and passwords of one home: made up once, kept with mode 0600."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warehouse.schema.database_roles import LOGIN_ROLES

_MOST_RETIRED = 5
_CHANGE_OVER = timedelta(minutes=1)
"""Until when every process of the API is sure to sign with a new key."""


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


def rotate_signing_key(path: Path) -> Secrets:
    """Put a new key in the place of the one that signs access tokens; return the secrets as they are then.

    What the old one signed is good to its end; it counts as retired when nobody signs with it any more.
    """
    held = load_or_create(path)
    retired_at = datetime.now(UTC) + _CHANGE_OVER
    retired = [{"secret": held.jwt, "retired_at": retired_at.isoformat()}, *held.jwt_retired]
    rotated = replace(held, jwt=_random(), jwt_retired=retired[:_MOST_RETIRED])
    _save(rotated, path)
    return rotated


def signing_keys(held: Secrets) -> dict[str, str]:
    """Return the settings that say with what tokens are signed, in the order in which they are to be written.

    Whoever reads between the two still knows the key that signed until now.
    """
    return {"jwt_retired_secrets": json.dumps(held.jwt_retired), "jwt_secret": held.jwt}


def write_files(folder: Path, settings: Mapping[str, str]) -> None:
    """Write settings for a service as files in a folder of its own, readable by nobody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in settings.items():
        _write(folder / f"registru_{name}", value)


def _save(secrets_: Secrets, path: Path) -> None:
    _write(path, json.dumps(asdict(secrets_)))


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    os.replace(unfinished, path)  # noqa: PTH105 - one atomic call
