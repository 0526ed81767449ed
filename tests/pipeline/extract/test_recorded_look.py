"""The look that Chrome records: what a stylesheet hides, strikes out or separates, on any markup."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.extract.browser.chrome_session import Driver, chrome
from pipeline.extract.visit import ShownPage, read_rendered
from pipeline.transform.html.page_tree import read_page
from tests.pipeline.extract.crawling import settings_for

pytestmark = pytest.mark.usefixtures("starts_browser")


@pytest.fixture(scope="module")
def driver(starts_browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A Chrome for all tests of this module."""
    with chrome(settings_for(tmp_path_factory.mktemp("work"), "http://127.0.0.1:9")) as driver:
        yield driver


def rendered(driver: Driver, folder: Path, body: str, style: str = "", script: str = "") -> ShownPage:
    page = folder / "page.html"
    page.write_text(
        f"<!doctype html><meta charset=utf-8><style>{style}</style><body>{body}<script>{script}</script>",
        encoding="utf-8",
    )
    driver.get(page.as_uri())
    return read_rendered(driver, with_look=True)


def shown_text(page: ShownPage) -> str:
    """Return the text that the reader sees; the recorded look must fit."""
    assert page.html is not None
    tree = read_page(page.html, page.look)
    assert tree.notes == ()
    return tree.root.text


HIDDEN = {
    "display": ".x { display: none }",
    "visibility": ".x { visibility: hidden }",
    "opacity": ".x { opacity: 0 }",
    "collapsed row": ".x { visibility: collapse }",
    "clip": ".x { position: absolute; clip: rect(0 0 0 0) }",
    "clip of one pixel": ".x { position: absolute; clip: rect(1px, 1px, 1px, 1px) }",
    "clip-path": ".x { clip-path: inset(50%) }",
    "one pixel": ".x { display: inline-block; width: 1px; height: 1px; overflow: hidden }",
    "no height": ".x { display: block; height: 0; overflow: hidden }",
    "max-height": ".x { display: block; max-height: 0; overflow: hidden }",
    "off-screen to the left": ".x { position: absolute; left: -9999px }",
    "off-screen above": ".x { position: absolute; top: -9999px }",
    "moved away": ".x { display: inline-block; transform: translateX(-9999px) }",
    "shrunk": ".x { display: inline-block; transform: scale(0) }",
    "indented": ".x { display: block; text-indent: -9999px; overflow: hidden }",
    "outside of the window": ".x { position: fixed; left: 100vw }",
    "skipped content": ".x { display: block; content-visibility: hidden }",
    "attribute selector": "[data-state='off'] { display: none }",
    "descendant": ".box > p > .x { display: none }",
    "media query": "@media (min-width: 600px) { .x { display: none } }",
    "no font size": ".x { font-size: 0 }",
    "transparent color": ".x { color: transparent }",
    "struck out": ".x { text-decoration: line-through }",
    "struck out by an ancestor": ".box p:first-child { text-decoration: line-through }",
}


@pytest.mark.parametrize("style", HIDDEN.values(), ids=HIDDEN)
def test_text_that_a_visitor_cannot_see_is_not_read(driver: Driver, tmp_path: Path, style: str) -> None:
    body = (
        '<div class="box"><p><span class="x" data-state="off">Statut: Lichidată</span></p><p>Activă</p></div>'
    )
    assert shown_text(rendered(driver, tmp_path, body, style)) == "Activă"


SHOWN = {
    "shown by a later rule": ".x { display: none } .box .x { display: block }",
    "hidden on paper only": "@media print { .x { display: none } }",
    "hidden on small screens": "@media (max-width: 600px) { .x { display: none } }",
    "nearly transparent": ".x { opacity: .3 }",
    "filled with a gradient": ".x { background: linear-gradient(red, blue); background-clip: text;"
    " -webkit-background-clip: text; color: transparent }",
    "cut by an ellipsis": "p { width: 40px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }",
    "moved a little": ".x { position: relative; left: -3px; top: 2px }",
    "below the window": ".x { display: block; margin-top: 5000px }",
    "attribute overruled": "[hidden] { display: block }",
}


@pytest.mark.parametrize("style", SHOWN.values(), ids=SHOWN)
def test_text_that_a_visitor_can_see_is_read(driver: Driver, tmp_path: Path, style: str) -> None:
    hidden = " hidden" if "[hidden]" in style else ""
    body = f'<div class="box"><p><span class="x"{hidden}>Statut: Activă</span></p></div>'
    assert shown_text(rendered(driver, tmp_path, body, style)) == "Statut: Activă"


ODD_MARKUP = {
    "nested p": "for (const p of [document.createElement('p'), document.createElement('p')])"
    " { p.className = 'a'; (document.querySelector('p.a') || document.body).append(p) }",
    "p around a block": "const p = document.createElement('p'); p.className = 'x'; p.innerHTML = 'Statut:';"
    " p.append(document.createElement('div'), 'Lichidată'); document.body.append(p)",
    "a in a": "const a = document.createElement('a'), b = document.createElement('a'); a.append(b);"
    " document.body.append(a)",
    "row outside of a table": "document.body.append(document.createElement('tr'))",
    "comment": "document.body.append(document.createComment('<p class=x><b>'))",
    "quotes in attributes": "document.body.title = '\"><p>\\'<'",
    "a shadow root": "document.querySelector('main').attachShadow({mode: 'open'}).innerHTML = '<p><slot></slot></p>'",
}
BODY = (
    "<main><p>Activă<table><tr><td>1<td class=x>2</table><template><p class=x>3</p><template><b>4</b></template>"
    "</template><noscript><p class=x><b>5</b></noscript><svg><title>6</title><g><path/></g></svg>"
    "<select><option>7</select><textarea><p>8</textarea><!-- <p class=x> --><iframe srcdoc='<p>'></iframe>"
    "<p class=x>Lichidată</main>"
)


