"""Switches that change the behavior of the stand-in site while it runs."""

from dataclasses import dataclass
from enum import StrEnum

OPEN_ROBOTS = "User-agent: *\nAllow: /\n"


class ListBehavior(StrEnum):
    """The ways in which the API's list of companies can behave."""

    WELL = "well"
    CAPPED = "capped"
    """If a client requests more than `largest_page` rows, it gets `largest_page` rows, without an error."""
    LIMITED = "limited"
    """Status 429 with a Retry-After header of ten minutes."""
    OTHER_SHAPE = "other_shape"
    """JSON with unknown keys, as a new version of the API might send."""
    HTML = "html"
    """An HTML page instead of JSON, with status 200."""


@dataclass(kw_only=True)
class Switches:
    """The switches. Any thread may set them; a change takes effect with the next request.

    Attributes:
        robots: The text of /robots.txt on both origins.
        robots_status: The HTTP status of /robots.txt.
        challenging: If true, every request for a page is answered with the bot challenge.
        rate_limit_seconds: If set, every request for a page is answered with 429 and this Retry-After.
        list: The behavior of the API's list of companies.
        largest_page: The largest page size of the list. Larger sizes are rejected, unless `list` is CAPPED.
        list_blocked_from: The number of a page. Requests for this page of the list, or for a later page, wait until
            the switch is set to None.
        blocked_idnos: Companies. The API's answers about these companies wait until they are removed from the set, so
            that visits to their pages last as long as a test needs.
    """

    robots: str = OPEN_ROBOTS
    robots_status: int = 200
    challenging: bool = False
    rate_limit_seconds: int | None = None
    list: ListBehavior = ListBehavior.WELL
    largest_page: int = 1000
    list_blocked_from: int | None = None
    blocked_idnos: frozenset[str] = frozenset()
