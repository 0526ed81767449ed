"""Amounts of money as pages and statements write them."""

import re
from collections.abc import Iterable
from decimal import Decimal

from warehouse.folding import fold

_UNIT = r"(?:mdl|lei|leu|l|лей|лея|леев)\.?"
_AROUND = re.compile(rf"(?:{_UNIT}\s*)?(.*?)(?:\s*{_UNIT})?")
_HAS_UNIT = re.compile(rf"(?:{_UNIT}(?=[\s\d(\-−])\s*.*|.*[\d)\s]{_UNIT})")
_SIGNED = re.compile(
    rf"\((?P<bracketed>\d[^()]*?)(?:\s*{_UNIT})?\)|(?P<sign>[-−])(?P<negative>\d.*)|(?P<plain>\d.*)"
)
_SPACED = re.compile(r"([1-9]\d{0,2}(?: \d{3})+)(?:[.,](\d{1,2}))?")
_UNGROUPED = re.compile(r"(\d+)(?:[.,](\d{1,2}))?")
_GROUPED = {
    ",": re.compile(r"([1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d{1,2}))?"),
    ".": re.compile(r"([1-9]\d{0,2}(?:\.\d{3})+)(?:,(\d{1,2}))?"),
}
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_LONGEST = 40
_MOST_DIGITS = 15
"""More is no amount of a company's here, and no number in JavaScript."""


def parse_amount(text: str, *, grouping: str = "") -> Decimal | None:
    """Read an amount of lei, with or without its unit; None if it is none or could be two.

    "1,234" and "1.234" could be a thousand or a fraction: they are read only where `grouping` says which of the two
    marks parts thousands in what stands around.
    """
    number = _number(text)
    match = _SIGNED.fullmatch(number) if number else None
    if match is None:
        return None
    value = _unsigned(match["bracketed"] or match["negative"] or match["plain"], grouping)
    if value is None:
        return None
    return value if match["plain"] else -value


def grouping_in(texts: Iterable[str]) -> str:
    """Return the mark that parts thousands in all of some amounts, "" if none of them proves it, or they differ."""
    proved = {mark for text in texts if (mark := _grouping(text))}
    return proved.pop() if len(proved) == 1 else ""


def names_unit(text: str) -> bool:
    """Tell whether an amount says that it is in lei."""
    return len(text) <= _LONGEST and _HAS_UNIT.fullmatch(fold(text)) is not None


def _grouping(text: str) -> str:
    number = (_number(text) or "").strip("()-−")
    if _AMBIGUOUS.fullmatch(number):
        return ""
    if mark := next((mark for mark, form in _GROUPED.items() if form.fullmatch(number)), ""):
        return mark
    # A fraction after the one mark: the other one, or a space, parts thousands here.
    return next((other for mark, other in ((",", "."), (".", ",")) if mark in number), "")


def _number(text: str) -> str | None:
    """The number without its unit."""
    if len(text) > _LONGEST:
        return None
    # Folding takes the marks of direction away, and makes one space of every kind.
    match = _AROUND.fullmatch(fold(text))
    return match[1].strip() if match else None


def _unsigned(number: str, grouping: str) -> Decimal | None:
    if _AMBIGUOUS.fullmatch(number) and (not grouping or grouping not in number):
        return None
    forms = (_SPACED, _UNGROUPED, *_GROUPED.values())
    match = next((match for form in forms if (match := form.fullmatch(number))), None)
    if match is None:
        return None
    whole = "".join(digit for digit in match[1] if digit.isdigit())
    if len(whole) > _MOST_DIGITS or not whole.isascii():
        return None
    return Decimal(f"{whole}.{match[2]}" if match[2] else whole)
