"""Amounts need a known scale and currency: the scale is read where a page states it; otherwise the amount is unread."""

from decimal import Decimal

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.money_units import Unit, combine_units, unit_in, units_in, without_units
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO

TITLE = "<h2>Situații financiare, 2024</h2>"
LEI = Unit(is_lei=True)
THOUSANDS = Unit(1000, is_lei=True)


def read(content: str) -> Reading:
    return read_html(f"<main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{content}</main>", IDNO)


def figures(content: str) -> dict[int, dict[str, Decimal]]:
    return {statement.year: statement.figures() for statement in read(content).statements}


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "MDL '000",
            "lei, 000",
            "x1000 lei",
            "lei × 1.000",
            "mii lei",
            "mii de lei",
            "тыс. леев",
            "тысяч лей",
        ),
        *("in thousands of MDL", "MDL thousands", "MDL (in thousands)", "k lei", "в тысячах леев", "mii MDL"),
        "sume în mii de lei moldovenești",
    ],
)
def test_amounts_below_a_title_in_thousands_are_multiplied(unit: str) -> None:
    content = f"<h3>Situații financiare, 2024 ({unit})</h3><table><tr><td>Profit net</td><td>1 234,5</td></tr></table>"

    assert figures(content) == {2024: {"net_profit": Decimal(1234500)}}


@pytest.mark.parametrize(
    ("unit", "scale"),
    [("mil. lei", 10**6), ("mln lei", 10**6), ("млн леев", 10**6), ("mlrd. lei", 10**9), ("MDL bn", 10**9)],
)
def test_amounts_in_millions_are_multiplied(unit: str, scale: int) -> None:
    assert figures(f"{TITLE}<p>Profit net: −1,5 {unit}</p>") == {
        2024: {"net_profit": Decimal("-1.5") * scale}
    }


@pytest.mark.parametrize(
    "content",
    [
        "<h2>Indicatori financiari</h2><table><caption>mii lei</caption><tr><th>Indicator</th><th>2024</th>"
        "<th>2023</th></tr><tr><td>Total active</td><td>12 480,5</td><td>-</td></tr></table>",
        "<h2>Indicatori</h2><table><tr><th rowspan='2'>Indicator</th><th colspan='2'>mii lei</th></tr>"
        "<tr><th>2024</th><th>2023</th></tr><tr><td>Total active</td><td>12 480,5</td><td></td></tr></table>",
        "<h2>Indicatori</h2><table><tr><th>Indicator</th><th>2024, mii lei</th><th>2023, lei</th></tr>"
        "<tr><td>Total active</td><td>12 480,5</td><td></td></tr></table>",
        f"{TITLE}<table><tr><th>Indicator</th><th>U.M.</th><th>Valoare</th></tr>"
        "<tr><td>Total active</td><td>mii lei</td><td>12 480,5</td></tr></table>",
        f"{TITLE}<table><tr><td>Total active</td><td>12 480,5</td></tr></table><p>* Sumele sunt în mii lei</p>",
        f"{TITLE}<p><small>Unitate de măsură: mii lei</small></p><p>Total active: 12 480,5</p>",
        f"{TITLE}<div class='stat'><span>Total active</span><b>12 480,5</b><small>mii lei</small></div>",
        f"{TITLE}<dl><dt>Total active, mii lei</dt><dd>12 480,5</dd></dl>",
        "<h2>Situații financiare, 2024, lei</h2><p>(în mii)</p><p>Total active: 12 480,5</p>",
        "<div><div>Situații financiare (mii lei)</div><div><h4>2024</h4><p>Total active: 12 480,5</p></div></div>",
    ],
)
def test_scale_is_read_wherever_a_page_states_it(content: str) -> None:
    assert figures(content) == {2024: {"total_assets": Decimal(12480500)}}


