"""The keys and passwords of one home: generated once, stored with mode 0600."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warehouse.atomic_file import write_atomically
from warehouse.schema.database_roles import LOGIN_ROLES

_PRIVATE = 0o600
_MAX_RETIRED_KEYS = 5
_CHANGEOVER = timedelta(minutes=1)
"""After this time, no process of the API signs with the old key any more."""


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Secrets:
    """Every secret of a home.

    `database` holds the password of each database role; `jwt_retired` holds the keys before `jwt`, each with the time
    when it was retired.
    """

    superuser: str = field(default_factory=_random)
    database: dict[str, str] = field(default_factory=lambda: {role: _random() for role in LOGIN_ROLES})
    redis: str = field(default_factory=_random)
    jwt: str = field(default_factory=_random)
    jwt_retired: list[dict[str, str]] = field(default_factory=list)
    dagster: str = field(default_factory=_random)
    operator: str = field(default_factory=_random)


OPERATOR = "operator"
"""The account with which this machine's commands sign in."""


def load_or_create(path: Path) -> Secrets:
    """Return the secrets of a home. Generate those that are missing, for example after an upgrade."""
    stored = json.loads(path.read_text()) if path.exists() else {}
    complete = Secrets(**stored)
    if asdict(complete) != stored:
        _save(complete, path)
    return complete


def rotate_signing_key(path: Path) -> Secrets:
    """Replace the key that signs access tokens, and return the new secrets.

    Tokens signed with the old key stay valid until they expire. The old key counts as retired after `_CHANGEOVER`,
    when no process signs with it any more.
    """
    current = load_or_create(path)
    retired_at = datetime.now(UTC) + _CHANGEOVER
    retired = [{"secret": current.jwt, "retired_at": retired_at.isoformat()}, *current.jwt_retired]
    rotated = replace(current, jwt=_random(), jwt_retired=retired[:_MAX_RETIRED_KEYS])
    _save(rotated, path)
    return rotated


def signing_keys(current: Secrets) -> dict[str, str]:
    """Return the settings with the signing keys, in the order in which they have to be written.

    The retired keys, which include the key that was just replaced, come first. So a process that reads the files
    between the two writes still knows this key.
    """
    return {"jwt_retired_secrets": json.dumps(current.jwt_retired), "jwt_secret": current.jwt}


def write_files(folder: Path, settings: Mapping[str, str]) -> None:
    """Write a service's settings as files into its folder. Only the owner can read them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in settings.items():
        write_atomically(folder / f"registru_{name}", value, mode=_PRIVATE)


def _save(secrets_: Secrets, path: Path) -> None:
    write_atomically(path, json.dumps(asdict(secrets_)), mode=_PRIVATE)
