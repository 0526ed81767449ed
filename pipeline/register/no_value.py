"""What lists of companies write where they have no value, in Romanian, Russian and English, folded."""

from datetime import date, time

from openpyxl.cell.cell import ERROR_CODES

from pipeline.transform.source_text import fold, words

_NO_VALUE = frozenset(
    words(
        "null | undefined | n/a | n.a. | n.a | n\\a | not applicable | nu este cazul | fara date | нет данных | н/д |"
        " не применимо"
    )
)
_NOT_LIQUIDATED = frozenset(
    words(
        "0 | none | nil | nan | na | no | active | not liquidated | not dissolved |"
        " lipsa | lipseste | nu | nu are | nu exista | nu este lichidat | nu este lichidata | nelichidat |"
        " nelichidata | activ | activa | in activitate | functioneaza |"
        " нет | отсутствует | не ликвидирован | не ликвидирована | не ликвидировано | действует | действующая |"
        " действующее | активна | активно | активная |"
        " 00.00.0000 | 0000-00-00 | 00.01.1900 | 00/00/0000 | 0000-00-00 00:00:00"
    )
)
_CELL_ERRORS = frozenset(map(fold, ERROR_CODES))
_MARKS = frozenset(" -‐‑‒–—―−_./|~*'\"“”„«»()[]")
"""A text of these marks alone has no value. A question mark is none of them: it says that the value is unknown."""
ZERO_DAYS = frozenset(
    {date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1904, 1, 1), date(1970, 1, 1)}
)
"""The days with which the calendars of spreadsheets and computers begin: what an empty date becomes by conversion."""


def is_absent(value: object) -> bool:
    """Tell whether a value is null, one of the texts for "no value", or the error of a spreadsheet's cell.

    "n/a", "—", " NULL ", "нет данных", "", "#N/A" → True; "?", "0", "necunoscut" → False
    """
    if not isinstance(value, str):
        return value is None
    folded = fold(value).rstrip(" !")
    return not set(folded) - _MARKS or folded in _NO_VALUE or fold(value) in _CELL_ERRORS


def is_no_liquidation(value: object) -> bool:
    """Tell whether the value in the place of a date of liquidation states that there is none.

    "-", "0", 0, "nelichidată", "00.00.0000" → True; "?", "da", 2019, "#N/A" → False
    """
    if isinstance(value, bool) or (isinstance(value, str) and fold(value) in _CELL_ERRORS):
        return False
    if value == 0 or value == time():  # openpyxl reads the number 0 in a cell for dates as midnight
        return True
    return is_absent(value) or (isinstance(value, str) and fold(value).rstrip(" .!") in _NOT_LIQUIDATED)