@pytest.mark.parametrize(
    "content",
    [
        "<h2>Situații financiare, 2024 (mii lei)</h2><p>Total active: 5 000 lei</p>",
        "<h2>Situații financiare, 2024 (lei)</h2><p>Sumele sunt în mii lei</p><p>Total active: 5 000</p>",
        "<h2>Situații financiare, 2024 (mii lei / mln lei)</h2><p>Total active: 5 000</p>",
        f"{TITLE}<p>Total active: 5 000 zeci de mii lei</p>",
        "<h2>Situații financiare, 2024 (în mii)</h2><p>Total active: 5 000</p>",
        "<h2>Situații financiare, 2024 (EUR thousand)</h2><p>Total active: 5 000</p>",
        "<h2>Situații financiare, 2024 (lei românești)</h2><p>Total active: 5 000</p>",
        f"{TITLE}<p>Total active: $5,000.00</p>",
        f"{TITLE}<p>Cifrele sunt în USD</p><p>Total active: 5 000 lei</p>",
        f"{TITLE}<p>Total active: ~5 000 lei</p>",
        f"{TITLE}<p>Total active: &lt; 5 000 lei</p>",
        f"{TITLE}<p>Total active: 5 000 lei/acțiune</p>",
        f"{TITLE}<p>Total active: 12,345 mln lei</p>",
        f"{TITLE}<table><tr><td>Total active</td><td>5 000</td></tr></table><h2>Achiziții (lei)</h2><p>Altele: 5</p>",
        f"{TITLE}<table><tr><th>Indicator</th><th>U.M.</th><th>Valoare</th></tr>"
        "<tr><td>Total active</td><td>puncte</td><td>12</td></tr></table>",
    ],
)
def test_amount_without_one_certain_scale_of_lei_is_unread(content: str) -> None:
    reading = read(content)

    assert reading.statements == ()
    assert [item.field for item in reading.unread] == ["statements"]
    assert reading.unread[0].reason.startswith("total_assets: ")


def test_scale_of_another_section_does_not_count() -> None:
    content = "<h2>Situații financiare, 2024 (lei)</h2><p>Total active: 5 000</p>"

    assert figures(f"{content}<h2>Achiziții publice (mii lei)</h2><p>Contracte: 12</p>") == {
        2024: {"total_assets": Decimal(5000)}
    }


def test_each_row_has_its_own_unit() -> None:
    rows = "<tr><th>Indicator</th><th>U.M.</th><th>Valoare</th></tr>"
    rows += "<tr><td>Venituri din vânzări</td><td>mln. lei</td><td>3,25</td></tr>"
    rows += "<tr><td>Profit net</td><td>mii lei</td><td>418,6</td></tr>"
    rows += "<tr><td>Numerar</td><td>lei</td><td>57 903</td></tr>"

    assert figures(f"<h3>Indicatori financiari, anul 2024</h3><table>{rows}</table>") == {
        2024: {"revenue": Decimal(3250000), "net_profit": Decimal(418600), "cash": Decimal(57903)}
    }


