"""The options with which the stand-in site is started: layout, language, failures, and how data is delivered."""

from dataclasses import dataclass
from enum import StrEnum


class Layout(StrEnum):
    """The layouts of a company's facts; static/layouts.js has a function for each."""

    DEFINITIONS = "definitions"
    TABLE = "table"
    CARDS = "cards"
    INLINE = "inline"
    SECTIONS = "sections"
    SPANS = "spans"
    GRID = "grid"
    LINES = "lines"


class Lang(StrEnum):
    """The language of labels, dates and status words."""

    RO = "ro"
    RU = "ru"
    EN = "en"


@dataclass(frozen=True, kw_only=True)
class SiteOptions:
    """The options with which a site is started.

    Attributes:
        layout: The layout of all pages; None selects a layout for each company by its IDNO.
        lang: The language of all pages; None selects a language for each company by its IDNO.
        embedded: Whether the data is embedded in the document instead of fetched from the API.
        flaky_failures: How many visits to the company of the case FLAKY fail before one succeeds.
        retry_after_seconds: The Retry-After header of the cases with status 503 and 429.
        faults: Whether the companies that have a fault in site_faults.py fail.
        latency_ms: The delay of each API response in milliseconds.
    """

    layout: Layout | None = None
    lang: Lang | None = None
    embedded: bool = False
    flaky_failures: int = 1
    retry_after_seconds: int = 1
    faults: bool = False
    latency_ms: int = 0
