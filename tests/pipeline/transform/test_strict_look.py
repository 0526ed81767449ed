"""What a visitor cannot see is not a fact: recorded looks, style elements, struck texts, footnotes, fixed fields."""

import json
import time
from typing import Any

import pytest

from pipeline.transform.html.look import LookDoesNotFit, apply_look
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.html.page_tree import read_page
from pipeline.transform.merge import transform
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO
from warehouse.records.models import CompanyStatus

PAGE = (
    "<html><head></head><body><main><h1>PLOPENA AGRO</h1><dl><dt>IDNO</dt><dd>1020999000019</dd></dl>{}</main></body>"
    "</html>"
)
ELEMENTS = 8
"""The number of elements of PAGE without content; the first element of the content has this number."""


def read(content: str, style: str = "", **look: Any) -> Reading:
    """Read a page with content after its heading, and with a recorded look if one is given."""
    html = PAGE.format(content).replace("<head>", f"<head><style>{style}</style>" if style else "<head>")
    return read_html(html, IDNO, look=json.dumps({"version": 1, **look}) if look else None)


def founders(reading: Reading) -> list[tuple[str, int | None]]:
    return [(party.name, int(party.share) if party.share else None) for party in reading.founders]


def test_hidden_element_of_the_recorded_look_is_not_read() -> None:
    content = '<p class="d-none">Statut: Lichidată</p><p>Adresa: str. Nouă, 2</p>'
    reading = read(content, elements=ELEMENTS + 2, marks=[[ELEMENTS, "p", 1]])
    assert (reading.status, reading.address, reading.notes) == (None, "str. Nouă, 2", ())
    assert read(content).status is CompanyStatus.INACTIVE


def test_everything_in_a_hidden_element_is_left_out_even_if_the_html_parser_moves_it() -> None:
    content = "<p>Statut:<div><b>x</b></div>Lichidată<br></p>"  # a script can put a block into a paragraph
    reading = read(content, elements=ELEMENTS + 4, marks=[[ELEMENTS, "p", 1]])
    assert reading.status is None and "Lichidată" not in str(reading.unknown)


def test_recorded_look_counts_more_than_the_markup() -> None:
    content = '<p hidden style="display: none" class="sr-only">Statut: Activă</p>'
    assert read(content, elements=ELEMENTS + 1, marks=[[ELEMENTS, "p", 1]]).status is None
    assert read(content, elements=ELEMENTS + 1, marks=[]).status is CompanyStatus.ACTIVE
    assert read(content).status is None


@pytest.mark.parametrize(
    "look",
    [
        {"elements": ELEMENTS + 2, "marks": [[ELEMENTS, "p", 1]]},
        {"elements": ELEMENTS + 1, "marks": [[ELEMENTS, "div", 1]]},
        {"elements": ELEMENTS + 1, "marks": [[99, "p", 1]]},
        {"elements": ELEMENTS + 1, "marks": [[ELEMENTS, "p"]]},
        {"elements": "?", "marks": []},
        {"elements": ELEMENTS, "marks": []},
        {"marks": None},
        {"version": 2, "elements": ELEMENTS + 1, "marks": []},
    ],
)
def test_look_of_another_page_is_ignored_with_a_note(look: dict[str, Any]) -> None:
    reading = read("<p>Statut: Activă</p>", **look)
    assert reading.status is CompanyStatus.ACTIVE
    assert reading.notes[0].startswith("the recorded look does not fit the page")


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"version":1}', "\x00", "1" * 5000])
def test_malformed_look_is_reported(text: str) -> None:
    with pytest.raises(LookDoesNotFit):
        apply_look("<html></html>", text)


