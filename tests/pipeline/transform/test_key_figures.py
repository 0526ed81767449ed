"""Key figures on a page: their year, unit and value, and those left out as uncertain."""

from decimal import Decimal

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.html.statement_years import year_of_statement
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import FRAMES, IDNO, LAYOUTS, Frame, Layout, PageCompany, page


def read(content: str) -> Reading:
    return read_html(f"<main><h1>PLOPENA 2020 SRL</h1><p>IDNO: {IDNO}</p>{content}</main>", IDNO)


def figures(content: str) -> dict[int, dict[str, Decimal]]:
    return {statement.year: statement.figures() for statement in read(content).statements}


TITLE = "<h2>Situații financiare, 2024</h2>"


@pytest.mark.parametrize(
    "content",
    [
        f"<div>{TITLE}<dl><dt>Total active</dt><dd>1 234 567 MDL</dd></dl></div>",
        f"{TITLE}<table><tr><th>Total active:</th><td>1&nbsp;234&nbsp;567 lei</td></tr></table>",
        f"{TITLE}<p>TOTAL ACTIVE: 1.234.567 lei</p>",
        f"{TITLE}<p><b>Total active, lei:</b> 1 234 567</p>",
        f"{TITLE}<h3>Bilanț</h3><p><b>Total active (MDL)</b> 1 234 567</p>",
        f"{TITLE}<div><div>Total active</div><div>1 234 567 MDL</div></div>",
        f"{TITLE}<section><h3>Total active</h3><p>1 234 567 MDL</p></section>",
        "<h2>Финансовая отчётность за 2024 год</h2><p>Итого активы: 1 234 567 леев</p>",
        "<h2>Financial statements (2024)</h2><p>Total assets: <span>1,234,567</span> <span>MDL</span></p>",
        "<section><div>Bilanț la 31.12.2024</div><p>Total active: 1 234 567 MDL</p><p>Altele: 1</p></section>",
        "<h2>Date financiare</h2><table><caption>2024</caption>"
        "<tr><td>Total active</td><td>1 234 567 MDL</td></tr></table>",
        "<h2>Indicatori</h2><table><tr><th>Indicator, lei</th><th>2024</th></tr>"
        "<tr><td>Total active</td><td>1 234 567</td></tr></table>",
    ],
)
def test_figure_below_a_title_with_its_year_is_read(content: str) -> None:
    assert figures(content) == {2024: {"total_assets": Decimal(1234567)}}


def test_table_with_a_column_for_each_year_is_read() -> None:
    rows = "<tr><th>Indicator</th><th>Cod</th><th>2024, MDL</th><th>2023, MDL</th><th>%</th></tr>"
    rows += "<tr><td>Total active</td><td>430</td><td>12 000</td><td>11 000</td><td>9</td></tr>"
    rows += "<tr><td>Profit net</td><td>180</td><td>(500)</td><td>—</td><td></td></tr>"

    assert figures(f"<h2>Date financiare</h2><table>{rows}</table>") == {
        2024: {"total_assets": Decimal(12000), "net_profit": Decimal(-500)},
        2023: {"total_assets": Decimal(11000)},
    }


def test_table_with_a_row_for_each_year_is_read() -> None:
    rows = "<tr><th>Anul</th><th>Total active (lei)</th><th>Profit net (lei)</th></tr>"
    rows += (
        "<tr><td>2024</td><td>12 000</td><td>−500</td></tr><tr><td>2023</td><td>11 000</td><td>7</td></tr>"
    )

    assert figures(f"<table>{rows}</table>") == {
        2024: {"total_assets": Decimal(12000), "net_profit": Decimal(-500)},
        2023: {"total_assets": Decimal(11000), "net_profit": Decimal(7)},
    }


def test_statements_of_several_years_on_one_page_are_read() -> None:
    content = "".join(
        f"<h3>Bilanț {year}</h3><dl><dt>Total active</dt><dd>{year - 2000} 000 MDL</dd></dl>"
        for year in (2024, 2023)
    )

    assert figures(f"<section><h2>Situații financiare</h2>{content}</section>") == {
        2024: {"total_assets": Decimal(24000)},
        2023: {"total_assets": Decimal(23000)},
    }


def test_ambiguous_separator_is_resolved_by_the_other_amounts() -> None:
    around = "<p>Total assets: 1,234,567 MDL</p>"

    assert figures(f"{TITLE}{around}<p>Cash: 5,400 MDL</p>")[2024]["cash"] == 5400
    assert figures(f"{TITLE}<p>Cash: 5,400 MDL</p>") == {}


