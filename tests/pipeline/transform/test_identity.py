"""The IDNO that a page shows as its company's."""

import pytest

from pipeline.transform.html.page_reader import read_html
from standin.site_facts import make_idno

REQUESTED, SHOWN = make_idno(1), make_idno(2)


@pytest.mark.parametrize(
    "facts",
    [
        f"<dl><dt>IDNO</dt><dd>{SHOWN}</dd><dt>Statut</dt><dd>Activă</dd></dl>",
        f"<ul><li><span>IDNO</span> <span>{SHOWN}</span></li><li><span>Statut</span> <span>Activă</span></li></ul>",
        f"<ul><li>IDNO: {SHOWN}</li><li>Statut: Activă</li></ul>",
        f"<table><tr><th>IDNO</th><td>{SHOWN}</td></tr><tr><th>Statut</th><td>Activă</td></tr></table>",
    ],
)
def test_idno_of_another_company_is_read_in_any_layout(facts: str) -> None:
    reading = read_html(f"<html><body><main><h1>ALTCINEVA</h1>{facts}</main></body></html>", REQUESTED)
    assert reading.idno == SHOWN


def test_idnos_of_listed_companies_are_not_the_idno_of_the_page() -> None:
    listed = "".join(f"<li><b>ALTA {n}</b><span>IDNO: {make_idno(n)}</span></li>" for n in (5, 6))
    html = (
        f"<html><body><main><h1>CINEVA</h1><h2>Companii similare</h2><ul>{listed}</ul></main></body></html>"
    )
    assert read_html(html, REQUESTED).idno is None
