"""Places of labels and values: a page's own repetition shows where its values stand."""

from collections.abc import Sequence

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO, OWNER_IDNO

FACTS = (
    ("IDNO", IDNO),
    ("Forma juridică", "SRL"),
    ("Stare", "Activă"),
    ("Data înregistrării", "12.03.2015"),
    ("Adresa", "MD-2001, str. Pilda, 1"),
    ("Administrator", "PROBARU VASILE"),
)
ALL = ("SRL", "active", "2015-03-12", "MD-2001, str. Pilda, 1", ["PROBARU VASILE"])
NONE: tuple[object, ...] = (None, None, None, None, [])


def read(content: str, *, with_idno: bool = True) -> Reading:
    """Read a page with `content` after the heading and, if `with_idno`, the IDNO."""
    idno = f"<dl><dt>IDNO</dt><dd>{IDNO}</dd></dl>" if with_idno else ""
    return read_html(f"<body><main><h1>PLOPENA AGRO</h1>{idno}{content}</main></body>", IDNO)


def facts(content: str, *, with_idno: bool = True) -> tuple[object, ...]:
    """Return the legal form, status, date, address and administrators that a page yields."""
    reading = read(content, with_idno=with_idno)
    day = str(reading.registered_on) if reading.registered_on else None
    names = [party.name for party in reading.administrators]
    return reading.legal_form, reading.status, day, reading.address, names


def founders(content: str) -> dict[str, str]:
    return {party.name: str(party.share) for party in read(content).founders}


def each(template: str, pairs: Sequence[tuple[str, str]] = FACTS) -> str:
    """Return the template once for each label `{k}` and value `{v}`."""
    return "".join(template.format(k=label, v=value) for label, value in pairs)


@pytest.mark.parametrize(
    "content",
    [
        each('<div class="tile"><div class="big">{v}</div><div class="small">{k}</div></div>'),
        each("<div><div>{v}</div><div>{k}</div></div>"),
        each("<div>{v}<small>{k}</small></div>"),
        each("<li><strong>{v}</strong><br><span>{k}</span></li>"),
        each("<section><p>{v}</p><h4>{k}</h4></section>"),
        each("<figure><p>{v}</p><figcaption>{k}</figcaption></figure>"),
        each("<div class=col><div class=card><h5>{v}</h5><p class=muted>{k}</p></div></div>"),
        each("<div><input id=f disabled value='{v}'><label for=f>{k}</label></div>"),
        f"<dl>{each('<dd>{v}</dd><dt>{k}</dt>')}</dl>",
        f"<dl>{each('<div><dt>{v}</dt><dd>{k}</dd></div>')}</dl>",
        f"<table>{each('<tr><td>{v}</td><th>{k}</th></tr>')}</table>",
        f"<table>{each('<tr><td>{v}</td><td>{k}</td></tr>')}</table>",
        f"<div>{each('<p>{v}</p><p>{k}</p>')}</div>",
        f"<div>{each('<div class=v>{v}</div><div class=k>{k}</div>')}</div>",
    ],
)
def test_values_before_their_labels_are_read(content: str) -> None:
    assert facts(content, with_idno=False) == ALL


def test_one_value_of_a_certain_type_proves_that_it_stands_before_its_label() -> None:
    tile = '<div class="tile"><div>{v}</div><div>{k}</div></div>'
    assert facts(each(tile, FACTS[3:4])) == (None, None, "2015-03-12", None, [])
    assert facts(each(tile, FACTS[4:5])) == NONE
    assert facts(each(tile, FACTS[3:5])) == (None, None, "2015-03-12", "MD-2001, str. Pilda, 1", [])


def test_rows_that_contradict_each_other_do_not_prove_a_direction() -> None:
    row = "<div class=t><i>{}</i><b>{}</b></div>"
    rows = row.format("Data înregistrării", "12.03.2015") + row.format("Activă", "Statut")
    assert facts(rows + row.format("str. Pilda, 1", "Adresa")) == (None, None, "2015-03-12", None, [])


def test_value_that_reads_like_a_label_is_no_label_where_values_come_first() -> None:
    tiles = each("<div class=t><b>{v}</b><i>{k}</i></div>", [("Stare", "Activă"), ("Observații", "Adresa")])
    assert facts(f"{tiles}<div class=t><b>Adresa</b><i>Zona de nord</i></div>") == (
        None,
        "active",
        *[None] * 2,
        [],
    )


def test_groups_of_rows_decide_for_themselves() -> None:
    tiles = each("<div><p>{v}</p><p>{k}</p></div>", FACTS[:4])
    rows = each("<div><p>{k}</p><p>{v}</p></div>", FACTS[4:])
    assert (
        facts(f"<section>{tiles}</section><dl><dt>Stare</dt><dd>Activă</dd></dl><ul>{rows}</ul>")[:3]
        == ALL[:3]
    )


