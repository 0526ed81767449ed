"""Parser for amounts of money as pages and statements write them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from warehouse.folding import fold

_UNIT = r"(?:mdl|lei|leu|l|лей|лея|леев)\.?"
_AROUND = re.compile(rf"(?:{_UNIT}\s*)?(.*?)(?:\s*{_UNIT})?")
_SIGNED = re.compile(
    rf"\((?P<bracketed>\d[^()]*?)(?:\s*{_UNIT})?\)|(?P<sign>[-−])(?P<negative>\d.*)|(?P<plain>\d.*)"
)
_PIECES = re.compile(
    r"(?P<before>[^\d(−–-]*)(?P<open>\(?)(?P<number>[−-]?\d(?:[\d .,]*\d)?)(?P<after>[^\d]*)"
)
_APOSTROPHE = re.compile(r"(?<=\d)['’](?=\d{3})")
_SPACED = re.compile(r"([1-9]\d{0,2}(?: \d{3})+)(?:[.,](\d+))?")
_UNGROUPED = re.compile(r"(\d+)(?:[.,](\d+))?")
_GROUPED = {
    ",": re.compile(r"([1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d+))?"),
    ".": re.compile(r"([1-9]\d{0,2}(?:\.\d{3})+)(?:,(\d+))?"),
}
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_LONGEST = 40
_LONGEST_WITH_UNIT = 60
_MOST_DIGITS = 15
"""A longer number is not read as an amount: companies' amounts are shorter, and JavaScript would have rounded it."""
_BANI = 2
"""The most decimals of an amount of lei; an amount of thousands of lei may have more."""


@dataclass(frozen=True)
class WrittenAmount:
    """An amount in two parts: the number with its sign, and the other text, which should be its unit."""

    number: str
    unit: str


def split_amount(text: str) -> WrittenAmount | None:
    """Split an amount into the number and the text around it; return None if the text contains not exactly one number.

    "12 405 mii lei" → "12 405" and "mii lei". "(75 тыс. леев)" → "(75)" and "тыс. леев".
    """
    return _split(text) if len(text) <= _LONGEST_WITH_UNIT else None


@lru_cache(maxsize=2048)  # an amount is looked at several times
def _split(text: str) -> WrittenAmount | None:
    match = _PIECES.fullmatch(_APOSTROPHE.sub(" ", fold(text)))
    if match is None:
        return None
    number, after = match["number"], match["after"]
    if match["open"]:
        inside, closing, after = after.partition(")")
        if not closing or "(" in inside or number[0] in "−-":
            return None
        number, after = f"({number})", f"{inside} {after}"
    return WrittenAmount(number, f"{match['before']} {after}".strip())


def parse_amount(text: str, *, grouping: str = "", decimals: int = _BANI) -> Decimal | None:
    """Parse an amount of lei, with or without its unit.

    "1,234" is ambiguous: the comma may separate thousands or a fraction. "1.234" is ambiguous in the same way. Such an
    amount is read only if `grouping` is the mark that it contains, or if it can have three decimals and `grouping` is
    the other mark.

    Args:
        text: The amount.
        grouping: The mark ("," or ".") that separates thousands in the amounts of the same statement; "" if unknown.
        decimals: The most decimals that an amount in this unit can have.

    Returns:
        The amount in lei, or None if the text is not an amount or is ambiguous.
    """
    number = _without_unit(text)
    match = _SIGNED.fullmatch(number) if number else None
    if match is None:
        return None
    value = _parse_unsigned(match["bracketed"] or match["negative"] or match["plain"], grouping, decimals)
    if value is None:
        return None
    return value if match["plain"] else -value


def grouping_in(texts: Iterable[str]) -> str:
    """Return the mark that separates thousands in these amounts; "" if no amount shows it or the amounts differ."""
    marks = {mark for text in texts if (mark := _grouping(text))}
    return marks.pop() if len(marks) == 1 else ""


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
    return _number_in(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=2048)
def _number_in(text: str) -> str | None:
    # Folding removes direction marks and turns every kind of white space into a plain space.
    match = _AROUND.fullmatch(fold(text))
    return match[1].strip() if match else None


def _parse_unsigned(number: str, grouping: str, decimals: int) -> Decimal | None:
    if _AMBIGUOUS.fullmatch(number) and (not grouping or grouping not in number):
        if not grouping or decimals <= _BANI:
            return None
        number = number.replace(",", ".")
        return Decimal(number) if number.isascii() else None
    is_grouped = _AMBIGUOUS.fullmatch(number) is not None
    forms = (_GROUPED[grouping],) if is_grouped else (_SPACED, _UNGROUPED, *_GROUPED.values())
    matches = (form.fullmatch(number) for form in forms)
    match = next((match for match in matches if match and len(match[2] or "") <= decimals), None)
    if match is None:
        return None
    whole = "".join(digit for digit in match[1] if digit.isdigit())
    if len(whole) > _MOST_DIGITS or not whole.isascii() or not (match[2] or "").isascii():
        return None
    return Decimal(f"{whole}.{match[2]}" if match[2] else whole)
