"""Reading of company pages in every layout, by labels and structure alone."""

from decimal import Decimal

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading, Unread
from tests.pipeline.transform.html_pages import (
    FRAMES,
    IDNO,
    LABELS,
    LAYOUTS,
    OWNER_IDNO,
    Frame,
    Layout,
    PageCompany,
    page,
)
from warehouse.records.models import CompanyStatus, PartyKind


def read(content: str) -> Reading:
    """Read a page with `content` after the heading and the IDNO."""
    return read_html(f"<body><main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{content}</main></body>", IDNO)


def founders(reading: Reading) -> dict[str, str]:
    return {party.name: str(party.share) for party in reading.founders}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lang", LABELS)
def test_every_fact_is_read_in_every_layout_frame_and_language(
    layout: Layout, frame: Frame, lang: str
) -> None:
    company = PageCompany(labels=LABELS[lang])

    reading = read_html(page(company, layout, frame), IDNO)

    assert (reading.idno, reading.name, reading.address) == (IDNO, company.name, company.address)
    assert (reading.legal_form, reading.status) == ("SRL", CompanyStatus.ACTIVE)
    assert str(reading.registered_on) == "2020-07-09"
    assert founders(reading) == company.founders
    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]
    assert reading.notes == ()


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_page_with_only_a_name_yields_no_other_fact(layout: Layout, frame: Frame) -> None:
    sparse = PageCompany(form="", status="", date="", address="", founders={}, administrators=())

    reading = read_html(page(sparse, layout, frame), IDNO)

    assert reading == Reading(idno=IDNO, name=sparse.name)


def test_status_and_legal_form_are_read_from_badges_next_to_the_heading() -> None:
    html = f"<h1>PLOPENA AGRO <span>Activă</span></h1><span>Societate pe acțiuni</span><p>IDNO {IDNO}</p>"

    reading = read_html(html, IDNO)

    assert (reading.name, reading.idno) == ("PLOPENA AGRO", IDNO)
    assert (reading.status, reading.legal_form) == (CompanyStatus.ACTIVE, "SA")


def test_legal_form_and_status_are_read_from_one_subtitle() -> None:
    reading = read_html(
        f"<h1>PLOPENA AGRO</h1><p>SRL · Lichidată · Chișinău</p><dl><dt>IDNO</dt><dd>{IDNO}</dd></dl>", IDNO
    )

    assert (reading.status, reading.legal_form) == (CompanyStatus.INACTIVE, "SRL")


def test_table_row_with_two_labels_yields_both_values() -> None:
    reading = read(
        "<table><tr><th>Statut</th><td>Activă</td><th>Adresa</th><td>str. Pilda, 1</td></tr></table>"
    )

    assert (reading.status, reading.address) == (CompanyStatus.ACTIVE, "str. Pilda, 1")


def test_row_with_one_label_is_the_header_of_the_rows_below() -> None:
    reading = read(
        "<table><tr><th colspan=2>Fondatori</th></tr><tr><td>MODELEANU ION</td><td>40%</td></tr>"
        "<tr><td>EXEMPLESCU MARIA</td><td>60%</td></tr><tr><th colspan=2>Administratori</th></tr>"
        "<tr><td>PROBARU VASILE</td><td>Director</td></tr></table>"
    )

    assert founders(reading) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}
    assert [(party.name, party.role) for party in reading.administrators] == [("PROBARU VASILE", "Director")]


def test_row_header_with_rowspan_covers_its_whole_list() -> None:
    reading = read(
        "<table><tr><th rowspan=2>Fondatori</th><td>MODELEANU ION (40%)</td></tr>"
        "<tr><td>EXEMPLESCU MARIA (60%)</td></tr>"
        "<tr><th>Adresa</th><td>str. Pilda, 1</td></tr></table>"
    )

    assert founders(reading) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}
    assert reading.address == "str. Pilda, 1"


def test_caption_is_the_label_of_its_table() -> None:
    head = "<tr><th>Nr.</th><th>Nume</th><th>Data</th><th>Cota</th></tr>"
    row = "<tr><td>1</td><td>MODELEANU ION</td><td>01.02.2020</td><td>100</td></tr>"

    reading = read(f"<table><caption>Fondatori</caption>{head}{row}</table>")

    assert founders(reading) == {"MODELEANU ION": "100"}


def test_column_with_several_companies_yields_no_fact() -> None:
    reading = read(
        "<table><tr><th>IDNO</th><th>Adresa</th><th>Administrator</th></tr>"
        f"<tr><td>{IDNO}</td><td>str. Una, 1</td><td>UNU ION</td></tr>"
        f"<tr><td>{OWNER_IDNO}</td><td>str. Alta, 2</td><td>DOI ION</td></tr></table>"
    )

    assert (reading.address, reading.administrators) == (None, ())


