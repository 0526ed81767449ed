"""Real servers that all tests share: started once per session, on free ports and in temporary folders."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from standin import running_site
from standin.server import Site
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser
from tests.warehouse_server import Databases, running_databases

pytest_plugins = ["tests.no_skips", "tests.tiers"]

settings.register_profile("registru", deadline=None)  # a slow machine must not fail a test
settings.load_profile("registru")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The stand-in site."""
    with running_site() as running:
        yield running


@pytest.fixture(scope="session")
def platform(
    starts_platform: None, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The whole platform, which visits the stand-in site."""
    with running_platform(tmp_path_factory.mktemp("home"), site) as running:
        yield running


@pytest.fixture(scope="session")
def databases(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """A PostgreSQL server with an empty warehouse, without the rest of the platform."""
    with running_databases(tmp_path_factory.mktemp("databases")) as running:
        yield running


@pytest.fixture
def user(platform: Platform) -> Iterator[PlatformUser]:
    """A new user, signed in, on a healthy platform; an earlier test may have damaged it."""
    platform.wait_until_healthy()
    with platform.signed_in() as signed_in:
        yield signed_in
