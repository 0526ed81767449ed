"""`registru up` locks its home, stops without leaving processes, and starts again after it was killed."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from stack.home import PROJECT, Home
from stack.orphan_processes import processes_of
from standin import CASES, CaseName
from standin.server import Site
from tests.platform_harness import Platform, read_ready, start, stop
from tests.polling import wait_for


def _registru(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stack.cli", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


def test_second_platform_on_the_same_home_is_refused(platform: Platform) -> None:
    second = _registru("up", "--home", str(platform.home.path), "--site", platform.site.url)

    assert second.returncode == 1
    assert "in use by another `registru` command" in second.stderr
    assert str(platform.process.pid) in second.stderr
    assert httpx.get(f"{platform.url}/health/", trust_env=False).status_code == httpx.codes.OK


def test_requested_port_that_is_taken_is_refused(platform: Platform, tmp_path: Path) -> None:
    port = platform.url.rsplit(":", 1)[1]
    refused = _registru("up", "--home", str(tmp_path / "home"), "--port", port)
    assert refused.returncode == 1
    assert f"--port {port} is used by another program" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--site", "openmoney.md"], "is not a site URL"),
        (["--site-rate", "fast"], "is not a rate"),
        (["--site-rate", "0"], "for loopback sites only"),
        (["--port", "70000"], "is not a port"),
    ],
)
def test_invalid_options_are_named(tmp_path: Path, arguments: list[str], message: str) -> None:
    refused = _registru("up", "--home", str(tmp_path / "home"), *arguments)
    assert refused.returncode != 0
    assert message in refused.stderr


def test_made_up_and_real_companies_cannot_share_a_home(platform: Platform, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.site.write_text(platform.home.site.read_text())
    refused = _registru("up", "--home", str(home.path), "--site", "https://openmoney.md")
    assert refused.returncode == 1
    assert f"holds companies from {platform.site.url}" in refused.stderr


def test_scrape_command_prints_records_as_json(platform: Platform) -> None:
    platform.wait_until_healthy()
    idnos = [CASES[CaseName.FOUND].idno, CASES[CaseName.NOT_FOUND].idno]
    done = _registru("scrape", "--home", str(platform.home.path), "--force", *idnos)

    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [(result["idno"], result["state"]) for result in results] == list(
        zip(idnos, ["succeeded", "not_found"], strict=True)
    )
    assert results[0]["data"]["idno"] == idnos[0]


def test_scrape_command_refuses_an_invalid_idno(platform: Platform) -> None:
    refused = _registru("scrape", "--home", str(platform.home.path), "1003600069774")
    assert refused.returncode == 2
    assert "check digit" in refused.stderr


def test_commands_without_a_running_platform_say_how_to_start_one(tmp_path: Path) -> None:
    for command in (["status"], ["scrape", "1003600069773"]):
        done = _registru(command[0], "--home", str(tmp_path / "home"), *command[1:])
        assert done.returncode == 1
        assert "start one with `registru up" in done.stderr


def test_down_without_a_running_platform_has_nothing_to_stop(tmp_path: Path) -> None:
    done = _registru("down", "--home", str(tmp_path / "home"))
    assert done.returncode == 1
    assert "nothing to stop" in done.stderr


def test_killed_platform_starts_again_on_the_same_data_and_stops_cleanly(site: Site, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    arguments = ("--site", site.url, "--site-rate", "0", "--port", "0")
    first = start(home.path, *arguments)
    read_ready(first)
    found = CASES[CaseName.FOUND].idno
    assert _registru("scrape", "--home", str(home.path), found).returncode == 0
    waiting = _registru_in_background(home, CASES[CaseName.NEVER_RENDERS].idno)
    wait_for("Chrome", lambda: any("--user-data-dir" in " ".join(p.cmdline()) for p in processes_of(home)))
    # Kill everything at once, as a power failure does.
    for process in [psutil.Process(first.pid), *processes_of(home)]:
        with suppress(psutil.NoSuchProcess):  # it ended with its parent
            process.kill()
    first.communicate()
    waiting.communicate()

    second = start(home.path, *arguments)
    try:
        read_ready(second)
        again = _registru("scrape", "--home", str(home.path), found)
        assert json.loads(again.stdout)[0]["cached"] is True
    finally:
        stop(second, signal.SIGINT)
    assert second.returncode == 0
    assert list(processes_of(home)) == []
    assert not home.state.exists()


def _registru_in_background(home: Home, idno: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "stack.cli", "scrape", "--home", str(home.path), idno]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_down_stops_a_platform_during_a_visit(site: Site, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    process = start(home.path, "--site", site.url, "--site-rate", "0", "--port", "0")
    read_ready(process)
    waiting = _registru_in_background(home, CASES[CaseName.NEVER_RENDERS].idno)
    wait_for("Chrome", lambda: any("--user-data-dir" in " ".join(p.cmdline()) for p in processes_of(home)))

    assert _registru("down", "--home", str(home.path)).stdout == "stopped\n"
    process.communicate(timeout=60)
    waiting.communicate(timeout=60)
    assert process.returncode == 0
    assert list(processes_of(home)) == []
    assert not any(home.work.glob("chrome/*"))


def test_platform_without_its_supervisor_ends_and_leaves_no_process(site: Site, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    process = start(home.path, "--site", site.url, "--site-rate", "0", "--port", "0")
    read_ready(process)
    psutil.Process(int((home.run / "supervisord.pid").read_text())).kill()

    _, errors = process.communicate(timeout=90)
    assert process.returncode == 1
    assert "the supervisor does not answer" in errors
    assert "Traceback" not in errors
    assert list(processes_of(home)) == []


def test_secrets_are_not_in_the_process_list_nor_readable_by_other_users(platform: Platform) -> None:
    secrets = json.loads(platform.home.secrets.read_text())
    values = [secrets["jwt"], secrets["redis"], secrets["operator"], *secrets["database"].values()]
    shown = " ".join(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    assert not [value for value in values if value in shown]
    for path in (platform.home.secrets, *platform.home.run.glob("*.conf")):
        assert path.stat().st_mode & 0o077 == 0