def bands(label: str, value: str, row: str) -> str:
    """Return the facts in two rows of labels with a row of values below each."""
    pairs = (FACTS[:3], FACTS[3:])
    return "".join(row.format(each(label, some)) + row.format(each(value, some)) for some in pairs)


@pytest.mark.parametrize(
    "content",
    [
        f"<table><tr>{each('<td>{k}</td>')}</tr><tr>{each('<td>{v}</td>')}</tr></table>",
        f"<div class=r>{each('<div>{k}</div>')}</div><div class=r>{each('<div>{v}</div>')}</div>",
        f"<div class=r>{each('<div>{v}</div>')}</div><div class=r>{each('<div>{k}</div>')}</div>",
        f"<div><ul>{each('<li>{k}</li>')}</ul><ul>{each('<li>{v}</li>')}</ul></div>",
        f"<div><div>{each('<p>{k}:</p>')}</div><div>{each('<p>{v}</p>')}</div></div>",
        f"<dl>{each('<dt>{k}</dt>')}{each('<dd>{v}</dd>')}</dl>",
        f"<div>{each('<div>{k}</div>')}{each('<div>{v}</div>')}</div>",
        f"<table>{bands('<th>{k}</th>', '<td>{v}</td>', '<tr>{}</tr>')}</table>",
        f"<div>{bands('<p>{k}</p>', '<p>{v}</p>', '<div>{}</div>')}</div>",
    ],
)
def test_rows_and_columns_of_labels_are_matched_with_values_by_position(content: str) -> None:
    assert facts(content, with_idno=False) == ALL


def test_unknown_label_in_a_row_of_labels_does_not_prevent_reading() -> None:
    pairs = [*FACTS, ("Zona", "Nord")]
    content = f"<div><div>{each('<p>{k}</p>', pairs)}</div><div>{each('<p>{v}</p>', pairs)}</div></div>"
    assert facts(content, with_idno=False) == ALL


def test_several_rows_of_values_describe_several_companies() -> None:
    labels, values = each("<td>{k}</td>", FACTS[1:]), each("<td>{v}</td>", FACTS[1:])
    assert facts(f"<table><tr>{labels}</tr><tr>{values}</tr><tr>{values}</tr></table>") == NONE


def test_tabs_above_a_list_are_no_row_of_labels() -> None:
    tabs = "<ul><li>Fondatori</li><li>Administratori</li></ul>"
    assert founders(f"{tabs}<ul><li>MODELEANU ION</li><li>EXEMPLESCU MARIA</li></ul>") == {}


def test_columns_of_a_list_of_parties_are_no_facts_of_the_company() -> None:
    head = "<tr><th>Nume</th><th>Data înregistrării</th><th>Statut</th></tr>"
    row = "<tr><td>MODELEANU ION</td><td>12.03.2016</td><td>Activ</td></tr>"
    assert facts(f"<h3>Fondatori</h3><table>{head}{row}</table>") == NONE


@pytest.mark.parametrize("attribute", ["data-label", "data-title", "data-th", "aria-label", "title"])
@pytest.mark.parametrize(
    "template",
    [
        "<div class=c {a}='{{k}}'>{{v}}</div>",
        "<li><span {a}='{{k}}'>{{v}}</span></li>",
        "<div {a}='{{k}}'><b>{{v}}</b></div>",
    ],
)
def test_labels_in_attributes_are_read(attribute: str, template: str) -> None:
    assert facts(each(template.format(a=attribute)), with_idno=False) == ALL


def test_cells_with_labels_in_attributes_are_read_once() -> None:
    cells = each("<td data-label='{k}'>{v}</td>")
    assert facts(f"<table><tr>{cells}</tr></table>", with_idno=False) == ALL
    head = f"<thead><tr>{each('<th>{k}</th>')}</tr></thead>"
    assert facts(f"<table>{head}<tbody><tr>{cells}</tr></tbody></table>", with_idno=False) == ALL


def test_label_in_an_attribute_announces_a_list() -> None:
    items = "<li>MODELEANU ION (40%)</li><li>EXEMPLESCU MARIA (60%)</li>"
    expected = {"MODELEANU ION": "40", "EXEMPLESCU MARIA": "60"}
    assert founders(f"<ul aria-label=Fondatori>{items}</ul>") == expected
    assert founders(f"<section aria-label=Fondatori><h2>Fondatori</h2><ul>{items}</ul></section>") == expected


def test_attributes_of_another_company_or_a_link_are_no_labels() -> None:
    other = [("Denumirea", "ALTA SRL"), ("Stare", "Radiată"), ("Adresa", "str. Alta, 2")]
    assert facts(f"<div>{each('<p data-label={k}>{v}</p>', other)}</div>") == NONE
    assert facts('<a href="/map" title="Adresa">str. Pilda, 1</a>') == NONE


