"""Tests of the grammar of dates."""

from datetime import UTC, date, datetime

import pytest

from pipeline.transform.date_text import latest_day, read_date
from pipeline.transform.grammar import Parsed
from pipeline.transform.source_text import words

_LATEST = date(2026, 11, 21)


@pytest.mark.parametrize(
    "text",
    [
        *words(
            "12.03.2015 | 12 martie 2015 | joi, 12 martie 2015 | 12.III.2015 | 12 III 2015 | 12 марта 2015 г."
        ),
        *words(
            "12-го марта 2015 года | March 12th, 2015 | 12th of March 2015 | 2015-03-12 | 12 . 03 . 2015 | 12/03/2015"
        ),
        *words(
            "четверг, 12 марта 2015 г. | Thu, 12 Mar 2015 | din 12.03.2015 | la data de 12 martie 2015 | с 12.03.2015"
        ),
        *words(
            "12.03.2015 г. | 12.03.2015 00:00 | 12.03.2015 (joi) | 12\u00a0martie\u00a02015 | 2015 martie 12"
        ),
    ],
)
def test_date_is_read_however_it_is_written(text: str) -> None:
    assert read_date(text, latest=_LATEST) == Parsed(date(2015, 3, 12))


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("12.03.2015 (11 ani)", "11 ani"),
        ("12.03.2015 (acum 11 ani)", "acum 11 ani"),
        ("12.03.2015 (11 лет назад)", "11 лет назад"),
        ("12 March 2015 (11 years ago)", "11 years ago"),
        ("12.03.2015 (reînregistrată la 01.02.2020)", "reînregistrată la 01.02.2020"),
        ("12.03.2015, перерегистрирована 01.02.2020", "перерегистрирована 01.02.2020"),
        ("12.03.2015 — re-registered on 1 February 2020", "re-registered on 1 February 2020"),
        ("12.03.2015 (Conform RSUD)", "Conform RSUD"),
        ("12.03.2015, 10:30", "10:30"),
    ],
)
def test_known_remark_after_a_date_is_kept(text: str, remark: str) -> None:
    assert read_date(text, latest=_LATEST) == Parsed(date(2015, 3, 12), (remark,))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("martie 2015", "it is not a complete date"),
        ("03.2015", "it is not a complete date"),
        ("2015", "it is not a complete date"),
        ("март 2015 г.", "it is not a complete date"),
        ("41711", "it is a number, not a date"),
        ("1426118400000", "it is a number, not a date"),
        ("31.06.2013", "the calendar has no such day"),
        ("30 februarie 2015", "the calendar has no such day"),
        ("09.02.2011 / 17.10.2016", "it has more than one date"),
        ("09.02.2011, 17.10.2016", "it has more than one date"),
        ("09.02.2011–17.10.2016", "it has more than one date"),
        ("09.02.2011 17.10.2016", "it has more than one date"),
        ("22.06.20111", "it is not a date"),
        ("20.08.1111", "it is a day before 1900"),
        ("05.11.2108", "it is a day after the capture"),
        ("22.11.2026", "it is a day after the capture"),
        ("09.07.03", "it is not a date"),
        ("12.03.2015 (aproximativ)", "its text is more than a date"),
        ("circa 12.03.2015", "its text is more than a date"),
        ("12.03.2015 (lichidată la 01.02.2020)", "it has more than one date"),
        ("Invalid Date", "it is left over from a template"),
        ("Conectați-vă pentru a vedea data", "it asks the visitor to do something"),
        ("str. 31 August 1989", "its text is more than a date"),
    ],
)
def test_text_that_is_not_one_complete_plausible_date_is_unread(text: str, reason: str) -> None:
    assert read_date(text, latest=_LATEST) == Parsed(reason=reason)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2003-07-08T21:00:00.000Z", date(2003, 7, 9)),
        ("2011-12-31T22:00:00.000Z", date(2012, 1, 1)),
        ("2011-12-31 22:00:00 UTC", date(2012, 1, 1)),
        ("2003-07-09T00:00:00.000Z", date(2003, 7, 9)),
        ("2003-07-09T00:00:00+03:00", date(2003, 7, 9)),
        ("2003-07-08T17:00:00-0400", date(2003, 7, 9)),
        ("2003-07-09T00:00:00", date(2003, 7, 9)),
        ("2003-07-09 10:15", date(2003, 7, 9)),
        ("2003-07-08T21:00:00", None),
        ("2003-02-30T21:00:00Z", None),
        ("9999-12-31T23:00:00Z", None),
    ],
)
def test_instant_is_the_calendar_day_in_chisinau(text: str, day: date | None) -> None:
    assert read_date(text).value == day


def test_last_plausible_day_is_the_day_after_the_capture_in_chisinau() -> None:
    assert latest_day(datetime(2026, 11, 20, 12, tzinfo=UTC)) == date(2026, 11, 21)
    assert latest_day(datetime(2026, 11, 20, 23, tzinfo=UTC)) == date(2026, 11, 22)
