"""Property tests of the HTML reading: any name, address or party is read unchanged or not at all."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.source_text import collapse
from tests.long_version import examples
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
    """Return a text as a browser shows it, without a leading colon, which belongs to the label."""
    return collapse(text).lstrip(" :：")


@settings(max_examples=examples(40, long=500), deadline=None)
@given(text=_TEXTS, layout=st.sampled_from(LAYOUTS), frame=st.sampled_from(FRAMES))
def test_any_address_is_read_unchanged_or_not_at_all(text: str, layout: Layout, frame: Frame) -> None:
    company = PageCompany(address=text, status="", administrators=())

    reading = read_html(page(company, layout, frame), IDNO)

    assert reading.address is None or as_shown(reading.address) == as_shown(text)
    assert (reading.idno, reading.name, reading.status) == (IDNO, company.name, None)
    assert reading.administrators == ()
    assert {party.name for party in reading.founders} <= set(company.founders)
    assert reading.registered_on is None or str(reading.registered_on) == "2020-07-09"


@settings(max_examples=examples(40, long=500), deadline=None)
@given(text=_TEXTS, layout=st.sampled_from(LAYOUTS), frame=st.sampled_from(FRAMES))
def test_any_name_is_read_unchanged_or_not_at_all(text: str, layout: Layout, frame: Frame) -> None:
    company = PageCompany(name=text, address="", status="", administrators=())

    reading = read_html(page(company, layout, frame), IDNO)

    assert reading.name in (None, collapse(text))
    assert (reading.address, reading.status, reading.administrators) == (None, None, ())
    assert {party.name for party in reading.founders} <= set(company.founders)


@settings(max_examples=examples(40, long=500), deadline=None)
@given(text=_TEXTS, layout=st.sampled_from(LAYOUTS), frame=st.sampled_from(FRAMES))
def test_any_founder_affects_only_the_founders(text: str, layout: Layout, frame: Frame) -> None:
    company = PageCompany(founders={text: "40", "MODELEANU ION": "60"}, administrators=())

    reading = read_html(page(company, layout, frame), IDNO)

    assert reading.idno == IDNO
    assert reading.address in (None, company.address)
    assert reading.legal_form in (None, "SRL")
    assert reading.registered_on is None or str(reading.registered_on) == "2020-07-09"
