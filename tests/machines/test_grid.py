"""Browsers in a Selenium Grid: the same captures as with a local browser, and a node that dies during a visit.

These tests need Java and selenium-server's jar, which `make grid-server` downloads. Without them they are skipped.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pipeline.extract.crawl import Attempt
from standin import CASES, CaseName
from standin.server import Site
from standin.site_facts import make_idno
from tests.machines.grid import Grid, find_server, running_grid
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from tests.polling import wait_for
from warehouse.contract import Outcome


@pytest.fixture(scope="module")
def grid(starts_browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    """A Grid with two nodes."""
    server = find_server()
    if server is None:
        pytest.skip("needs Java (Debian: default-jre-headless) and the jar that `make grid-server` downloads")
    with running_grid(server, tmp_path_factory.mktemp("grid"), nodes=2) as running:
        yield running


def settings(tmp_path: Path, site: Site, grid: Grid, **options: Any) -> Any:
    return settings_for(
        tmp_path,
        site.url,
        webdriver_url=grid.url,
        chrome_binary=None,
        chromedriver=None,
        chrome_no_sandbox=os.geteuid() == 0,
        tabs=2,
        **options,
    )


def test_grid_makes_the_same_captures_as_a_local_browser(
    tmp_path: Path, site: Site, redis: Redis, grid: Grid
) -> None:
    idnos = [make_idno(1), make_idno(2), CASES[CaseName.CHALLENGE].idno, CASES[CaseName.REDIRECT].idno]
    captures = final(Crawler(settings(tmp_path, site, grid), redis).crawl(idnos))

    expected = [Outcome.OK, Outcome.OK, Outcome.BLOCKED, Outcome.OK]
    assert [captures[idno].outcome for idno in idnos] == expected
    capture = captures[make_idno(1)]
    assert capture.status_code == 200
    assert capture.response_headers
    assert capture.response_headers["content-type"].startswith("text/html")
    assert len(capture.payloads) == 2
    assert capture.document
    wait_for("no browser in use", lambda: grid.sessions() == 0 or None)


def test_visit_on_a_dead_node_is_retried_on_another_node(
    tmp_path: Path, site: Site, redis: Redis, grid: Grid
) -> None:
    slow = CASES[CaseName.SLOW].idno
    earlier_visits = site.visits(slow)

    def kill() -> None:
        wait_for("the visit", lambda: site.visits(slow) > earlier_visits or None)
        grid.kill_busy_node()

    killer = threading.Thread(target=kill)
    killer.start()
    attempts = Crawler(
        settings(tmp_path, site, grid, retry_seconds=0, visit_timeout_seconds=30), redis
    ).crawl([slow, make_idno(3)])
    killer.join()

    captures = [
        attempt.capture
        for attempt in attempts
        if isinstance(attempt, Attempt) and attempt.capture.idno == slow
    ]
    outcomes = [capture.outcome for capture in captures]
    # The hub reports a timeout of the node, or does not answer the command.
    assert outcomes[0] in (Outcome.BROWSER_ERROR, Outcome.TIMEOUT), captures[0].error
    assert outcomes[-1] is Outcome.OK
    assert final(attempts)[make_idno(3)].outcome is Outcome.OK