def test_numbers_skip_templates_comments_and_raw_texts() -> None:
    html = (
        "<html><head><script>'<p>'</script><style>p>b{}</style></head><body><!-- <p> --><template><p></p><template><p>"
        '</p></template></template><noscript><p></noscript><p title="<b>">a</p><iframe><p></iframe><p>b</p></body>'
        "</html>"
    )
    look = {"version": 1, "elements": 10, "marks": [[9, "p", 1]]}
    assert apply_look(html, json.dumps(look)).endswith(
        '<p title="<b>">a</p><iframe><p></iframe></body></html>'
    )


def test_transform_uses_the_look() -> None:
    html = PAGE.format("<p>Statut: Lichidată</p>")
    look = json.dumps({"version": 1, "elements": ELEMENTS + 1, "marks": [[ELEMENTS, "p", 1]]})
    assert transform(idno=IDNO, html=html, bodies=[], look=look).facts.status is None
    assert transform(idno=IDNO, html=html, bodies=[]).facts.status is CompanyStatus.INACTIVE


HIDING_STYLES = [
    ".x { display: none }",
    ".x{display:none!important}",
    ".X, .x { display: none }",
    "p.x { visibility: hidden }",
    "main > .x { display: none }",
    "main .x:not(.open) { opacity: 0 }",
    "[class~='x'] { color: red } .x { position: absolute; left: -9999px }",
    ".x { position: absolute; width: 1px; height: 1px; overflow: hidden; clip: rect(0,0,0,0) }",
    ".x { max-height: 0; overflow: hidden }",
    ".x { text-indent: -9999px }",
    ".x { color: transparent }",
    ".x { transform: scale(0) }",
    "[class=x] { display: none }",
    "[class^='x']:not(.y) { display: none }",
    "main > :nth-child(3) { display: none }",
    ".x { display: none } @media (max-width: 600px) { .x { display: block } }",
    ".x { clip-path: inset(50%) }",
    ".x { font-size: 0 }",
    ".x { text-decoration: line-through }",
    "/* } */ @media (min-width: 768px) { .x { display: none } }",
    "@supports (display: grid) { .x { display: none } }",
    "@import url(x); .x { display: none }",
    ".x { display: block } #y .x { color: red } .x { display: none }",
]


@pytest.mark.parametrize("style", HIDING_STYLES)
def test_style_element_hides_what_it_hides_without_a_recorded_look(style: str) -> None:
    reading = read('<p class="x">Statut: Lichidată</p><p>Adresa: str. Nouă, 2</p>', style)
    assert (reading.status, reading.address) == (None, "str. Nouă, 2")


SHOWING_STYLES = [
    ".y { display: none }",
    ".x:hover { display: none }",
    ".x::before { display: none }",
    ".x { display: none } .x { display: block }",
    ".x { display: none } p.x { display: block }",
    "@media print { .x { display: none } }",
    "@media (max-width: 767px) { .x { display: none } }",
    "@keyframes fade { from { opacity: 0 } }",
    ".x { opacity: 0.5; left: -3px }",
    ".x { color: transparent; background-clip: text }",
    ".x { display: none } @media (min-width: 768px) { .x { display: block } }",
    ".md\\:hidden { display: none }",
    ".x .z { display: none }",
    ".x { display: none",
    "} .x { color: red }",
    ".x[ { display: none }",
]


@pytest.mark.parametrize("style", SHOWING_STYLES)
def test_style_element_hides_nothing_else(style: str) -> None:
    assert read('<p class="x">Statut: Activă</p>', style).status is CompanyStatus.ACTIVE


def test_inline_style_overrules_a_rule() -> None:
    content = '<p class="x" style="display: block">Statut: Activă</p>'
    assert read(content, ".x { display: none }").status is CompanyStatus.ACTIVE


def test_utility_classes_for_wide_screens_are_applied() -> None:
    wide = ".md\\:block { display: block } .md\\:hidden { display: none }"
    style = f".hidden {{ display: none }} @media (min-width: 48em) {{ {wide} }}"
    content = '<p class="hidden md:block">Statut: Activă</p><p class="md:hidden">Statut: Lichidată</p>'
    assert read(content, style).status is CompanyStatus.ACTIVE


