"""What can be changed about the stand-in site while it runs."""

from dataclasses import dataclass
from enum import StrEnum

OPEN_ROBOTS = "User-agent: *\nAllow: /\n"


class ListManner(StrEnum):
    """How the list of companies can behave."""

    WELL = "well"
    CAPPED = "capped"
    """Pages larger than `largest_page` are cut to it without a word."""
    LIMITED = "limited"
    """429 with a Retry-After of ten minutes."""
    OTHER_SHAPE = "other_shape"
    """JSON with other keys, as after a new version of the API."""
    HTML = "html"
    """A page in place of JSON, with status 200."""


@dataclass(kw_only=True)
class Switches:
    """Set from any thread; they hold from the next request on.

    `robots` is what both origins answer for /robots.txt, with `robots_status`. While `challenging`, every
    document is the challenge; while `limited` holds seconds, every document is 429 with that Retry-After.

    `list` is how the API's list of companies behaves; larger pages than `largest_page` are refused, and no page
    from `list_held_from` on is answered as long as it is set.
    """

    robots: str = OPEN_ROBOTS
    robots_status: int = 200
    challenging: bool = False
    limited: int | None = None
    list: ListManner = ListManner.WELL
    largest_page: int = 1000
    list_held_from: int | None = None
