"""The servers the tests share: started once, real, on ports and in folders of their own."""

import json
from collections.abc import Iterator

import pytest

from stack.home import Home
from tests.platform import Platform, User, read_ready, start, stop
from tests.site import running_site
from tests.site.server import Site


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The stand-in site."""
    with running_site() as running:
        yield running


@pytest.fixture(scope="session")
def platform(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform against the stand-in site."""
    folder = tmp_path_factory.mktemp("home")
    process = start(folder, "--site", site.url, "--site-rate", "0", "--port", "0")
    try:
        url = read_ready(process)
        home = Home.at(folder)
        dagster_url = json.loads(home.state.read_text())["dagster_url"]
        yield Platform(home, process, url, dagster_url, site)
    finally:
        if process.poll() is None:
            stop(process)


@pytest.fixture
def user(platform: Platform) -> Iterator[User]:
    """A new user, signed in, and a platform that is well (a test before may have hurt it)."""
    platform.wait_until_healthy()
    with platform.signed_in() as signed_in:
        yield signed_in