@pytest.mark.parametrize("separator", [" | ", " · ", " • ", "; ", " / ", ", ", " — "])
@pytest.mark.parametrize("pair", ["{k}: {v}", "<b>{k}:</b> {v}", "{k}: <b>{v}</b>", "<span>{k}: {v}</span>"])
def test_several_labels_with_values_in_one_line_are_read(pair: str, separator: str) -> None:
    line = separator.join(each(pair, [fact]) for fact in FACTS[1:4])
    assert facts(f"<p>{line}</p>") == ("SRL", "active", "2015-03-12", None, [])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"SRL · IDNO {IDNO} · înregistrată la 12 martie 2015", ("SRL", None, "2015-03-12", None, [])),
        (
            f"Действующая • ИДНО: {IDNO} • зарегистрирована 12 марта 2015 г.",
            (None, "active", "2015-03-12", None, []),
        ),
        (
            f"<i>LLC</i> | <i>IDNO {IDNO}</i> | <i>registered on 12 March 2015</i>",
            ("SRL", None, "2015-03-12", None, []),
        ),
        (f"SRL (IDNO {IDNO}), înregistrată la 12 martie 2015", ("SRL", None, "2015-03-12", None, [])),
        (f"SRL | IDNO: {IDNO} | Chișinău | Activă", ("SRL", "active", None, None, [])),
    ],
)
def test_subtitle_states_facts_without_labels(line: str, expected: tuple[object, ...]) -> None:
    assert facts(f"<p>{line}</p>", with_idno=False) == expected
    assert read(f"<p>{line}</p>", with_idno=False).idno == IDNO


def test_list_in_a_line_ends_at_the_next_label() -> None:
    line = "<p>Fondatori: MODELEANU ION (40%); PILDA ANA (60%) | Administrator: PROBARU VASILE</p>"
    assert founders(line) == {"MODELEANU ION": "40", "PILDA ANA": "60"}
    assert facts(line) == (*NONE[:4], ["PROBARU VASILE"])


@pytest.mark.parametrize("address", ["str. Pilda, 1; ap. 2", "mun. Chișinău, sector: Centru, str. Pilda, 1"])
def test_separator_inside_an_address_does_not_divide_it(address: str) -> None:
    assert read(f"<p>Adresa: {address}</p>").address == address


@pytest.mark.parametrize(
    "lines",
    [
        "<p>Stare: Activă</p><p>Adresa: falsă, 5 | Administrator: FALS ION</p>",
        "<p><b>Adresa:</b> falsă, 5; Administrator: FALS ION</p>",
        "<p>Stare: Activă<br>Adresa: falsă, 5 | Administrator: FALS ION</p>",
        "<p>Adresa: falsă, 5 | Chișinău | Stare: Activă</p>",
    ],
)
def test_value_that_imitates_labels_does_not_divide_its_line(lines: str) -> None:
    assert facts(lines)[4] == []
    assert facts(lines)[3] != "falsă, 5"


@pytest.mark.parametrize(
    "template",
    [
        "<div><label>{k}</label><input readonly value='{v}'></div>",
        "<label>{k} <input type=text disabled value='{v}'></label>",
        "<label>{k}</label><textarea readonly>{v}</textarea>",
        "<div><label>{k}</label><select disabled><option>Alta<option selected>{v}</select></div>",
    ],
)
def test_fields_that_cannot_be_changed_show_values(template: str) -> None:
    assert facts(f"<form>{each(template)}</form>", with_idno=False) == ALL


@pytest.mark.parametrize("field", ["<input value='str. X'>", "<input type=hidden readonly value='str. X'>"])
def test_fields_for_input_show_no_values(field: str) -> None:
    assert facts(f"<div><label>Adresa</label>{field}</div>") == NONE


@pytest.mark.parametrize("leader", ["........", "……", "____", ". . . . ."])
@pytest.mark.parametrize(
    "template",
    [
        "<div><span>{k}</span><span>LEADER</span><span>{v}</span></div>",
        "<p><b>{k}</b> LEADER {v}</p>",
        "<p>{k} LEADER {v}</p>",
    ],
)
def test_dots_between_labels_and_values_are_a_colon(template: str, leader: str) -> None:
    assert facts(each(template.replace("LEADER", leader)), with_idno=False) == ALL


