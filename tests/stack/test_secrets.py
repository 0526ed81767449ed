"""The secrets of a home: made up once, completed, rotated, readable by nobody else."""

import json
import stat
from pathlib import Path

from stack.secrets import load_or_create, rotate_signing_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_they_are_made_up_once_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_create(path)
    assert load_or_create(path) == made
    assert mode(path) == 0o600
    values = [made.superuser, made.redis, made.jwt, made.operator, made.dagster, *made.database.values()]
    assert len(set(values)) == len(values)


def test_a_home_of_an_older_version_gets_what_it_lacks_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_create(path)
    held = json.loads(path.read_text())
    del held["dagster"], held["jwt_retired"]
    path.write_text(json.dumps(held))

    completed = load_or_create(path)
    assert completed.jwt == made.jwt
    assert len(completed.dagster) >= 32
    assert load_or_create(path) == completed
    assert mode(path) == 0o600


def test_a_new_signing_key_keeps_the_old_one_with_the_time_it_was_retired(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = load_or_create(path)
    for _ in range(7):
        rotate_signing_key(path)
    rotated = load_or_create(path)
    assert rotated.jwt != first.jwt
    assert len(rotated.jwt_retired) == 5
    times = [each["retired_at"] for each in rotated.jwt_retired]
    assert times == sorted(times, reverse=True)
    assert mode(path) == 0o600
