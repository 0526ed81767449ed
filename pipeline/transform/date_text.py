"""The grammar of dates, in Romanian, Russian and English: the whole text is one date with known remarks, or unread."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

from pipeline.transform.grammar import Parsed, unread
from pipeline.transform.vocabulary.placeholders import placeholder_reason
from warehouse.folding import collapse, fold

_EARLIEST = date(1900, 1, 1)
_LONGEST = 120
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
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_MONTH_BY_NAME = {name: number for number, names in _MONTHS.items() for name in names} | {
    numeral: number for number, numeral in enumerate(_ROMAN, 1)
}
MONTH = rf"(?:{'|'.join(sorted(_MONTH_BY_NAME, key=len, reverse=True))})"
_WEEKDAY = (
    r"(?:luni|marti|miercuri|joi|vineri|sambata|simbata|duminica|lu|ma|mi|vi|sb|du|"
    r"понедельник|вторник|среда|среду|четверг|пятниц[ау]|суббот[ау]|воскресенье|пн|вт|ср|чт|пт|сб|вс|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|tues|wed|thu|thur|fri|sat|sun)"
)
_OPENING = re.compile(
    rf"""(?:(?:inregistrat[a]?|зарегистрирован[ао]?|registered)\ )?
    (?:(?:in\ |la\ )?data(?:\ de)?\ |din\ data\ de\ |de\ la\ |din\ |la\ |pe\ |с\ |от\ 
      |on\ |since\ |from\ |dated\ )?
    (?:{_WEEKDAY}[.,]?\s+)?""",
    re.VERBOSE,
)
_TIME = r"[t\s,]+(?:(?:la|ora|orele|в|at)\s+)?(\d{1,2}:\d{2}(?::\d{2})?)"
_FORMATS = tuple(
    (re.compile(pattern + r"(?!\w)"), order)
    for pattern, order in (
        (r"(\d{4})([-./])(\d{1,2})\2(\d{1,2})", (1, 3, 4)),
        (r"(\d{1,2})\s?\.\s?(\d{1,2})\s?\.\s?(\d{4})", (3, 2, 1)),
        (
            rf"(\d{{1,2}})(?:st|nd|rd|th|-?го|-?е)?[\s.-]+(?:of\s)?({MONTH})[.,]?[\s.-]+(\d{{4}})",
            (3, 2, 1),
        ),
        (rf"({MONTH})[.]?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})", (3, 1, 2)),
        (rf"(\d{{4}}),?\s({MONTH})\s(\d{{1,2}})", (1, 2, 3)),
    )
)
"""The ways to write a date, each with the groups of the year, the month and the day."""
_SLASHED = re.compile(r"(\d{1,2})\s*([/-])\s*(\d{1,2})\s*\2\s*(\d{4})(?!\w)")
_ENDING = re.compile(
    rf"(?:,?\s*(?:г(?:ода?)?|год|anul|an)(?!\w))?\.?(?:{_TIME})?(?:,?\s*\(?{_WEEKDAY}\)?(?!\w))?[\s.]*"
)
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[t ](\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d{1,9})?\s?(?:(z|utc|gmt)|([+-]\d{2}):?(\d{2})?)?"
)
_PARTIAL = re.compile(
    rf"(?:{MONTH}\.?,?\s+(?:anul\s)?\d{{4}}|\d{{1,2}}[./-]\d{{4}}|\d{{4}}([./-]\d{{1,2}})?)(?:\s?г\.?)?"
)
_REMARK = re.compile(r"\s*(?:[(\[](.{1,80})[)\]]|(?:[,;·|]|[–—-]\s)\s*(.{1,80}))")
_KNOWN_REMARK = re.compile(
    r"""(?:acum\ |de\ |varsta:?\ |vechime:?\ |возраст:?\ |age:?\ |~\s?)?
      \d{1,3}\ (?:de\ )?(?:ani?|luni|zile|лет|года?|месяц(?:а|ев)?|years?|months?|days?)
      (?:\ (?:in\ urma|назад|ago|old|de\ activitate|vechime|на\ рынке|pe\ piata))?
    | in\ varsta\ de\ \d{1,3}\ (?:de\ )?ani | acum\ mai\ multi\ ani | много\ лет\ назад | several\ years\ ago
    | (?:re-?inregistrat[a]?|перерегистрирован[ао]?|re-?registered|reorganizat[a]?)(?:\ .{1,60})?
    | (?:conform|potrivit)\ (?:rsud|registrului(?:\ de\ stat)?) | по\ (?:данным\ )?реестр[ау]
    | according\ to\ the\ register | per\ the\ register | rsud | verificat[a]? | проверено | verified
    | (?:nr\.?|№|no\.?|numarul)\ ?(?:de\ inregistrare\ )?[\w/-]{1,20}
    | inregistrarea?\ (?:initiala|primara|de\ stat) | initial[a]? | первичная | initial\ registration""",
    re.VERBOSE,
)


def read_date(text: str, *, day_first: bool = True, latest: date | None = None) -> Parsed[date]:
    """Read a date with the remarks after it; the whole text must be understood.

    "joi, 12 martie 2015" → 2015-03-12
    "12.03.2004 (22 ani)" → 2004-03-12 with the remark "22 ani"
    "2003-07-08T21:00:00.000Z" → 2003-07-09, the calendar day in Chișinău
    "martie 2014", "41711", "31.06.2013", "09.02.2011 / 17.10.2016" → unread

    Args:
        text: The text in the place of the date.
        day_first: Whether 03/04/2020 means the third of April. If False, such a date is unread.
        latest: The last plausible day; None accepts any day after 1900.
    """
    written = collapse(text)
    folded = fold(written)
    if len(folded) > _LONGEST or not any(map(str.isdigit, folded)):
        return unread(placeholder_reason(written) or "it is not a date")
    parsed = _read(folded, written if len(written) == len(folded) else folded, day_first)
    if parsed.value is None:
        return parsed
    if parsed.value < _EARLIEST:
        return unread("it is a day before 1900")
    if latest is not None and parsed.value > latest:
        return unread("it is a day after the capture")
    return parsed


def parse_date(text: str, *, day_first: bool = True) -> date | None:
    """Return the date that the whole text means; None if it is not one certain date."""
    return read_date(text, day_first=day_first).value


def latest_day(fetched_at: datetime | None) -> date:
    """Return the last plausible day in a capture: the day after it was fetched (None: now)."""
    return (fetched_at or datetime.now(UTC)).astimezone(_chisinau()).date() + timedelta(days=1)


def _read(folded: str, written: str, day_first: bool) -> Parsed[date]:
    if instant := _INSTANT.fullmatch(folded):
        return _day_of_instant(instant)
    start = opening.end() if (opening := _OPENING.match(folded)) else 0
    if slashed := _SLASHED.match(folded, start):
        day = _slashed_day(slashed, day_first)
        if day is None:
            return unread("its day and its month are not certain")
        return _with_remarks(day, folded, written, slashed.end())
    found, end = _day_at(folded, start)
    if end is None:
        return unread(_reason(folded))
    if found is None:
        return unread("the calendar has no such day")
    return _with_remarks(found, folded, written, end)


def _day_at(folded: str, start: int) -> tuple[date | None, int | None]:
    """Return the day at a position (None if the calendar has no such day), and where it ends (None: no date)."""
    for pattern, (year, month, day) in _FORMATS:
        if match := pattern.match(folded, start):
            number = _MONTH_BY_NAME.get(match[month]) or int(match[month])
            return _day(match[year], number, match[day]), match.end()
    return None, None


def _slashed_day(match: re.Match[str], day_first: bool) -> date | None:
    first, second, year = match[1], match[3], match[4]
    if not day_first and int(first) <= 12 and int(second) <= 12 and first != second:
        return None
    return _day(year, int(second), first) or _day(year, int(first), second)


def _day(year: str, month: int, day: str) -> date | None:
    try:
        return date(int(year), month, int(day))
    except ValueError:
        return None


def _day_of_instant(match: re.Match[str]) -> Parsed[date]:
    """Return the calendar day in Chișinău of an instant; unread if it has no time zone and the day depends on it."""
    try:
        written = datetime.combine(date.fromisoformat(match[1]), time.fromisoformat(match[2]))
        if match[3]:
            return Parsed(written.replace(tzinfo=UTC).astimezone(_chisinau()).date())
        if match[4]:
            offset = timedelta(hours=int(match[4]), minutes=int(f"{match[4][0]}{match[5] or 0}"))
            return Parsed(written.replace(tzinfo=timezone(offset)).astimezone(_chisinau()).date())
    except (ValueError, OverflowError):
        return unread("the calendar has no such instant")
    if written.replace(tzinfo=UTC).astimezone(_chisinau()).date() != written.date():
        return unread("it is an instant without a time zone")
    return Parsed(written.date())


def _with_remarks(found: date, folded: str, written: str, end: int) -> Parsed[date]:
    """Return the date with what stands after it; unread if that is not a known remark."""
    remarks: list[str] = []
    if ending := _ENDING.match(folded, end):
        end = ending.end()
        if ending[1] and ending[1].strip("0:"):
            remarks.append(ending[1])
    while end < len(folded):
        match = _REMARK.match(folded, end)
        group = 1 if match and match[1] else 2
        if match is None or not _KNOWN_REMARK.fullmatch(match[group].strip(" .")):
            return unread(_reason(folded))
        remarks.append(written[match.start(group) : match.end(group)].strip())
        end = match.end()
    return Parsed(found, tuple(remarks))


def _reason(folded: str) -> str:
    if folded.isdigit() and len(folded) != 4:
        return "it is a number, not a date"
    if _PARTIAL.fullmatch(folded):
        return "it is not a complete date"
    dates = sum(len(pattern.findall(folded)) for pattern, _ in _FORMATS[:3]) + len(_SLASHED.findall(folded))
    if dates > 1:
        return "it has more than one date"
    return "its text is more than a date" if dates else placeholder_reason(folded) or "it is not a date"


@cache
def _chisinau() -> ZoneInfo:
    return ZoneInfo("Europe/Chisinau")