def test_same_facts_shown_twice_are_read_once() -> None:
    wide = f"<table>{each('<tr><th>{k}</th><td>{v}</td></tr>')}</table>"
    assert (
        facts(f"<div class=mobile>{each('<p>{k}: {v}</p>')}</div><div>{wide}</div>", with_idno=False) == ALL
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("odd", "even"),
        ("row odd", "row even"),
        ("row", "row last"),
        ("p-2 bg-white", "p-2 bg-gray-50"),
        ("r", "r r--last"),
    ],
)
@pytest.mark.parametrize("tags", ["ul li", "table tr", "div div"])
def test_classes_of_every_other_or_the_last_item_make_no_difference(
    tags: str, first: str, second: str
) -> None:
    around, item = tags.split()
    name, share = ("<td>{}</td>",) * 2 if item == "tr" else ("<span>{}</span> ", "<em>{}</em>")
    items = "".join(
        f"<{item} class='{style}'>{name.format(person)}{share.format(part)}</{item}>"
        for style, person, part in ((first, "MODELEANU ION", "75%"), (second, "PILDA ANA", "25%"))
    )
    content = f"<h3>Fondatori</h3><{around}>{items}</{around}>"
    assert founders(content) == {"MODELEANU ION": "75", "PILDA ANA": "25"}


@pytest.mark.parametrize(
    "content",
    [
        "<h2>Istoric</h2><table><tr><td>până la 04.05.2019</td><td>Fondatori</td><td>LUPU ION (50%)</td></tr>"
        "<tr><td>până la 2010</td><td>Adresa</td><td>str. Bait 5</td></tr></table>",
        "<table><tr><td>până la 04.05.2019</td><td>Adresa</td><td>str. Bait 5</td></tr></table>",
        "<h3>История изменений</h3><p>Адрес: ул. Старая, 1</p><p>Статус: Ликвидирована</p>",
        "<section><header><h3>Change history</h3></header><div><p>Status: Liquidated</p></div></section>",
        "<details open><summary>Modificări</summary><p>Statut: Lichidată</p></details>",
        "<p><b>Date anterioare</b></p><p>Adresa: str. Bait 5</p><p>Statut: Lichidată</p>",
        "<dl><dt>Adresa anterioară</dt><dd>str. Veche, 1</dd><dt>Foști administratori</dt><dd>BAIT ION</dd></dl>",
        "<h3>Administratori până la 2015</h3><p>BAIT ION</p>",
        "<h3>Modificări în registru</h3><p>Statut: Lichidată</p>",
        "<p><b>Former address:</b> str. Veche, 1</p><p>Прежний директор: БАЙТ ИОН</p>",
        "<div class=t><b>str. Veche, 1</b><i>Adresa veche</i></div><div class=t><b>Nord</b><i>Zona</i></div>",
    ],
)
def test_nothing_about_the_past_is_current(content: str) -> None:
    assert facts(content) == NONE
    assert founders(content) == {}


def test_facts_after_a_section_about_the_past_are_read() -> None:
    past = "<h3>Foști fondatori</h3><ul><li>BAIT ION (100%)</li></ul><h3>Istoric</h3><p>Statut: Lichidată</p>"
    assert founders(f"{past}<h3>Fondatori</h3><ul><li>MODELEANU ION (50%)</li></ul>") == {
        "MODELEANU ION": "50"
    }
    rows = "<dl><dt>Adresa veche</dt><dd>str. Veche, 1</dd><dt>Adresa</dt><dd>str. Nouă, 2</dd></dl>"
    assert read(rows).address == "str. Nouă, 2"


CARD = "<div class=c><{0}>{1}</{0}><p>Stare: Radiată</p><p>Adresa: str. Alta, 5</p></div>"


@pytest.mark.parametrize(
    "title",
    [
        *("Companii cu același fondator", "Alte companii ale fondatorului", "Firme la aceeași adresă"),
        *("Companii cu nume similar (2)", "Другие компании этого учредителя", "Компании по тому же адресу"),
        *("Other companies of the founder", "Companies at the same address", "Related entities"),
    ],
)
def test_sections_about_other_companies_yield_nothing(title: str) -> None:
    assert facts(f"<h2>{title}</h2>{CARD.format('b', 'ALTA')}") == NONE


def test_cards_of_other_companies_yield_nothing_without_a_title() -> None:
    assert facts(CARD.format("h3", "ALTA SRL")) == NONE
    assert facts(CARD.format("b", "ALTA") + CARD.format("b", "BETA")) == NONE
    link = f'<a href="/companies/{OWNER_IDNO}">ALTA</a>'
    assert facts(CARD.format("p", link)) == NONE


def test_sections_with_titles_about_this_company_are_read() -> None:
    own = "<section><h3>Date generale</h3><p>Stare: Activă</p></section>"
    other = "<section><h3>Contacte PLOPENA AGRO SRL</h3><p>Adresa: str. Pilda, 1</p></section>"
    assert facts(own + other) == (None, "active", None, "str. Pilda, 1", [])
