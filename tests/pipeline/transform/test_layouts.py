"""Company pages read in every layout, by labels and structure alone."""

from decimal import Decimal

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading
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
    """Read a page in which `content` follows the heading and the IDNO."""
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
def test_a_company_with_nothing_but_a_name_has_no_facts(layout: Layout, frame: Frame) -> None:
    sparse = PageCompany(form="", status="", date="", address="", founders={}, administrators=())

    reading = read_html(page(sparse, layout, frame), IDNO)

    assert reading == Reading(idno=IDNO, name=sparse.name)


def test_badges_beside_the_heading_are_read() -> None:
    html = f"<h1>PLOPENA AGRO <span>Activă</span></h1><span>Societate pe acțiuni</span><p>IDNO {IDNO}</p>"

    reading = read_html(html, IDNO)

    assert (reading.name, reading.idno) == ("PLOPENA AGRO", IDNO)
    assert (reading.status, reading.legal_form) == (CompanyStatus.ACTIVE, "SA")


def test_a_subtitle_joins_the_form_and_the_status() -> None:
    reading = read_html(
        f"<h1>PLOPENA AGRO</h1><p>SRL · Lichidată · Chișinău</p><dl><dt>IDNO</dt><dd>{IDNO}</dd></dl>", IDNO
    )

    assert (reading.status, reading.legal_form) == (CompanyStatus.INACTIVE, "SRL")


def test_a_row_may_hold_two_labels_with_their_values() -> None:
    reading = read(
        "<table><tr><th>Statut</th><td>Activă</td><th>Adresa</th><td>str. Pilda, 1</td></tr></table>"
    )

    assert (reading.status, reading.address) == (CompanyStatus.ACTIVE, "str. Pilda, 1")


def test_a_row_that_is_one_label_heads_the_rows_below() -> None:
    reading = read(
        "<table><tr><th colspan=2>Fondatori</th></tr><tr><td>MODELEANU ION</td><td>40%</td></tr>"
        "<tr><td>EXEMPLESCU MARIA</td><td>60%</td></tr><tr><th colspan=2>Administratori</th></tr>"
        "<tr><td>PROBARU VASILE</td><td>Director</td></tr></table>"
    )

    assert founders(reading) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}
    assert [(party.name, party.role) for party in reading.administrators] == [("PROBARU VASILE", "Director")]


def test_a_head_may_span_the_rows_of_its_list() -> None:
    reading = read(
        "<table><tr><th rowspan=2>Fondatori</th><td>MODELEANU ION (40%)</td></tr>"
        "<tr><td>EXEMPLESCU MARIA (60%)</td></tr>"
        "<tr><th>Adresa</th><td>str. Pilda, 1</td></tr></table>"
    )

    assert founders(reading) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}
    assert reading.address == "str. Pilda, 1"


def test_a_caption_heads_its_table() -> None:
    head = "<tr><th>Nr.</th><th>Nume</th><th>Data</th><th>Cota</th></tr>"
    row = "<tr><td>1</td><td>MODELEANU ION</td><td>01.02.2020</td><td>100</td></tr>"

    reading = read(f"<table><caption>Fondatori</caption>{head}{row}</table>")

    assert founders(reading) == {"MODELEANU ION": "100"}


def test_a_label_as_a_columns_head_of_many_companies_says_nothing() -> None:
    reading = read(
        "<table><tr><th>IDNO</th><th>Adresa</th><th>Administrator</th></tr>"
        f"<tr><td>{IDNO}</td><td>str. Una, 1</td><td>UNU ION</td></tr>"
        f"<tr><td>{OWNER_IDNO}</td><td>str. Alta, 2</td><td>DOI ION</td></tr></table>"
    )

    assert (reading.address, reading.administrators) == (None, ())


