"""`registru up` locks its home, stops without leaving processes, and starts again after it was killed."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from stack.api_client import operator_client
from stack.home import PROJECT, Home, locked
from stack.orphan_processes import processes_of
from stack.ports import LOOPBACK
from stack.secrets import load_or_create
from standin import CASES, CaseName
from standin.server import Site
from tests.platform_harness import Platform, read_ready, start, stop
from tests.polling import wait_for
from tests.stack.command_in_process import registru

NEVER_ENDING = CASES[CaseName.NEVER_RENDERS].idno
"""A company whose visit lasts until its timeout."""


def _registru_in_background(*arguments: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "stack.cli", *map(str, arguments)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_second_platform_on_the_same_home_is_refused(platform: Platform) -> None:
    second = registru("up", "--home", platform.home.path, "--site", platform.site.url)

    assert second.status == 1
    assert "in use by another `registru` command" in second.errors
    assert str(platform.process.pid) in second.errors
    assert httpx.get(f"{platform.url}/health/", trust_env=False).status_code == httpx.codes.OK


def test_requested_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other_program:
        port = str(other_program.getsockname()[1])
        refused = registru("up", "--home", tmp_path / "home", "--port", port)
    assert refused.status == 1
    assert f"--port {port} is used by another program" in refused.errors


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
    refused = registru("up", "--home", tmp_path / "home", *arguments)
    assert refused.status != 0
    assert message in refused.errors


def test_made_up_and_real_companies_cannot_share_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CHROME_BINARY", "CHROMEDRIVER"):
        monkeypatch.setenv(f"REGISTRU_{name}", sys.executable)  # no browser is started
    home = Home.at(tmp_path / "home")
    home.site.write_text("http://127.0.0.1:8080\n")
    refused = registru("up", "--home", home.path, "--site", "https://openmoney.md")
    assert refused.status == 1
    assert "holds companies from http://127.0.0.1:8080;" in refused.errors


def test_scrape_command_prints_records_as_json(platform: Platform) -> None:
    platform.wait_until_healthy()
    idnos = [CASES[CaseName.FOUND].idno, CASES[CaseName.NOT_FOUND].idno]
    command = _registru_in_background("scrape", "--home", platform.home.path, "--force", *idnos)
    output, errors = command.communicate(timeout=240)

    assert command.returncode == 0, errors
    results = json.loads(output)
    assert [(result["idno"], result["state"]) for result in results] == list(
        zip(idnos, ["succeeded", "not_found"], strict=True)
    )
    assert results[0]["data"]["idno"] == idnos[0]


def test_scrape_command_refuses_an_invalid_idno(tmp_path: Path) -> None:
    refused = registru("scrape", "--home", tmp_path / "home", "1003600069774")
    assert refused.status == 2
    assert "check digit" in refused.errors


def test_commands_without_a_running_platform_say_how_to_start_one(tmp_path: Path) -> None:
    for command in (["status"], ["scrape", "1003600069773"]):
        done = registru(command[0], "--home", tmp_path / "home", *command[1:])
        assert done.status == 1
        assert "start one with `registru up" in done.errors


def test_down_without_a_running_platform_has_nothing_to_stop(tmp_path: Path) -> None:
    done = registru("down", "--home", tmp_path / "home")
    assert done.status == 1
    assert "nothing to stop" in done.errors


@dataclass(frozen=True)
class RestartedPlatform:
    """A platform that was killed with all its processes during a visit, and started again on the same home."""

    home: Home
    process: "subprocess.Popen[str]"
    scraped_again: list[dict[str, Any]]
    """What `registru scrape` prints, after the restart, about a company that was scraped before it."""


@pytest.fixture(scope="module")
def restarted(
    starts_platform: None, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RestartedPlatform]:
    home = Home.at(tmp_path_factory.mktemp("killed") / "home")
    found = CASES[CaseName.FOUND].idno
    first = _start_full_platform(home, site)
    try:
        assert registru("scrape", "--home", home.path, found).status == 0
        visits = site.visits(NEVER_ENDING)
        with operator_client(home_url(home), load_or_create(home.secrets)) as client:
            client.request_company(NEVER_ENDING)
        wait_for("the visit", lambda: site.visits(NEVER_ENDING) > visits)
    finally:
        # Kill everything at once, as a power failure does.
        for process in [psutil.Process(first.pid), *processes_of(home)]:
            with suppress(psutil.NoSuchProcess):  # it ended with its parent
                process.kill()
        first.communicate()

    second = _start_full_platform(home, site)
    try:
        again = registru("scrape", "--home", home.path, found)
        yield RestartedPlatform(home, second, json.loads(again.output))
    finally:
        if second.poll() is None:
            stop(second)


def _start_full_platform(home: Home, site: Site) -> "subprocess.Popen[str]":
    options = ("--site", site.url, "--site-rate", "0", "--port", "0")
    process = start(home.path, *options, warm_browsers="1", visit_timeout_seconds="60")
    read_ready(process)
    return process


def home_url(home: Home) -> str:
    """Return the gateway's address of the platform that runs at a home."""
    return str(json.loads(home.state.read_text())["gateway_url"])


def test_killed_platform_starts_again_on_the_same_data(restarted: RestartedPlatform) -> None:
    assert [result["cached"] for result in restarted.scraped_again] == [True]


def test_down_stops_a_platform_during_a_visit(restarted: RestartedPlatform, site: Site) -> None:
    home, visits = restarted.home, site.visits(NEVER_ENDING)
    waiting = _registru_in_background("scrape", "--home", home.path, "--force", NEVER_ENDING)
    wait_for("the visit", lambda: site.visits(NEVER_ENDING) > visits)

    assert registru("down", "--home", home.path).output == "stopped\n"
    restarted.process.communicate(timeout=120)
    waiting.communicate(timeout=120)
    assert restarted.process.returncode == 0
    assert list(processes_of(home)) == []
    assert not any(home.browser_profiles.glob("*"))
    assert not home.state.exists()


@pytest.fixture
def light(starts_stores: None, tmp_path: Path) -> Iterator[tuple[Home, "subprocess.Popen[str]"]]:
    """The real command `registru up`, which runs two idle processes instead of the platform's own."""
    home = Home.at(tmp_path / "home")
    command = [sys.executable, "-m", "tests.stack.light_platform", str(home.path)]
    process = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        read_ready(process)
        assert len(list(processes_of(home))) == 3  # with the supervisor
        yield home, process
    finally:
        if process.poll() is None:
            stop(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_the_platform_and_leaves_no_process(
    light: tuple[Home, "subprocess.Popen[str]"], number: signal.Signals
) -> None:
    home, process = light
    _, errors = stop(process, number)
    assert process.returncode == 0, errors
    assert list(processes_of(home)) == []
    assert not home.state.exists()
    with locked(home):
        """The home is free again."""


def test_platform_without_its_supervisor_ends_and_leaves_no_process(
    light: tuple[Home, "subprocess.Popen[str]"],
) -> None:
    home, process = light
    psutil.Process(int((home.run / "supervisord.pid").read_text())).kill()

    _, errors = process.communicate(timeout=120)
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
