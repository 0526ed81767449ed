"""Whatever a name, an address or a party says, it comes back as it is or not at all, and is nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.source_text import collapse
from tests.pipeline.transform.html_pages import (
    FRAMES,
    IDNO,
    LAYOUTS,
    OTHER_IDNO,
    Frame,
    Layout,
    PageCompany,
    page,
)

_PIECES = (
    *(
        "Adresa",
        "Adresa: ",
        "Administrator",
        "Fondatori: ",
        "Statut: Lichidată",
        "IDNO",
        "IDNO: ",
        "Учредители",
        "NULL",
    ),
    *(
        "100%",
        " (50%)",
        ", ",
        "; ",
        " | ",
        " — ",
        "Activă",
        "SRL",
        OTHER_IDNO,
        IDNO,
        "01.01.1999",
        "©",
        "Data înregistrării: ",
    ),
    *(
        "</td>",
        "<h1>",
        "&amp;",
        "<!--",
        "\u202b",
        "\u200f",
        "Vezi pe hartă",
        "Companii similare",
        "Director",
        "Telefon:",
        "\n",
    ),
)
_ANY = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), max_size=30)
_TEXTS = st.lists(st.sampled_from(_PIECES) | _ANY, min_size=1, max_size=5).map("".join)


def as_shown(text: str) -> str:
    """The text as a browser shows it, without a label's colon before it."""
    return collapse(text).lstrip(" :：")


@settings(max_examples=150, deadline=None)
@given(text=_TEXTS, layout=st.sampled_from(LAYOUTS), frame=st.sampled_from(FRAMES))
def test_any_address_comes_back_as_it_is_or_not_at_all(text: str, layout: Layout, frame: Frame) -> None:
    company = PageCompany(address=text, status="", administrators=())

    reading = read_html(page(company, layout, frame), IDNO)

    assert reading.address is None or as_shown(reading.address) == as_shown(text)
    assert (reading.idno, reading.name, reading.status) == (IDNO, company.name, None)
    assert reading.administrators == ()
    assert {party.name for party in reading.founders} <= set(company.founders)
    assert reading.registered_on is None or str(reading.registered_on) == "2020-07-09"


@settings(max_examples=150, deadline=None)
@given(text=_TEXTS, layout=st.sampled_from(LAYOUTS), frame=st.sampled_from(FRAMES))
def test_any_name_comes_back_as_it_is_or_not_at_all(text: str, layout: Layout, frame: Frame) -> None:
    company = PageCompany(name=text, address="", status="", administrators=())

    reading = read_html(page(company, layout, frame), IDNO)

    assert reading.name in (None, collapse(text))
    assert (reading.address, reading.status, reading.administrators) == (None, None, ())
    assert {party.name for party in reading.founders} <= set(company.founders)


@settings(max_examples=150, deadline=None)
@given(text=_TEXTS, layout=st.sampled_from(LAYOUTS), frame=st.sampled_from(FRAMES))
def test_any_founder_fills_no_field_but_its_own(text: str, layout: Layout, frame: Frame) -> None:
    company = PageCompany(founders={text: "40", "MODELEANU ION": "60"}, administrators=())

    reading = read_html(page(company, layout, frame), IDNO)

    assert reading.idno == IDNO
    assert reading.address in (None, company.address)
    assert reading.legal_form in (None, "SRL")
    assert reading.registered_on is None or str(reading.registered_on) == "2020-07-09"
