"""Parsers for text as the source writes it: comparison keys, placeholders for "no value", dates, shares."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from pipeline.transform.amounts import parse_amount as parse_amount
from pipeline.transform.vocabulary.placeholders import is_unfilled, says_no_value
from warehouse.folding import collapse as collapse
from warehouse.folding import fold as fold

_MONTHS = {
    1: ("ianuarie", "ian", "января", "январь", "янв", "january", "jan"),
    2: ("februarie", "feb", "febr", "февраля", "февраль", "фев", "февр", "february"),
    3: ("martie", "mar", "mart", "марта", "март", "мар", "march"),
    4: ("aprilie", "apr", "апреля", "апрель", "апр", "april"),
    5: ("mai", "мая", "май", "may"),
    6: ("iunie", "iun", "июня", "июнь", "июн", "june", "jun"),
    7: ("iulie", "iul", "июля", "июль", "июл", "july", "jul"),
    8: ("august", "aug", "августа", "август", "авг"),
    9: ("septembrie", "sept", "sep", "сентября", "сентябрь", "сен", "сент", "september"),
    10: ("octombrie", "oct", "октября", "октябрь", "окт", "october"),
    11: ("noiembrie", "noi", "nov", "noiem", "ноября", "ноябрь", "ноя", "нояб", "november"),
    12: ("decembrie", "dec", "декабря", "декабрь", "дек", "december"),
}
_MONTH_BY_NAME = {name: number for number, names in _MONTHS.items() for name in names}

_ISO_DATE = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[t ]\d{2}:\d{2}.*)?")
_DOTTED_DATE = re.compile(r"(\d{1,2})[.](\d{1,2})[.](\d{4})")
_SLASHED_DATE = re.compile(r"(\d{1,2})\s*[/-]\s*(\d{1,2})\s*[/-]\s*(\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+(?:of )?([^\W\d_]+)[.,]?[\s-]+(\d{4})")
_MONTH_FIRST = re.compile(r"([^\W\d_]+)[.]?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_DATE_SUFFIX = re.compile(r"\s*(?:г\.?|год[а]?|an(?:ul)?)$")
_WEEKDAY = re.compile(r"^[^\W\d_]+,\s+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_TRAILING_NOTE = re.compile(r"\s*\([^()]*\)$")


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
    collapsed = collapse(text)
    if says_no_value(collapsed) or is_unfilled(collapsed) or not any(map(str.isalnum, collapsed)):
        return None
    return collapsed


def parse_date(text: str, *, day_first: bool = True) -> date | None:
    """Parse a date in any format that the source uses; return None if it is not a date or is ambiguous.

    Args:
        text: The date. A note in parentheses after it is ignored ("12.03.2004 (22 ani)").
        day_first: Whether 03/04/2020 means the third of April. If False, such a date is ambiguous.
    """
    folded = _TRAILING_NOTE.sub("", fold(text[:80])).strip(" .")
    folded = _WEEKDAY.sub("", _DATE_SUFFIX.sub("", folded)).strip(" .")
    if match := _ISO_DATE.fullmatch(folded):
        return _date(match[1], match[2], match[3])
    if match := _DOTTED_DATE.fullmatch(folded):
        return _date(match[3], match[2], match[1])
    if match := _SLASHED_DATE.fullmatch(folded):
        if not day_first and int(match[1]) <= 12 and int(match[2]) <= 12 and match[1] != match[2]:
            return None
        return _date(match[3], match[2], match[1]) or _date(match[3], match[1], match[2])
    if match := _DAY_FIRST.fullmatch(folded):
        return _date(match[3], _MONTH_BY_NAME.get(match[2]), match[1])
    if match := _MONTH_FIRST.fullmatch(folded):
        return _date(match[3], _MONTH_BY_NAME.get(match[1]), match[2])
    return None


def _date(year: str, month: str | int | None, day: str) -> date | None:
    if month is None:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def parse_share(value: object) -> Decimal | None:
    """Parse a share in percent; return None if it is not a number from 0 to 100."""
    if isinstance(value, bool) or value is None:
        return None
    text = text_or_none(str(value))
    if text is None:
        return None
    try:
        share = Decimal(text.removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        return None
    return share if share.is_finite() and 0 <= share <= 100 else None