def test_columns_may_be_plain_blocks() -> None:
    head = "<div><div>Forma juridică</div><div>Statut</div><div>Adresa</div></div>"

    reading = read(f"<div>{head}<div><div>SRL</div><div>Activă</div><div>str. Pilda, 1</div></div></div>")

    assert (reading.legal_form, reading.status, reading.address) == (
        "SRL",
        CompanyStatus.ACTIVE,
        "str. Pilda, 1",
    )


def test_a_link_to_the_map_is_no_part_of_the_address() -> None:
    assert (
        read("<dl><dt>Adresa</dt><dd>str. Pilda, 1 <a href='/map'>Vezi pe hartă</a></dd></dl>").address
        == "str. Pilda, 1"
    )


def test_an_address_in_pieces_or_lines_is_one_address() -> None:
    pieces = "<p>Adresa: <span>MD-2001</span>, <span>Chișinău</span>, <span>str. Pilda</span></p>"
    lines = "<dl><dt>Adresa</dt><dd>MD-2001, Chișinău,<br>str. Pilda</dd></dl>"

    assert read(pieces).address == read(lines).address == "MD-2001, Chișinău, str. Pilda"


def test_two_blocks_under_one_label_are_not_guessed_at() -> None:
    assert read("<h4>Adresa</h4><p class='v'>str. Pilda, 1</p><p class='v'>mun. Chișinău</p>").address is None


def test_an_address_that_goes_on_below_its_line_is_not_cut() -> None:
    assert (
        read("<div><b>Adresa:</b> MD-2001, Chișinău<br>str. Pilda, 1<br><b>Telefon:</b> 022</div>").address
        is None
    )
    assert read("<div>Adresa: MD-2001, Chișinău<br>str. Pilda, 1</div>").address is None


@pytest.mark.parametrize("label", ["<b>Fondatori:</b> ", "Fondatori: ", "<b>Fondatori:</b><br>"])
def test_a_list_goes_on_over_line_breaks(label: str) -> None:
    lines = f"<div>{label}MODELEANU ION (40%)<br>EXEMPLESCU MARIA (60%)<br><b>Administrator:</b> PROBARU VASILE</div>"

    reading = read(lines)

    assert founders(reading) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}
    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_a_page_deeper_than_any_is_read_as_far_as_it_goes() -> None:
    html = f"<h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{'<div>' * 3000}<p>Adresa: x</p>"

    assert read_html(html, IDNO) == Reading(idno=IDNO, name="PLOPENA AGRO")


def test_a_blank_value_does_not_take_the_next_label() -> None:
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


def test_a_mail_address_is_no_address() -> None:
    assert (
        read("<dl><dt>Adresa de e-mail</dt><dd>a@b.md</dd><dt>Adresa</dt><dd>a@b.md</dd></dl>").address
        is None
    )


def test_other_dates_are_not_the_date_of_registration() -> None:
    reading = read(
        "<dl><dt>Data înregistrării TVA</dt><dd>01.02.2003</dd><dt>Data lichidării</dt><dd>01.02.2004</dd></dl>"
    )

    assert reading.registered_on is None


def test_two_different_values_of_one_fact_are_none_and_noted() -> None:
    reading = read("<dl><dt>Adresa</dt><dd>str. Una, 1</dd><dt>Sediul</dt><dd>str. Alta, 2</dd></dl>")

    assert reading.address is None
    assert "address" in reading.notes[0]


def test_an_opened_tab_is_read_where_it_says_what_opens_it() -> None:
    reading = read(
        "<div role=tablist><div role=tab aria-controls=t1>Fondatori</div>"
        "<div role=tab aria-controls=t2>Administratori</div></div>"
        "<div role=tabpanel id=t1><p>MODELEANU ION (100%)</p></div>"
        "<div role=tabpanel id=t2 hidden><p>PROBARU VASILE</p></div>"
    )

    assert founders(reading) == {"MODELEANU ION": "100"}
    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_cards_of_parties_hold_pictures_links_and_shares() -> None:
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


def test_a_founding_company_shows_its_idno() -> None:
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


