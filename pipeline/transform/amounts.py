"""Parser for amounts of money as pages and statements write them."""

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
"""A longer number is not read as an amount: companies' amounts are shorter, and JavaScript would have rounded it."""


def parse_amount(text: str, *, grouping: str = "") -> Decimal | None:
    """Parse an amount of lei, with or without its unit.

    "1,234" is ambiguous: the comma may separate thousands or a fraction. "1.234" is ambiguous in the same way. Such an
    amount is read only if `grouping` is the mark that it contains.

    Args:
        text: The amount.
        grouping: The mark ("," or ".") that separates thousands in the amounts of the same statement; "" if unknown.

    Returns:
        The amount in lei, or None if the text is not an amount or is ambiguous.
    """
    number = _without_unit(text)
    match = _SIGNED.fullmatch(number) if number else None
    if match is None:
        return None
    value = _parse_unsigned(match["bracketed"] or match["negative"] or match["plain"], grouping)
    if value is None:
        return None
    return value if match["plain"] else -value


def grouping_in(texts: Iterable[str]) -> str:
    """Return the mark that separates thousands in these amounts; "" if no amount shows it or the amounts differ."""
    marks = {mark for text in texts if (mark := _grouping(text))}
    return marks.pop() if len(marks) == 1 else ""


def names_unit(text: str) -> bool:
    """Tell whether an amount names its unit, lei."""
    return len(text) <= _LONGEST and _HAS_UNIT.fullmatch(fold(text)) is not None


def _grouping(text: str) -> str:
    number = (_without_unit(text) or "").strip("()-−")
    if _AMBIGUOUS.fullmatch(number):
        return ""
    if mark := next((mark for mark, form in _GROUPED.items() if form.fullmatch(number)), ""):
        return mark
    # The mark in this number comes before a fraction. So thousands are separated by the other mark, or by a space.
    return next((other for mark, other in ((",", "."), (".", ",")) if mark in number), "")


def _without_unit(text: str) -> str | None:
    """Return the number in an amount, without the unit; None if the text is not an amount."""
    if len(text) > _LONGEST:
        return None
    # Folding removes direction marks and turns every kind of white space into a plain space.
    match = _AROUND.fullmatch(fold(text))
    return match[1].strip() if match else None


def _parse_unsigned(number: str, grouping: str) -> Decimal | None:
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
