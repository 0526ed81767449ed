"""Visits that last as long as a test needs: the site answers about some companies only at the end of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

from standin.server import Site
from tests.platform_harness import Platform, start_visit
from tests.platform_user import PlatformUser


@contextmanager
def blocked(site: Site, *idnos: str) -> Iterator[None]:
    """Let visits to companies wait for the site's API during the block; each ends then, or at its timeout."""
    site.blocked_idnos |= set(idnos)
    try:
        yield
    finally:
        site.blocked_idnos -= set(idnos)


@contextmanager
def visit_under_way(platform: Platform, user: PlatformUser, idno: str) -> Iterator[tuple[str, int]]:
    """Request a company and yield when its visit has started; it lasts at least until the end of the block.

    Yields the run's id and the number of earlier visits to the company.
    """
    with blocked(platform.site, idno):
        yield start_visit(platform, user, idno)
