"""The servers the tests share: started once, real, on ports and in folders of their own."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from standin import running_site
from standin.server import Site
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser
from tests.warehouse_server import Databases, running_databases

settings.register_profile("registru", deadline=None)  # a machine that stalls proves nothing
settings.load_profile("registru")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The stand-in site."""
    with running_site() as running:
        yield running


@pytest.fixture(scope="session")
def platform(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform against the stand-in site."""
    with running_platform(tmp_path_factory.mktemp("home"), site) as running:
        yield running


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """PostgreSQL alone, with an empty warehouse."""
    with running_databases(tmp_path_factory.mktemp("databases")) as running:
        yield running


@pytest.fixture
def user(platform: Platform) -> Iterator[PlatformUser]:
    """A new user, signed in, and a platform that is well (a test before may have hurt it)."""
    platform.wait_until_healthy()
    with platform.signed_in() as signed_in:
        yield signed_in
