"""Units of amounts: lei, thousands of lei, another currency. A unit is read from words beside or above an amount."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.transform.vocabulary.money_words import (
    CONNECTORS,
    INTRODUCTIONS,
    LEI,
    LEI_ADJECTIVES,
    OTHER_CURRENCIES,
    SCALES,
    WEAK_SCALES,
)
from warehouse.folding import fold

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[$€₽£₴×*]")
_UNIT_WORDS = LEI | OTHER_CURRENCIES | SCALES.keys() | CONNECTORS | LEI_ADJECTIVES
_MEANINGFUL = LEI | OTHER_CURRENCIES | SCALES.keys()
_BETWEEN = re.compile(r"[\s.,'’‘`\"()\[\]/·:-]*")
"""What may stand between two words of a unit."""
_AROUND = re.compile(r"[\s.,'’()\[\]]*")
_CLOSES_NUMBER = re.compile(r"[,;:(\[·|–—/-]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ROUND_NUMBER = re.compile(r"(?<![\d.,])1([ .,'’])000(?:\1000)?(?![\d.,])")
_DIGITS_BEFORE = re.compile(r"\d[\s.,'’]?$")
_EMPTY_BRACKETS = re.compile(r"[(\[][\s.,'’]*[)\]]")
_LONGEST_UNIT = 100
"""The longest text that is looked at as a unit; a longer one is not a unit, whatever its words."""


@dataclass(frozen=True)
class Unit:
    """A unit as a text names it.

    Attributes:
        scale: The number of currency units in one; None if the text names no scale.
        is_lei: Whether the currency is lei; None if the text names no currency.
        is_certain: False if the text names several scales or currencies.
    """

    scale: int | None = None
    is_lei: bool | None = None
    is_certain: bool = True


@dataclass(frozen=True)
class _Run:
    """Neighbouring words of a unit within a text, from `start` to `end`."""

    words: tuple[str, ...]
    start: int
    end: int


def unit_in(text: str) -> Unit | None:
    """Return the unit that consists of the whole text; None if the text is anything else.

    "mii lei" → thousands of lei. "Total active, mii lei" → None.
    """
    return _unit_in(text) if len(text) <= _LONGEST_UNIT else None


@lru_cache(maxsize=4096)
def _unit_in(text: str) -> Unit | None:
    folded = _prepared(text)
    first = _TOKEN.search(folded)
    if first is None or first[0] not in _UNIT_WORDS:
        return None
    run = next(_runs(folded), None)
    is_whole = run and _AROUND.fullmatch(folded[: run.start]) and _AROUND.fullmatch(folded[run.end :])
    return _unit(run.words) if run and is_whole else None


@lru_cache(maxsize=4096)
def units_in(text: str, *, is_title: bool = False) -> tuple[Unit, ...]:
    """Return the units that a text announces for the amounts below it or beside it.

    A number before a unit makes it an amount, and the unit counts for this amount only. In a title or a column header,
    a year is not such a number.

    "Situații financiare, 2024 (MDL '000)" → thousands of lei. "Capital social: 5 400 lei" → ().
    """
    folded = _prepared(text)
    found: list[Unit] = []
    for run in _runs(folded):
        if _belongs_to_number(folded, run, is_title=is_title):
            continue
        unit = _unit(run.words)
        if unit.is_lei is None and not _is_announced(folded, run):
            continue
        found.append(unit)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def without_units(text: str) -> str:
    """Return a folded title or header without the units in it: "2024, mii lei" → "2024"."""
    folded = _prepared(text)
    runs = [run for run in _runs(folded) if _unit(run.words).is_lei is not None or _is_announced(folded, run)]
    for run in reversed(runs):
        end = (
            run.end + 1
            if folded[run.start : run.end].count("(") > folded[run.start : run.end].count(")")
            else run.end
        )
        folded = f"{folded[: run.start]} {folded[end:]}"
    return " ".join(_EMPTY_BRACKETS.sub(" ", folded).split()).strip(" ,.;:–—-'’")


def combine_units(own: Unit, around: Iterable[Unit]) -> tuple[int | None, str]:
    """Return the scale of an amount of lei; None and the reason if it is not certain that the amount is in lei.

    Args:
        own: The unit in the amount's own text.
        around: The units that the texts around the amount announce.
    """
    units = [unit for unit in (own, *around) if unit != Unit()]
    if not all(unit.is_certain for unit in units):
        return None, "the unit is not certain"
    currencies = {unit.is_lei for unit in units} - {None}
    if currencies != {True}:
        return None, "another currency" if False in currencies else "no unit"
    scales = {unit.scale for unit in units} - {None}
    # "(lei)" in a title and "in thousands" below it are one unit; "(lei)" and "mii lei" contradict each other.
    bare = [unit for unit in units if unit.is_lei and unit.scale is None]
    complete = [unit for unit in units if unit.is_lei and unit.scale is not None]
    if len(scales) > 1 or (bare and complete) or (scales and own in bare):
        return None, "several scales"
    return (scales.pop() if scales else 1), ""


def _prepared(text: str) -> str:
    """Return a text folded, with "1 000" and "1.000" written as "1000"."""
    folded = fold(text)
    return (
        _ROUND_NUMBER.sub(lambda match: match[0].replace(match[1], ""), folded) if "1" in folded else folded
    )


def _runs(folded: str) -> Iterator[_Run]:
    """Yield the longest sequences of unit words that contain a currency or a scale."""
    current: list[re.Match[str]] = []
    for token in _TOKEN.finditer(folded):
        gap = folded[current[-1].end() : token.start()] if current else ""
        if current and not _BETWEEN.fullmatch(gap):
            yield from _closed(current)
            current = []
        if token[0] in _UNIT_WORDS:
            current.append(token)
        else:
            yield from _closed(current)
            current = []
    yield from _closed(current)


def _closed(tokens: Sequence[re.Match[str]]) -> Iterator[_Run]:
    if not tokens:
        return
    kept = list(tokens)
    while kept and kept[0][0] not in _MEANINGFUL and kept[0][0] not in INTRODUCTIONS:
        kept.pop(0)
    while kept and kept[-1][0] not in _MEANINGFUL and kept[-1][0] not in LEI_ADJECTIVES:
        kept.pop()
    if any(token[0] in _MEANINGFUL for token in kept):
        yield _Run(tuple(token[0] for token in kept), kept[0].start(), kept[-1].end())


def _unit(words: Sequence[str]) -> Unit:
    is_lei, is_other = not LEI.isdisjoint(words), not OTHER_CURRENCIES.isdisjoint(words)
    scales = [SCALES[word] for word in words if word in SCALES]
    is_romanian = is_lei and not {"ron", "romanesti", "romanian", "румынских"}.isdisjoint(words)
    return Unit(
        scale=scales[0] if scales else None,
        is_lei=False if is_other else is_lei or None,
        is_certain=len(scales) <= 1 and (is_romanian or not (is_lei and is_other)),
    )


def _belongs_to_number(folded: str, run: _Run, *, is_title: bool) -> bool:
    if run.words[0].startswith("1"):
        return True  # "1000 lei" is an amount, "x1000 lei" is a unit
    if run.words[0].isdigit():
        return _DIGITS_BEFORE.search(folded[max(0, run.start - 2) : run.start]) is not None  # "27 000 lei"
    before = folded[: run.start].rstrip(" '’")
    if not before[-1:].isdigit() or _CLOSES_NUMBER.search(folded[len(before) : run.start]):
        return False
    return not (is_title and _YEAR.fullmatch(before[-4:]) and not before[-5:-4].isdigit())


def _is_announced(folded: str, run: _Run) -> bool:
    """Tell whether a scale without a currency is a unit: "in mii", "(mii)", or the whole text."""
    if any(word in WEAK_SCALES for word in run.words):
        return False
    if run.words[0] in INTRODUCTIONS:
        return True
    before, after = folded[: run.start].rstrip(), folded[run.end :].lstrip(" .")
    return (before[-1:] in ("(", "[") and after[:1] in (")", "]")) or not (before or after)