@pytest.mark.parametrize("script", ["", *ODD_MARKUP.values()], ids=["as parsed", *ODD_MARKUP])
def test_elements_have_the_same_numbers_in_the_browser_and_in_the_html(
    driver: Driver, tmp_path: Path, script: str
) -> None:
    page = rendered(driver, tmp_path, BODY, ".x { display: none }", script)
    assert shown_text(page) == "Activă 1"


def test_panel_that_a_visitor_can_open_is_read(driver: Driver, tmp_path: Path) -> None:
    style = ".tab-pane, .x { display: none } .v { visibility: hidden; height: 0; overflow: hidden }"
    body = (
        '<button aria-controls="one other">A</button><a data-bs-toggle="tab" href="#two">B</a>'
        '<div id="one" class="v">Fondatori<b class="x">ascuns</b></div><div id="two" class="tab-pane">Adresa</div>'
        '<div id="three" class="tab-pane">Istoric</div><details><summary>Mai mult</summary><p>Statut</p></details>'
    )
    assert shown_text(rendered(driver, tmp_path, body, style)) == "B Fondatori Adresa Mai mult Statut"


def test_visible_element_in_an_invisible_one_is_read(driver: Driver, tmp_path: Path) -> None:
    style = (
        ".x { visibility: hidden } .y { visibility: visible } .z { font-size: 0 } .z b { font-size: 14px }"
    )
    body = '<p class="x">ascuns <b class="y">Activă</b> ascuns</p><p class="z">ascuns<b>SRL</b></p>'
    assert shown_text(rendered(driver, tmp_path, body, style)) == "Activă SRL"


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("", "IDNO1010600972015"),
        ("p { display: flex; gap: 16px }", "IDNO 1010600972015"),
        ("span { display: block }", "IDNO 1010600972015"),
        ("b { margin-right: 8px }", "IDNO 1010600972015"),
        ("b { display: inline-block; padding: 0 6px }", "IDNO 1010600972015"),
        ("b::after { content: ': ' }", "IDNO: 1010600972015"),
    ],
)
def test_gaps_of_the_stylesheet_separate_texts(driver: Driver, tmp_path: Path, style: str, text: str) -> None:
    page = rendered(driver, tmp_path, "<p><b>IDNO</b><span>1010600972015</span></p>", style)
    assert shown_text(page) == text


def test_blocks_on_one_line_are_not_separated(driver: Driver, tmp_path: Path) -> None:
    body = "<section><div>MOLD</div><div>AGRO</div></section>"
    assert shown_text(rendered(driver, tmp_path, body, "div { display: inline }")) == "MOLDAGRO"


def test_raised_numbers_are_footnote_marks(driver: Driver, tmp_path: Path) -> None:
    body = "<p>22.06.2011<sup>1</sup></p><p>Activă<i class=r>2</i></p><p>120 m<sup>2</sup></p>"
    style = ".r { position: relative; top: -.5em; font-size: 75% }"
    assert shown_text(rendered(driver, tmp_path, body, style)) == "22.06.2011 Activă 120 m2"


def test_fields_that_cannot_be_changed_show_their_current_text(driver: Driver, tmp_path: Path) -> None:
    body = (
        '<input id="a" readonly value="vechi"><textarea readonly>str. Nouă, 2</textarea><input value="caută">'
        '<select disabled><option>Radiată<option selected>Activă</select><input type="hidden" readonly value="x">'
        '<input type="password" disabled value="secret"><input class="x" readonly value="ascuns">'
    )
    page = rendered(driver, tmp_path, body, ".x { display: none }", "a.value = 'SRL'")
    assert shown_text(page) == "SRL str. Nouă, 2 Activă"


def test_text_that_repeats_an_attribute_is_left_to_the_attribute(driver: Driver, tmp_path: Path) -> None:
    style = "td::before { content: attr(data-label) ': ' } b::before { content: '\\e900' } i::after { content: ' lei' }"
    body = '<table><tr><td data-label="Statut">Activă<td><b>SRL</b><td><i>1 234</i></table>'
    page = rendered(driver, tmp_path, body, style)
    assert shown_text(page) == "Activă SRL 1 234 lei"
    assert page.look is not None
    assert ["td", "Statut: ", True] in [text[1:] for text in json.loads(page.look)["before"]]


def test_page_cannot_break_the_reading_of_its_html(driver: Driver, tmp_path: Path) -> None:
    page = rendered(driver, tmp_path, "<p>Activă</p>", script="window.getComputedStyle = () => null")
    assert page.look is None
    assert shown_text(page) == "Activă"


def test_huge_page_has_no_look(driver: Driver, tmp_path: Path) -> None:
    page = rendered(driver, tmp_path, "<i></i>" * 20001)
    assert page.html is not None
    assert page.look is None