def test_columns_are_read_from_plain_blocks() -> None:
    head = "<div><div>Forma juridică</div><div>Statut</div><div>Adresa</div></div>"

    reading = read(f"<div>{head}<div><div>SRL</div><div>Activă</div><div>str. Pilda, 1</div></div></div>")

    assert (reading.legal_form, reading.status, reading.address) == (
        "SRL",
        CompanyStatus.ACTIVE,
        "str. Pilda, 1",
    )


def test_map_link_is_not_part_of_the_address() -> None:
    assert (
        read("<dl><dt>Adresa</dt><dd>str. Pilda, 1 <a href='/map'>Vezi pe hartă</a></dd></dl>").address
        == "str. Pilda, 1"
    )


def test_address_in_pieces_or_lines_is_read_as_one() -> None:
    pieces = "<p>Adresa: <span>MD-2001</span>, <span>Chișinău</span>, <span>str. Pilda</span></p>"
    lines = "<dl><dt>Adresa</dt><dd>MD-2001, Chișinău,<br>str. Pilda</dd></dl>"

    assert read(pieces).address == read(lines).address == "MD-2001, Chișinău, str. Pilda"


def test_two_similar_blocks_below_a_label_yield_no_address() -> None:
    assert read("<h4>Adresa</h4><p class='v'>str. Pilda, 1</p><p class='v'>mun. Chișinău</p>").address is None


def test_address_that_continues_on_the_next_line_is_not_truncated() -> None:
    assert (
        read("<div><b>Adresa:</b> MD-2001, Chișinău<br>str. Pilda, 1<br><b>Telefon:</b> 022</div>").address
        is None
    )
    assert read("<div>Adresa: MD-2001, Chișinău<br>str. Pilda, 1</div>").address is None


@pytest.mark.parametrize("label", ["<b>Fondatori:</b> ", "Fondatori: ", "<b>Fondatori:</b><br>"])
def test_list_is_read_across_line_breaks(label: str) -> None:
    lines = f"<div>{label}MODELEANU ION (40%)<br>EXEMPLESCU MARIA (60%)<br><b>Administrator:</b> PROBARU VASILE</div>"

    reading = read(lines)

    assert founders(reading) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}
    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_extremely_deep_page_is_read_down_to_the_depth_limit() -> None:
    html = f"<h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{'<div>' * 3000}<p>Adresa: x</p>"

    assert read_html(html, IDNO) == Reading(idno=IDNO, name="PLOPENA AGRO")


def test_blank_value_is_not_filled_from_the_next_label() -> None:
    for blank in (
        "<p>Adresa:</p><p>Telefon: 022</p>",
        "<div><i>Adresa</i><i></i><i>Raion</i><i>Soroca</i></div>",
    ):
        assert read(blank).address is None
    assert read("<p><b>Adresa:</b></p><p><b>Raion:</b> Soroca</p>").address is None
    assert (
        read(
            "<div><div class='l'>Adresa</div><div class='v'></div><div class='l'>Zona</div><div class='v'>X</div></div>"
        ).address
        is None
    )


def test_email_address_is_not_read_as_an_address() -> None:
    assert (
        read("<dl><dt>Adresa de e-mail</dt><dd>a@b.md</dd><dt>Adresa</dt><dd>a@b.md</dd></dl>").address
        is None
    )


def test_other_dates_are_not_read_as_the_registration_date() -> None:
    reading = read(
        "<dl><dt>Data înregistrării TVA</dt><dd>01.02.2003</dd><dt>Data lichidării</dt><dd>01.02.2004</dd></dl>"
    )

    assert reading.registered_on is None


def test_two_different_values_are_unread() -> None:
    reading = read("<dl><dt>Adresa</dt><dd>str. Una, 1</dd><dt>Sediul</dt><dd>str. Alta, 2</dd></dl>")

    assert reading.address is None
    reason = "the page shows 2 different values"
    assert reading.unread == (Unread("address", "str. Una, 1 | str. Alta, 2", reason),)


def test_tab_panel_is_read_if_its_tab_references_it() -> None:
    reading = read(
        "<div role=tablist><div role=tab aria-controls=t1>Fondatori</div>"
        "<div role=tab aria-controls=t2>Administratori</div></div>"
        "<div role=tabpanel id=t1><p>MODELEANU ION (100%)</p></div>"
        "<div role=tabpanel id=t2 hidden><p>PROBARU VASILE</p></div>"
    )

    assert founders(reading) == {"MODELEANU ION": "100"}
    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_party_cards_yield_names_shares_and_linked_idnos() -> None:
    reading = read(
        "<div><h3>Fondatori</h3><a>Vezi toți</a></div><div>"
        "<a class='c' href='/persons/ab'><div>MI</div><div><p>MODELEANU ION</p><p>Cota-parte: 40 %</p></div></a>"
        f"<a class='c' href='/companies/{OWNER_IDNO}'><div>AF</div><div><p>ALFA FRUCT</p>"
        "<p>Cota-parte: 60 %</p></div></a></div>"
    )

    assert founders(reading) == {"MODELEANU ION": "40", "ALFA FRUCT": "60"}
    assert [(party.kind, party.idno) for party in reading.founders] == [
        (PartyKind.PERSON, None),
        (PartyKind.COMPANY, OWNER_IDNO),
    ]