def test_a_grid_of_names_and_shares_has_heads() -> None:
    cells = "".join(
        f"<div>{text}</div>" for text in ("Nume", "Cota", "MODELEANU ION", "40%", "EXEMPLESCU MARIA", "60%")
    )

    assert founders(read(f"<h3>Fondatori</h3><div>{cells}</div>")) == {
        "MODELEANU ION": "40",
        "EXEMPLESCU MARIA": "60",
    }


def test_names_and_shares_may_take_turns() -> None:
    turns = "<p class='n'>MODELEANU ION</p><p class='s'>40%</p><p class='n'>EXEMPLESCU MARIA</p><p class='s'>60%</p>"

    assert founders(read(f"<h3>Fondatori</h3>{turns}")) == {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}


def test_a_name_in_pieces_is_whole_or_absent() -> None:
    same = "<ul><li><span>MODELEANU</span> <span>ION</span> (100%)</li></ul>"
    different = "<ul><li><span class='a'>MODELEANU</span> <span class='b'>Ion</span></li></ul>"

    assert founders(read(f"<h3>Fondatori</h3>{same}")) == {"MODELEANU ION": "100"}
    assert read(f"<h3>Fondatori</h3>{different}").founders == ()


@pytest.mark.parametrize(
    "nothing",
    ["—", "Nu există date", "Lipsesc date", "Данные отсутствуют", "Не указаны", "No records", "NULL", ""],
)
def test_a_text_that_says_there_are_none_is_no_party(nothing: str) -> None:
    reading = read(
        f"<h3>Fondatori</h3><p>{nothing}</p><h3>Administratori</h3><ul><li>{nothing}</li></ul><h3>Activități</h3>"
    )

    assert (reading.founders, reading.administrators) == ((), ())


@pytest.mark.parametrize(
    "heading", ["Compania nu a fost găsită", "Eroare", "Something went wrong", "Загрузка…"]
)
def test_a_message_in_the_heading_is_no_name(heading: str) -> None:
    assert read_html(f"<h1>{heading}</h1>", IDNO) == Reading()


def test_a_page_without_a_heading_has_only_its_idno() -> None:
    assert read_html(f"<p>IDNO: {IDNO}</p><p>Adresa: str. Pilda, 1</p>", IDNO) == Reading(idno=IDNO)


def test_another_companys_page_shows_its_idno() -> None:
    assert read_html(page(PageCompany()), OWNER_IDNO).idno == IDNO


def test_a_dash_may_stand_between_a_label_and_its_value() -> None:
    reading = read(
        "<ul><li>Adresa — str. Pilda, 1</li><li>Statut – Activ</li><li>Administrator - PROBARU VASILE</li></ul>"
    )

    assert (reading.address, reading.status) == ("str. Pilda, 1", CompanyStatus.ACTIVE)
    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_a_note_below_a_list_is_no_party() -> None:
    reading = read(
        "<h3>Administratori</h3><p>PROBARU VASILE</p><p>din 01.02.2020</p><p>Datele sunt actualizate zilnic.</p>"
    )

    assert [party.name for party in reading.administrators] == ["PROBARU VASILE"]


def test_a_country_among_loose_blocks_is_not_guessed_to_be_a_founder() -> None:
    card = "<div><div>MODELEANU ION</div><div>Republica Moldova</div><div>100%</div></div>"

    assert read(f"<h3>Fondatori</h3>{card}").founders == ()


def test_a_table_of_founders_may_hold_columns_that_are_not_read() -> None:
    head = "<tr><th>ФИО</th><th>Гражданство</th><th>Доля, %</th><th>Сумма</th></tr>"
    row = "<tr><td>MODELEANU ION</td><td>MD</td><td>50,5</td><td>2700</td></tr>"
    total = "<tr><td>Итого</td><td></td><td>100</td><td>5400</td></tr>"

    assert founders(read(f"<h3>Учредители</h3><table>{head}{row}{total}</table>")) == {
        "MODELEANU ION": "50.5"
    }