@pytest.mark.parametrize(
    "content",
    [
        "<p>Total active: 5 000 MDL</p>",
        "<h2>Situații financiare</h2><p>Total active: 5 000 MDL</p>",
        "<h2>Situații financiare, 2023–2024</h2><p>Total active: 5 000 MDL</p>",
        "<h2>Situații financiare, 2024 și 2023</h2><p>Total active: 5 000 MDL</p>",
        "<h2>Trimestrul I 2024: indicatori</h2><p>Total active: 5 000 MDL</p>",
        "<h2>Indicatori, actualizat la 15.03.2024</h2><p>Total active: 5 000 MDL</p>",
        "<h2>Bilanț la 01.01.2024</h2><p>Total active: 5 000 MDL</p>",
        "<h2>Știri 2024</h2><p>Total active: 5 000 MDL</p>",
        f"{TITLE}<h2>Altele</h2><p>Total active: 5 000 MDL</p>",
        f"{TITLE}<p>Total active: 5 000</p>",
        f"{TITLE}<p>Total active: 5 zeci de mii lei</p>",
        f"{TITLE}<p>Sume în mii lei</p><p>Total active: 5 000 MDL</p>",
        "<h2>Situații financiare, 2024 (mii lei)</h2><p>Total active: 5 000 MDL</p>",
        "<h2>Финансовая отчётность, 2024, тыс. леев</h2><p>Итого активы: 5 000 MDL</p>",
        f"{TITLE}<p>Total active: 5 000 EUR</p>",
        f"{TITLE}<p><b>Total active, lei</b> 5 000 EUR</p>",
        f"{TITLE}<p>Profit net - 5 000 MDL</p>",
        f"{TITLE}<p><b>Profit net</b> – <span>5 000 MDL</span></p>",
        f"{TITLE}<div><span>Total active</span><span>5 000 MDL</span><span>6 000 MDL</span></div>",
        f"{TITLE}<p><b>Total active, lei</b> <span>5 000</span><span>6 000</span></p>",
        f"{TITLE}<table><tr><th>Indicator</th><th>La început</th><th>La sfârșit</th></tr>"
        "<tr><td>Total active</td><td>5 000 MDL</td><td>6 000 MDL</td></tr></table>",
        "<table><tr><th>Indicator, lei</th><th>2024</th><th>2024</th></tr>"
        "<tr><td>Total active</td><td>5 000</td><td>6 000</td></tr></table>",
        f"{TITLE}<p>Total active: 5 000 MDL</p><p>TOTAL ACTIVE: 6 000 MDL</p>",
    ],
)
def test_figure_with_uncertain_year_unit_or_value_is_unread(content: str) -> None:
    reading = read(content)

    assert reading.statements == ()
    assert {item.field for item in reading.unread} == {"statements"}


@pytest.mark.parametrize("nothing", ["—", "Nu există date", "NULL"])
def test_figure_stated_as_absent_is_not_unread(nothing: str) -> None:
    reading = read(f"{TITLE}<dl><dt>Total active</dt><dd>{nothing}</dd></dl>")

    assert (reading.statements, reading.unread, reading.notes) == ((), (), ())


@pytest.mark.parametrize(
    "label", ["Total active circulante", "Capital social", "Profit", "Active", "Datorii"]
)
def test_row_with_a_similar_label_is_not_a_key_figure(label: str) -> None:
    assert figures(f"{TITLE}<p>{label}: 5 000 MDL</p>") == {}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_key_figures_do_not_change_other_facts(layout: Layout, frame: Frame) -> None:
    plain = page(PageCompany(), layout, frame)
    figures = f"<div>{TITLE}<dl><dt>Total active</dt><dd>1 234 567 MDL</dd></dl></div>"
    before, after = (
        read_html(plain, IDNO),
        read_html(page(PageCompany(), lambda c: layout(c) + figures, frame), IDNO),
    )

    assert [statement.year for statement in after.statements] == [2024]
    for field in ("legal_form", "status", "registered_on", "address", "founders", "administrators"):
        assert getattr(after, field) == getattr(before, field)


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Situații financiare, 2024", 2024),
        ("Bilanț la 31.12.2024", 2024),
        ("2024", 2024),
        ("Anul 2024", 2024),
        ("за 2024 год", 2024),
        ("Key figures 2024", 2024),
        ("Situații financiare", None),
        ("Raport 1985", None),
        ("PLOPENA 2024", None),
        ("Rezultate 9 luni 2024", None),
        ("Отчёт за 1 квартал 2024", None),
        ("Situații financiare 2024/25", None),
    ],
)
def test_title_yields_a_whole_year_or_none(title: str, year: int | None) -> None:
    assert year_of_statement(title) == year