def test_idno_of_a_founding_company_is_read() -> None:
    reading = read(
        f"<h3>Fondatori</h3><ol><li>1. ALFA, IDNO {OWNER_IDNO}, cota 12,5 %</li><li>2. MODELEANU ION — 87.5%</li></ol>"
    )

    first, second = reading.founders
    assert (first.name, first.idno, first.share, first.kind) == (
        "ALFA",
        OWNER_IDNO,
        Decimal("12.5"),
        PartyKind.COMPANY,
    )
    assert (second.name, second.share, second.kind) == ("MODELEANU ION", Decimal("87.5"), PartyKind.PERSON)


def test_flat_grid_with_headers_is_read_as_a_table() -> None:
    cells = "".join(
        f"<div>{text}</div>" for text in ("Nume", "Cota", "MODELEANU ION", "40%", "EXEMPLESCU MARIA", "60%")
    )

    assert founders(read(f"<h3>Fondatori</h3><div>{cells}</div>")) == {
        "MODELEANU ION": "40",
        "EXEMPLESCU MARIA": "60",
    }


def test_alternating_names_and_shares_are_paired() -> None:
    turns = "<p class='n'>MODELEANU ION</p><p class='s'>40%</p><p class='n'>EXEMPLESCU MARIA</p><p class='s'>60%</p>"

    assert founders(read(f"<h3>Fondatori</h3>{turns}")) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}


def test_name_in_pieces_is_joined_or_left_out() -> None:
    same = "<ul><li><span>MODELEANU</span> <span>ION</span> (100%)</li></ul>"
    different = "<ul><li><span class='a'>MODELEANU</span> <span class='b'>Ion</span></li></ul>"

    assert founders(read(f"<h3>Fondatori</h3>{same}")) == {"MODELEANU ION": "100"}
    assert read(f"<h3>Fondatori</h3>{different}").founders == ()


@pytest.mark.parametrize(
    "nothing",
    ["—", "Nu există date", "Lipsesc date", "Данные отсутствуют", "Не указаны", "No records", "NULL", ""],
)
def test_text_that_states_an_empty_list_is_not_a_party(nothing: str) -> None:
    reading = read(
        f"<h3>Fondatori</h3><p>{nothing}</p><h3>Administratori</h3><ul><li>{nothing}</li></ul><h3>Activități</h3>"
    )

    assert (reading.founders, reading.administrators) == ((), ())


@pytest.mark.parametrize(
    "heading", ["Compania nu a fost găsită", "Eroare", "Something went wrong", "Загрузка…"]
)
def test_error_message_in_the_heading_is_not_a_name(heading: str) -> None:
    assert read_html(f"<h1>{heading}</h1>", IDNO) == Reading()


def test_page_without_heading_yields_only_its_idno() -> None:
    assert read_html(f"<p>IDNO: {IDNO}</p><p>Adresa: str. Pilda, 1</p>", IDNO) == Reading(idno=IDNO)


def test_page_of_another_company_yields_its_own_idno() -> None:
    assert read_html(page(PageCompany()), OWNER_IDNO).idno == IDNO


def test_dash_separates_a_label_from_its_value() -> None:
    reading = read(
        "<ul><li>Adresa — str. Pilda, 1</li><li>Statut – Activ</li><li>Administrator - PROBARU VASILE</li></ul>"
    )

    assert (reading.address, reading.status) == ("str. Pilda, 1", CompanyStatus.ACTIVE)
    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_note_below_a_list_is_not_a_party() -> None:
    reading = read(
        "<h3>Administratori</h3><p>PROBARU VASILE</p><p>din 01.02.2020</p><p>Datele sunt actualizate zilnic.</p>"
    )

    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_country_among_loose_blocks_is_a_remark_on_the_founder() -> None:
    card = "<div><div>MODELEANU ION</div><div>Republica Moldova</div><div>100%</div></div>"

    [founder] = read(f"<h3>Fondatori</h3>{card}").founders

    assert (founder.name, founder.share, founder.remark) == (
        "MODELEANU ION",
        Decimal(100),
        "Republica Moldova",
    )


def test_other_columns_in_a_founders_table_are_ignored() -> None:
    head = "<tr><th>ФИО</th><th>Гражданство</th><th>Доля, %</th><th>Сумма</th></tr>"
    row = "<tr><td>MODELEANU ION</td><td>MD</td><td>50,5</td><td>2700</td></tr>"
    total = "<tr><td>Итого</td><td></td><td>100</td><td>5400</td></tr>"

    assert founders(read(f"<h3>Учредители</h3><table>{head}{row}{total}</table>")) == {
        "MODELEANU ION": "50.5"
    }
