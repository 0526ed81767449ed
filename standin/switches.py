"""Switches that change the behavior of the stand-in site while it runs."""

from dataclasses import dataclass
from enum import StrEnum

OPEN_ROBOTS = "User-agent: *\nAllow: /\n"


class ListBehavior(StrEnum):
    """The behaviors of the list of companies."""

    WELL = "well"
    CAPPED = "capped"
    """Pages larger than `largest_page` are silently cut to it."""
    LIMITED = "limited"
    """429 with a Retry-After of ten minutes."""
    OTHER_SHAPE = "other_shape"
    """JSON with other keys, as a new version of the API might send."""
    HTML = "html"
    """An HTML page instead of JSON, with status 200."""


@dataclass(kw_only=True)
class Switches:
    """The switches; set them from any thread, they take effect with the next request.

    Attributes:
        robots: The /robots.txt of both origins.
        robots_status: The status of /robots.txt.
        challenging: If true, every document is the bot challenge.
        rate_limit_seconds: If set, every document is a 429 with this Retry-After, in seconds.
        list: The behavior of the API's list of companies.
        largest_page: The largest page size of the list; larger ones are rejected.
        list_blocked_from: If set, the list does not answer requests for this page and later ones until it is reset.
    """

    robots: str = OPEN_ROBOTS
    robots_status: int = 200
    challenging: bool = False
    rate_limit_seconds: int | None = None
    list: ListBehavior = ListBehavior.WELL
    largest_page: int = 1000
    list_blocked_from: int | None = None
