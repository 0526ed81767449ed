"""Parsers for text as the source writes it: comparison keys, placeholders for "no value", dates."""

import re
from functools import lru_cache

from pipeline.transform.amounts import parse_amount as parse_amount
from pipeline.transform.date_text import parse_date as parse_date
from pipeline.transform.vocabulary.placeholders import is_unfilled, says_no_value
from warehouse.folding import collapse as collapse
from warehouse.folding import fold as fold

_SHORT = 200
"""Texts up to this length are cached: labels, dashes and amounts repeat, long texts do not."""
YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
"""A year in a text."""
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def words(text: str) -> list[str]:
    """Split a list of words that is written as one text, separated by "|"."""
    return [word.strip() for word in collapse(text).split("|")]


def comparison_key(text: str) -> str:
    """Return the letters and digits of `text`, folded: a key that is the same for different spellings of a name."""
    return _NOT_ALPHANUMERIC.sub("", fold(text))


def text_or_none(text: str | None) -> str | None:
    """Return `text` with collapsed white space, or None if it is blank or says that there is no value."""
    if text is None:
        return None
    return _short_text_or_none(text) if len(text) <= _SHORT else _text_or_none(text)


def _text_or_none(text: str) -> str | None:
    collapsed = collapse(text)
    if says_no_value(collapsed) or is_unfilled(collapsed) or not any(map(str.isalnum, collapsed)):
        return None
    return collapsed


_short_text_or_none = lru_cache(maxsize=8192)(_text_or_none)
