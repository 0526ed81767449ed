"""The secrets of a home are generated once, completed, rotated, and readable by their owner only."""

import json
import stat
from pathlib import Path

from stack.secrets import load_or_create, rotate_signing_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_generated_once_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_create(path)
    assert load_or_create(path) == made
    assert mode(path) == 0o600
    values = [made.superuser, made.redis, made.jwt, made.operator, made.dagster, *made.database.values()]
    assert len(set(values)) == len(values)


def test_missing_secrets_of_an_older_version_are_added_and_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_create(path)
    stored = json.loads(path.read_text())
    del stored["dagster"], stored["jwt_retired"]
    path.write_text(json.dumps(stored))

    completed = load_or_create(path)
    assert completed.jwt == made.jwt
    assert len(completed.dagster) >= 32
    assert load_or_create(path) == completed
    assert mode(path) == 0o600


def test_rotation_keeps_retired_signing_keys_with_their_times(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = load_or_create(path)
    for _ in range(7):
        rotate_signing_key(path)
    rotated = load_or_create(path)
    assert rotated.jwt != first.jwt
    assert len(rotated.jwt_retired) == 5
    times = [key["retired_at"] for key in rotated.jwt_retired]
    assert times == sorted(times, reverse=True)
    assert mode(path) == 0o600
