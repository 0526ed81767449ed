"""The start options of the stand-in site: layout, language, and where the data comes from."""

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
    """The start options of a site.

    Attributes:
        layout: The layout of all pages; None selects one by the IDNO.
        lang: The language of all pages; None selects one by the IDNO.
        embedded: Whether the data is embedded in the document instead of fetched from the API.
        flaky_failures: How many visits of the FLAKY case fail.
        retry_after_seconds: The Retry-After header of the cases with status 503 and 429.
        faults: Whether the companies of site_faults.py fail.
        latency_ms: The delay of each API response.
    """

    layout: Layout | None = None
    lang: Lang | None = None
    embedded: bool = False
    flaky_failures: int = 1
    retry_after_seconds: int = 1
    faults: bool = False
    latency_ms: int = 0
