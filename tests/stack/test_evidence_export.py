"""`registru export-evidence`: its files, its output and its error messages."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stack.cli import main
from stack.home import RunningPlatform, locked
from standin.site_facts import make_idno
from tests.warehouse.evidence.capture_factory import FETCHED_AT, capture, store, unanswered
from tests.warehouse_server import Databases

IDNO = make_idno(3530)


@pytest.fixture(scope="module", autouse=True)
def _running_home(databases: Databases) -> Iterator[None]:
    with databases.warehouse() as connection:
        store(connection, capture(IDNO))
        store(connection, unanswered(IDNO, fetched_at=FETCHED_AT + timedelta(days=2)))
    running = RunningPlatform(os.getpid(), "", "", "", "", {"postgres": databases.port})
    with locked(databases.home):
        running.save(databases.home)
        yield
    databases.home.state.unlink()


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def export(databases: Databases, *arguments: str) -> int:
    try:
        return main(["export-evidence", "--home", str(databases.home.path), *arguments])
    except SystemExit as refused:  # of argparse
        return int(refused.code or 0)


def test_export_writes_three_files_and_prints_their_sizes_and_hashes(
    databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(databases, IDNO) == 0
    names = [f"evidence-{IDNO}.{suffix}" for suffix in ("warc.gz", "cdxj", "sha256")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    first, *files = capsys.readouterr().out.splitlines()
    assert first == "captures: 2, records: 10; every hash was verified"
    hashes = {line[66:]: line[:64] for line in (tmp_path / names[2]).read_text().splitlines()}
    for name, line in zip(names, files, strict=True):
        assert line.startswith(f"{name}  {(tmp_path / name).stat().st_size} bytes  sha256 ")
        assert name == names[2] or line.endswith(hashes[name])


def test_export_contains_only_captures_of_the_given_days(databases: Databases, tmp_path: Path) -> None:
    output = str(tmp_path / "e.warc.gz")
    day = (FETCHED_AT + timedelta(days=2)).date().isoformat()
    assert export(databases, IDNO, "--output", output, "--from", day, "--to", day) == 0
    [line] = (tmp_path / "e.cdxj").read_text().splitlines()
    assert json.loads(line.split(" ", 2)[2])["type"] == "metadata"


def test_export_overwrites_files_only_with_force(
    databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(databases, IDNO) == 0
    assert export(databases, IDNO) == 1
    assert "already exists" in capsys.readouterr().err
    assert export(databases, IDNO, "--force") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([make_idno(3531)], f"no capture of {make_idno(3531)} is stored"),
        ([IDNO, "--from", "2030-01-01"], "is stored since 2030-01-01T00:00:00"),
        ([IDNO, "--to", "2020-01-01"], "is stored before 2020-01-02T00:00:00"),
        ([IDNO, "--from", "yesterday"], "is not a date"),
        (["1020999000010"], "fails the check digit"),
    ],
)
def test_refused_export_says_why(
    databases: Databases,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert export(databases, *arguments) != 0
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