@pytest.mark.parametrize(
    "content",
    [
        "<h3>Situații financiare (lei)</h3><table><tr><th>Indicator</th><th>{0}</th><th>{1}</th></tr>"
        "<tr><td>Total active</td><td>5 000</td><td>(4 000)</td></tr></table>",
        "<fieldset><legend>Financial statements (MDL)</legend><table>"
        "<tr><th>Year</th><th>Total assets</th><th>Cash</th></tr>"
        "<tr><td>{0}</td><td>5,000.00</td><td></td></tr><tr><td>{1}</td><td>−4,000.00</td><td></td></tr>"
        "</table></fieldset>",
        "<h3>Situații financiare (lei)</h3><div><div><div>Indicator</div><div>{0}</div><div>{1}</div></div>"
        "<div><div>Total active</div><div>5 000</div><div>−4 000</div></div></div>",
        "<h3>Situații financiare (lei)</h3><div><div>Indicator</div><div>{0}</div><div>{1}</div>"
        "<div>Total active</div><div>5 000</div><div>−4 000</div></div>",
        "<h3>Situații financiare</h3><div class='c'><div class='y'>{0}</div><p>Total active: 5 000 lei</p></div>"
        "<div class='c'><div class='y'>{1}</div><p>Total active: −4 000 lei</p></div>",
        "<h3>Situații financiare</h3><div><span>{0}</span><dl><dt>Total active</dt><dd>5 000 lei</dd></dl></div>"
        "<div><span>{1}</span><dl><dt>Total active</dt><dd>−4 000 lei</dd></dl></div>",
        "<fieldset><legend>{0}, lei</legend><p>Total active: <b>5 000</b></p></fieldset>"
        "<fieldset><legend>{1}, lei</legend><p>Total active: <b>−4 000</b></p></fieldset>",
    ],
)
@pytest.mark.parametrize("years", [("2024", "2023"), ("31.12.2024", "31.12.2023"), ("2024 г.", "2023 г.")])
def test_statements_of_several_years_are_read_in_every_form(content: str, years: tuple[str, str]) -> None:
    assert figures(content.format(*years)) == {
        2024: {"total_assets": Decimal(5000)},
        2023: {"total_assets": Decimal(-4000)},
    }


def test_year_of_an_other_row_is_no_column_header() -> None:
    rows = "<tr><td>Anul fondării</td><td>2015</td></tr><tr><td>Total active</td><td>5 000 lei</td></tr>"

    assert figures(f"{TITLE}<table>{rows}</table>") == {2024: {"total_assets": Decimal(5000)}}


@pytest.mark.parametrize("written", ["950¹ lei", "950* lei", "950 lei*", "950 lei¹"])
def test_mark_of_a_footnote_is_no_digit_of_an_amount(written: str) -> None:
    assert figures(f"{TITLE}<p>Total active: {written}</p>") in ({2024: {"total_assets": Decimal(950)}}, {})


def test_short_amount_after_a_label_is_no_count_of_entries() -> None:
    title = "<h2>Situații financiare, 2024, mii lei</h2>"

    assert figures(
        f"{title}<p>Profit net: 96</p><ul><li><span>Total active</span><span>120</span></li></ul>"
    ) == {2024: {"net_profit": Decimal(96000), "total_assets": Decimal(120000)}}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mii lei", THOUSANDS),
        ("MDL", LEI),
        ("EUR", Unit(is_lei=False)),
        ("RON", Unit(is_lei=False)),
        ("%", None),
        ("persoane", None),
        ("5 lei", None),
    ],
)
def test_unit_is_the_whole_text(text: str, unit: Unit | None) -> None:
    assert unit_in(text) == unit


@pytest.mark.parametrize(
    "text", ["Capital social: 5 400 lei", "27.000 lei", "1000 lei", "100,000 MDL", "mii de clienți", "KMDL"]
)
def test_text_without_a_unit_for_other_amounts_announces_none(text: str) -> None:
    assert units_in(text) == ()


@pytest.mark.parametrize(
    ("text", "rest"),
    [("2024, mii lei", "2024"), ("2024 (MDL '000)", "2024"), ("Total active (în mii lei)", "total active")],
)
def test_text_without_its_units_is_what_they_belong_to(text: str, rest: str) -> None:
    assert without_units(text) == rest


@pytest.mark.parametrize(
    ("own", "around", "scale"),
    [
        (LEI, [], 1),
        (Unit(), [LEI], 1),
        (Unit(), [LEI, Unit(1000)], 1000),
        (Unit(), [THOUSANDS, THOUSANDS], 1000),
        (LEI, [Unit(1000)], None),
        (Unit(), [LEI, THOUSANDS], None),
        (Unit(), [Unit(1000)], None),
        (LEI, [Unit(is_lei=False)], None),
        (Unit(), [], None),
    ],
)
def test_units_around_an_amount_must_agree(own: Unit, around: list[Unit], scale: int | None) -> None:
    assert combine_units(own, around)[0] == scale
