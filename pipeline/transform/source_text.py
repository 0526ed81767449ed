"""Parsers for text as the source writes it: comparison keys, placeholders for "no value", dates."""

import re
from datetime import date
from functools import lru_cache

from pipeline.transform.amounts import parse_amount as parse_amount
from warehouse.folding import collapse as collapse
from warehouse.folding import fold as fold

_ABSENT = frozenset(
    {
        *("", "null", "undefined", "none", "nan", "n/a", "n.a.", "na", "nil", "not set", "[object object]"),
        *(
            "lipsa",
            "lipseste",
            "lipsesc",
            "necunoscut",
            "necunoscuta",
            "nedefinit",
            "nespecificat",
            "indisponibil",
        ),
        *(
            "nespecificata",
            "absent",
            "отсутствует",
            "отсутствуют",
            "нет",
            "неизвестно",
            "неизвестен",
            "неизвестна",
        ),
        *("unknown", "missing", "unspecified", "undisclosed", "unavailable", "empty", "(gol)", "пусто"),
    }
)
_THINGS = (
    r"(?:date|datele|informatii|informatie|inregistrari|rezultate|fondatori|administratori|asociati|conducatori|"
    r"данные|данных|информация|информации|сведения|сведений|записи|записей|учредители|учредителей|руководителей|"
    r"администраторов|администраторы|руководители|"
    r"data|information|info|records|results|founders|administrators|directors|shareholders|entries|items)"
)
# Matches e.g. "Nu sunt date", "Lipsesc date", "Данные отсутствуют", "Не указаны", "No records", "Not available".
_SAYS_ABSENT = re.compile(
    rf"""
      nu\ (?:exista|sunt|sint|avem|au\ fost\ gasite?|s-au\ gasit|detinem)\ {_THINGS}(?:\ .{{0,30}})?
    | (?:fara|lipsesc|lipsa)\ {_THINGS}
    | {_THINGS}\ (?:lipsesc|lipsa|indisponibile?|inexistente?|absente?)
    | nu\ (?:este|e|sunt|sint|a\ fost|au\ fost)
      \ (?:indicat|specificat|cunoscut|disponibil|declarat|gasit|mentionat)[aei]?
    | нет\ {_THINGS} | {_THINGS}\ (?:отсутству[ею]т|не\ (?:указан|найден|предоставлен)[аоы]?)
    | не\ (?:указан|найден|определен|заполнен|известн|предоставлен|раскрыт)[аоы]? | не\ имеется
    | no\ (?:such\ )?{_THINGS}(?:\ (?:available|found|yet))?
    | not\ (?:available|specified|provided|known|disclosed|stated|indicated|found|applicable|given)
    | {_THINGS}\ (?:not\ available|unavailable|missing|not\ found)
    | (?:se\ incarca|загрузка|loading).{{0,3}}
    """,
    re.VERBOSE,
)

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
_PLACEHOLDER_LENGTH = 80
"""Number of characters from the beginning of a text that are checked; placeholders for "no value" are shorter."""


def words(text: str) -> list[str]:
    """Split a list of words that is written as one text, separated by "|"."""
    return [word.strip() for word in collapse(text).split("|")]


def comparison_key(text: str) -> str:
    """Return the letters and digits of `text`, folded: a key that is the same for different spellings of a name."""
    return _NOT_ALPHANUMERIC.sub("", fold(text))


def text_or_none(text: str | None) -> str | None:
    """Return `text` with collapsed white space, or None if it is one of the source's placeholders for "no value"."""
    if text is None:
        return None
    collapsed = collapse(text)
    return None if _is_placeholder(collapsed[:_PLACEHOLDER_LENGTH]) else collapsed


@lru_cache(maxsize=8192)
def _is_placeholder(opening: str) -> bool:
    folded = fold(opening).rstrip(" .!")
    if not any(letter.isalnum() for letter in folded) or folded in _ABSENT:
        return True
    return _SAYS_ABSENT.fullmatch(folded) is not None


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
