"""Browsers on other machines: the same captures through a Selenium Grid, and a node that dies in the middle.

Needs Java and selenium-server's jar (`make grid` fetches it), which the environment names; else it is left out.
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
from tests.machines.grid import SERVER, Grid, running_grid
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from tests.polling import wait_for
from warehouse.contract import Outcome

pytestmark = pytest.mark.skipif(SERVER not in os.environ, reason=f"{SERVER} names no selenium-server.jar")


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    with running_grid(Path(os.environ[SERVER]), tmp_path_factory.mktemp("grid"), nodes=2) as running:
        yield running


def settings(tmp_path: Path, site: Site, grid: Grid, **more: Any) -> Any:
    return settings_for(
        tmp_path,
        site.url,
        webdriver_url=grid.url,
        chrome_binary=None,
        chromedriver=None,
        chrome_no_sandbox=os.geteuid() == 0,
        tabs=2,
        **more,
    )


def test_a_grid_gives_what_a_browser_on_this_machine_gives(
    tmp_path: Path, site: Site, redis: Redis, grid: Grid
) -> None:
    idnos = [make_idno(1), make_idno(2), CASES[CaseName.CHALLENGE].idno, CASES[CaseName.REDIRECT].idno]
    captures = final(Crawler(settings(tmp_path, site, grid), redis).crawl(idnos))

    expected = [Outcome.OK, Outcome.OK, Outcome.BLOCKED, Outcome.OK]
    assert [captures[idno].outcome for idno in idnos] == expected
    found = captures[make_idno(1)]
    assert found.status_code == 200
    assert found.response_headers
    assert found.response_headers["content-type"].startswith("text/html")
    assert len(found.payloads) == 2
    assert found.document
    wait_for("no browser in use", lambda: grid.sessions() == 0 or None)


def test_visits_on_a_node_that_dies_are_made_again_on_another(
    tmp_path: Path, site: Site, redis: Redis, grid: Grid
) -> None:
    slow = CASES[CaseName.SLOW].idno
    before = site.visits(slow)

    def kill() -> None:
        wait_for("the visit", lambda: site.visits(slow) > before or None)
        grid.kill_a_busy_node()

    killer = threading.Thread(target=kill)
    killer.start()
    attempts = Crawler(
        settings(tmp_path, site, grid, retry_seconds=0, visit_timeout_seconds=30), redis
    ).crawl([slow, make_idno(3)])
    killer.join()

    made = [each.capture for each in attempts if isinstance(each, Attempt) and each.capture.idno == slow]
    outcomes = [capture.outcome for capture in made]
    # The hub says that it waited for the node in vain, or lets the command hang.
    assert outcomes[0] in (Outcome.BROWSER_ERROR, Outcome.TIMEOUT), made[0].error
    assert outcomes[-1] is Outcome.OK
    assert final(attempts)[make_idno(3)].outcome is Outcome.OK
