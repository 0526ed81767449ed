"""The grammar of a company's status: words of the status, and remarks that are kept or that contradict it."""

import re
from collections.abc import Iterator
from datetime import date

from pipeline.transform.date_text import read_date
from pipeline.transform.grammar import Parsed, unread
from pipeline.transform.vocabulary.placeholders import placeholder_reason
from pipeline.transform.vocabulary.statuses import Standing, split_date, standing_of
from warehouse.folding import collapse, fold
from warehouse.records.models import CompanyStatus

_LONGEST = 160
# A comma before a year, and a slash between digits, are inside a date.
_SEPARATORS = re.compile(r"\s*(?:[()\[\];·|•]|,(?!\s*\d{4}\b)|\s[–—-]\s|(?<!\d)/|/(?!\d))\s*")
_YEAR = re.compile(r"(?:[^\W\d_]{3,12}\.? )?(\d{4})(?: ?г(?:\.|ода?)?)?")


def read_status(text: str, *, labelled: bool = True, latest: date | None = None) -> Parsed[CompanyStatus]:
    """Read a status with the remarks beside it; the whole text must be understood.

    "Activă din 2015" → active with the remark "Activă din 2015"
    "Radiată (din 02.02.2020)" → inactive with the remark "din 02.02.2020"
    "Activă (în lichidare)" → no value, with the remark "în lichidare" and a reason
    "Activă (cod roșu)" → unread

    Args:
        text: The text in the place of the status.
        labelled: Whether the label of a status stands before the text.
        latest: The last plausible day of a date in it.
    """
    written = collapse(text)
    if len(written) > _LONGEST:
        return unread("its text is longer than a status")
    standings: list[Standing] = []
    remarks: list[str] = []
    for part in _parts(written):
        standing, is_bare = _standing(part, labelled=labelled and not standings, latest=latest)
        if standing is None:
            return unread(placeholder_reason(written) or _reason(standings))
        if not is_bare or standings or standing in (Standing.NEUTRAL, Standing.IN_PROCEDURE):
            remarks.append(part)
        standings.append(standing)
    return _combined(frozenset(standings), tuple(remarks))


def _parts(written: str) -> Iterator[str]:
    return (part for part in _SEPARATORS.split(written) if any(map(str.isalnum, part)))


def _standing(part: str, *, labelled: bool, latest: date | None) -> tuple[Standing | None, bool]:
    """Return what a part of the text says (None: not understood), and whether it says nothing more than that."""
    folded = fold(part)
    if standing := standing_of(folded, labelled=labelled):
        return standing, True
    split = split_date(folded)
    if split is None or not _is_date(split[1], latest):
        return None, False
    return (standing_of(split[0], labelled=labelled) if split[0] else Standing.NEUTRAL), False


def _is_date(text: str, latest: date | None) -> bool:
    if year := _YEAR.fullmatch(text):
        return 1900 <= int(year[1]) <= (latest.year if latest else 2100)
    return read_date(text, latest=latest).value is not None


def _reason(understood: list[Standing]) -> str:
    return "its text is more than a status" if understood else "it is not a known status"


def _combined(standings: frozenset[Standing], remarks: tuple[str, ...]) -> Parsed[CompanyStatus]:
    if {Standing.ACTIVE, Standing.INACTIVE} <= standings:
        return unread("it says that the company is active and that it is not", remarks)
    if Standing.INACTIVE in standings:
        return Parsed(CompanyStatus.INACTIVE, remarks)
    if Standing.IN_PROCEDURE in standings:
        return unread("it says that the company is in a procedure or is suspended", remarks)
    if Standing.ACTIVE in standings:
        return Parsed(CompanyStatus.ACTIVE, remarks)
    return unread("it is not a known status")
