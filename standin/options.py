"""What can be chosen about the stand-in site: layout, language, where the data comes from."""

from dataclasses import dataclass
from enum import StrEnum


class Layout(StrEnum):
    """A way to mark up a company's facts; static/layouts.js has a function for each."""

    DEFINITIONS = "definitions"
    TABLE = "table"
    CARDS = "cards"
    INLINE = "inline"
    SECTIONS = "sections"
    SPANS = "spans"
    GRID = "grid"
    LINES = "lines"


class Lang(StrEnum):
    """A language of labels, dates and status words."""

    RO = "ro"
    RU = "ru"
    EN = "en"


@dataclass(frozen=True, kw_only=True)
class SiteOptions:
    """What a whole site is started with; None leaves the choice to the IDNO.

    `retry_after_seconds` is what the cases 503 and 429 say, `latency_ms` what each API answer takes longer, and
    `faults` makes the companies of faults.py go wrong.
    """

    layout: Layout | None = None
    lang: Lang | None = None
    embedded: bool = False
    flaky_failures: int = 1
    retry_after_seconds: int = 1
    faults: bool = False
    latency_ms: int = 0