def test_panel_of_a_bootstrap_toggle_is_read() -> None:
    content = (
        '<a data-bs-toggle="collapse" href="#c">Mai mult</a><div class="x" id="c"><p>Statut: Activă</p></div>'
        '<div class="x" id="d"><p>Statut: Lichidată</p></div>'
    )
    assert read(content, ".x:not(.show) { display: none }").status is CompanyStatus.ACTIVE


@pytest.mark.parametrize(
    ("style", "content"),
    [
        (
            "".join(f".c{n} > .x .y:not(.z) {{ display: none }}" for n in range(20_000)),
            "<p class='x y'>a</p>" * 2000,
        ),
        (
            ".x .x .x .x .x .x .y { display: none }",
            "<div class='x'>" * 200 + "<p class='x'>a</p>" + "</div>" * 200,
        ),
        ("p:nth-child(2n+1):nth-last-child(3n) { display: none }" * 100, "<p>a</p>" * 5000),
        (".x { display: none } " + "a" * 390_000, "<p>a</p>"),
        ("{" * 200_000 + "}" * 200_000, "<p>a</p>"),
        (".x" + ":not(.a)" * 50_000 + "{ display: none }", "<p class='x'>a</p>"),
        ("/*" * 200_000, "<p>a</p>"),
    ],
)
def test_hostile_style_element_takes_bounded_time(style: str, content: str) -> None:
    began = time.process_time()
    reading = read(content + "<p>Statut: Activă</p>", style)
    assert reading.status is CompanyStatus.ACTIVE
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "html", ["<a " * 300_000, '<a "' * 300_000, "<" * 300_000, "<p>" * 300_000, "<!--" * 300_000]
)
def test_look_is_applied_to_a_hostile_page_in_bounded_time(html: str) -> None:
    began = time.process_time()
    with pytest.raises(LookDoesNotFit):
        apply_look(html, json.dumps({"version": 1, "elements": 1, "marks": [[0, "p", 1]]}))
    assert time.process_time() - began < 5


@pytest.mark.parametrize("tag", ["del", "s", "strike", 'b style="text-decoration: line-through red"'])
def test_struck_texts_are_not_facts(tag: str) -> None:
    end = tag.split()[0]
    reading = read(
        f"<h3>Fondatori</h3><ul><li><{tag}>MODELEANU ION (100%)</{end}></li><li>POPA ANA (100%)</li></ul>"
        f"<dl><dt>Adresa</dt><dd><{tag}>str. Veche, 1</{end}> <ins>str. Nouă, 2</ins></dd>"
        f"<dt>Data înregistrării</dt><dd><{tag}>14.02.2011</{end}>14.02.2012</dd></dl>"
    )
    assert founders(reading) == [("POPA ANA", 100)]
    assert reading.address == "str. Nouă, 2"
    assert str(reading.registered_on) == "2012-02-14"


def test_struck_former_name_is_not_the_name() -> None:
    html = PAGE.replace("PLOPENA AGRO", "<del>PLOPENA SRL</del> <ins>PLOPENA NOUĂ</ins>").format("")
    assert read_html(html, IDNO).name == "PLOPENA NOUĂ"


@pytest.mark.parametrize(
    "name", ["sr-only", "visually-hidden", "screen-reader-text", "cdk-visually-hidden", "btn sr-only x"]
)
def test_screen_reader_text_is_not_part_of_a_value(name: str) -> None:
    span = f'<span class="{name}">Copiați adresa</span>'
    assert read(f"<dl><dt>Adresa</dt><dd>{span}mun. Chișinău, Nouă, 2{span}</dd></dl>").address == (
        "mun. Chișinău, Nouă, 2"
    )


