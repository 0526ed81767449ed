"""Text as the source writes it: folding, absent values, dates, shares."""

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation

_ABSENT = frozenset(
    {
        "",
        "null",
        "undefined",
        "none",
        "nan",
        "n/a",
        "n.a.",
        "-",
        "--",
        "---",
        "–",
        "—",
        "―",
        "...",
        "…",
        "?",
        "nu sunt date",
        "nu exista date",
        "fara date",
        "lipsa",
        "lipseste",
        "necunoscut",
        "nu este indicat",
        "nu este indicata",
        "нет данных",
        "нет",
        "не указано",
        "не указан",
        "отсутствует",
        "no data",
        "not available",
        "not specified",
        "unknown",
    }
)

_MONTHS = {
    1: ("ianuarie", "ian", "января", "январь", "янв", "january", "jan"),
    2: ("februarie", "feb", "февраля", "февраль", "фев", "февр", "february"),
    3: ("martie", "mar", "марта", "март", "мар", "march"),
    4: ("aprilie", "apr", "апреля", "апрель", "апр", "april"),
    5: ("mai", "мая", "май", "may"),
    6: ("iunie", "iun", "июня", "июнь", "июн", "june", "jun"),
    7: ("iulie", "iul", "июля", "июль", "июл", "july", "jul"),
    8: ("august", "aug", "августа", "август", "авг"),
    9: ("septembrie", "sept", "sep", "сентября", "сентябрь", "сен", "сент", "september"),
    10: ("octombrie", "oct", "октября", "октябрь", "окт", "october"),
    11: ("noiembrie", "noi", "nov", "ноября", "ноябрь", "ноя", "нояб", "november"),
    12: ("decembrie", "dec", "декабря", "декабрь", "дек", "december"),
}
_MONTH_BY_NAME = {name: number for number, names in _MONTHS.items() for name in names}

_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[t ]\d{2}:\d{2}.*)?")
_DOTTED_DATE = re.compile(r"(\d{1,2})[.](\d{1,2})[.](\d{4})")
_SLASHED_DATE = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+([^\W\d_]+)[.,]?[\s-]+(\d{4})")
_MONTH_FIRST = re.compile(r"([^\W\d_]+)[.]?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_DATE_SUFFIX = re.compile(r"\s*(?:г\.?|год[а]?|an(?:ul)?)$")


def collapse(text: str) -> str:
    """Return `text` as a browser shows it: runs of white space as one space, none at the ends."""
    return " ".join(text.replace("\x00", "").split())


def fold(text: str) -> str:
    """Return `text` for comparison: lower case, one space, no diacritics on Latin letters.

    Both Romanian spellings (cedilla and comma below) fold to the same; Cyrillic stays as it is.
    """
    composed = unicodedata.normalize("NFKC", collapse(text).casefold())
    return "".join(_plain(letter) for letter in composed)


def _plain(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() and base.isalpha() else letter


def bare(text: str) -> str:
    """Return the letters and digits of `text`, folded: what is left of a name without its manner."""
    return "".join(c for c in fold(text) if c.isalnum())


def present(text: str | None) -> str | None:
    """Return `text` collapsed, or None if it is one of the source's ways to say that there is nothing."""
    if text is None:
        return None
    collapsed = collapse(text)
    return None if fold(collapsed) in _ABSENT else collapsed


def parse_date(text: str, *, day_first: bool = True) -> date | None:
    """Read a date in the manners the source uses; None if it is none or could be two.

    `day_first` says whether 03/04/2020 is the third of April; if it is False, such a date, which could
    be either, is None.
    """
    folded = _DATE_SUFFIX.sub("", fold(text).strip(" ."))
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
    """Read a share in per cent; None if it is none or outside 0 to 100."""
    if isinstance(value, bool) or value is None:
        return None
    text = present(str(value))
    if text is None:
        return None
    try:
        share = Decimal(text.removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        return None
    return share if share.is_finite() and 0 <= share <= 100 else None
