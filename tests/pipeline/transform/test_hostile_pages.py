"""Pages built to block the reader: nested, endless or random markup ends in an outcome."""

import random

import pytest

from pipeline.extract.browser.network_log import NetworkLog
from pipeline.extract.page_verdict import PageEvidence, judge
from pipeline.transform.html.page_reader import read_html
from tests.long_version import examples
from tests.pipeline.transform.html_pages import IDNO
from warehouse.contract import Outcome

_TOP = f"<body><main><h1>PLOPENA AGRO</h1><dl><dt>IDNO</dt><dd>{IDNO}</dd></dl>"
_UNITS = (
    *(
        "<div>",
        "<span>a",
        "<b>Adresa",
        "<p>Adresa: str. Pilda, 1</p>",
        "<dt>Zona</dt><dd>Nord</dd>",
        "&amp;&#x41;",
    ),
    *("RUSU ION<br>", "<li>RUSU ION (1%)</li>", "<tr><td>Nume</td><td>Cota</td></tr>", "<th>2024</th>", "("),
    *("RUSU ION, ", "a ", "<p>Total active: 5 000 MDL</p>", f"<div><h3>ALFA</h3><p>IDNO: {IDNO}</p></div>"),
)
_LENGTH = examples(30_000, long=100_000)


@pytest.mark.parametrize("unit", _UNITS)
@pytest.mark.timeout(120)  # far above the second that each takes; without limits, some take hours
def test_repeated_markup_is_read_in_time(unit: str) -> None:
    read_html(f"{_TOP}<h3>Fondatori</h3>{unit * (_LENGTH // len(unit))}", IDNO)


@pytest.mark.timeout(120)
def test_huge_page_is_incomplete_and_is_not_parsed() -> None:
    html = _TOP + "<div>" * 1_000_000
    verdict = judge(PageEvidence(IDNO, html, NetworkLog("frame"), ()))
    assert verdict is not None
    assert (verdict.outcome, verdict.certain) == (Outcome.INCOMPLETE, True)
    assert read_html(html, IDNO).notes == ("the page has more than 40000 tags, so nothing is read",)


@pytest.mark.parametrize("seed", range(5))
def test_random_characters_are_read_without_an_error(seed: int) -> None:
    characters = "<>/=\"' abcdivspanh1ulli0123456789&;:()%,.\n\x00șя"
    html = _TOP + "".join(random.Random(seed).choices(characters, k=50_000))
    assert read_html(html, IDNO).idno in (IDNO, None)