@pytest.mark.parametrize("mark", ["1", "*", "**", "[2]", "1, 2", "<a href='#n1'>3</a>", "†", "(4)"])
def test_footnote_marks_are_not_part_of_a_value(mark: str) -> None:
    reading = read(
        f"<dl><dt>Data înregistrării</dt><dd>22.06.2011<sup>{mark}</sup></dd><dt>Stare<sup>{mark}</sup></dt>"
        f"<dd>Activă <sup>{mark}</sup></dd></dl>"
    )
    assert (str(reading.registered_on), reading.status) == ("2011-06-22", CompanyStatus.ACTIVE)


@pytest.mark.parametrize(
    ("content", "text"),
    [("120 m<sup>2</sup>", "120 m2"), ("1<sup>er</sup> loc", "1er loc"), ("5 km<sup>2</sup>", "5 km2")],
)
def test_other_raised_texts_stay(content: str, text: str) -> None:
    page = read_page(f"<body><p>{content}</p></body>")
    assert page.root.text == text


def test_texts_that_a_row_sets_apart_do_not_touch() -> None:
    content = (
        '<div class="r"><span>Stare</span><span>Activă</span></div>'
        '<h3>Fondatori</h3><div class="r"><b>SPÎNU ARTUR</b><i>60%</i></div>'
        '<div class="r"><b>POPA ANA</b><i>40%</i></div>'
    )
    for style in (".r { display: flex }", ".r { display: grid; gap: 1em }", ".r > * { margin-left: 8px }"):
        reading = read(content, style)
        assert reading.status is CompanyStatus.ACTIVE
        assert founders(reading) == [("SPÎNU ARTUR", 60), ("POPA ANA", 40)]


def test_inline_texts_that_touch_are_one_word() -> None:
    html = PAGE.replace("PLOPENA AGRO", "<mark>PLO</mark><span>PENA</span> <b>AGRO</b>").format("")
    assert read_html(html, IDNO).name == "PLOPENA AGRO"


@pytest.mark.parametrize(
    "field",
    [
        '<input readonly value="Activă">',
        '<input type="text" disabled="" value="Activă">',
        "<textarea readonly>Activă</textarea>",
    ],
)
def test_fields_that_cannot_be_changed_are_read(field: str) -> None:
    assert read(f"<div><label>Stare</label>{field}</div>").status is CompanyStatus.ACTIVE


@pytest.mark.parametrize(
    "field",
    [
        '<input value="Activă">',
        '<input type="hidden" disabled value="Activă">',
        '<input readonly class="sr-only" value="Activă">',
        "<textarea>Activă</textarea>",
    ],
)
def test_other_fields_are_not_read(field: str) -> None:
    assert read(f"<div><label>Stare</label>{field}</div>").status is None


def test_recorded_value_and_added_text_are_read() -> None:
    content = "<p><b>Stare</b><i>Activă</i></p><div><label>Adresa</label><input></div>"
    reading = read(
        content,
        elements=ELEMENTS + 6,
        marks=[],
        values=[[ELEMENTS + 5, "input", 'str. "Nouă", 2']],
        after=[[ELEMENTS + 1, "b", ":", False]],
    )
    assert (reading.status, reading.address) == (CompanyStatus.ACTIVE, 'str. "Nouă", 2')


def test_muted_text_is_left_out_but_elements_inside_stay() -> None:
    content = "<p>Statut: Lichidată <b>Stare: Activă</b></p>"
    reading = read(content, elements=ELEMENTS + 2, marks=[[ELEMENTS, "p", 32]])
    assert reading.status is CompanyStatus.ACTIVE


def test_panel_that_can_be_opened_is_read_with_and_without_a_look() -> None:
    content = (
        '<button aria-controls="a f">Fondatori</button><div id="f" style="display: none"><h3>Fondatori</h3>'
        "<ul><li>POPA ANA</li></ul></div>"
    )
    assert founders(read(content)) == [("POPA ANA", None)]
    with_look = read(content, elements=ELEMENTS + 5, marks=[[ELEMENTS + 1, "div", 1 | 128]])
    assert founders(with_look) == [("POPA ANA", None)]
    assert with_look.notes == ()
