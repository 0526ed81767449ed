"""Tests of the disguise: nothing of the original is left, and the page is read the same way."""

import json
import re
from html import unescape
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from pipeline.transform.source_text import fold
from tests.cases.case_store import read_capture
from tests.cases.common_words import LETTERS, is_common
from tests.cases.disguise import Disguised, DisguiseFailed, disguise
from tests.cases.identity import HEXADECIMAL
from tests.long_version import examples
from tests.pipeline.transform.html_pages import (
    FRAMES,
    IDNO,
    LAYOUTS,
    OWNER_IDNO,
    PageCompany,
    page,
    plain_lines,
)
from warehouse.idno import parse_idno

_WORD = re.compile(r"[^\W_]+")
HASH = "5a87f4bcc2b681af688d15b5cf31dbacb8e42c699138615fc091a3fc0b23732b"


def body(**fields: Any) -> bytes:
    return json.dumps({"idno": IDNO, "fullName": "PLOPENA AGRO", **fields}, ensure_ascii=False).encode()


def disguised(*bodies: bytes, beside: str = "", company: PageCompany | None = None) -> Disguised:
    html = page(company or PageCompany(), plain_lines).replace("</body>", f"{beside}</body>")
    return disguise(IDNO, html, bodies)


def data_of(made: Disguised) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(made.bodies[0])
    return content


def words_in(text: str) -> set[str]:
    return set(map(fold, LETTERS.findall(HEXADECIMAL.sub(" ", unescape(text)))))


def test_names_address_and_idno_are_replaced_and_other_facts_are_kept() -> None:
    made = disguised()

    facts = read_capture(made.idno, made.html, made.bodies)["facts"]
    assert not words_in(made.html) & {
        "plopena",
        "agro",
        "modeleanu",
        "exemplescu",
        "maria",
        "probaru",
        "pilda",
    }
    assert re.fullmatch(r"MD-\d{4}, mun\. Chișinău, str\. P[a-z]{4}, \d\d, ap\. \d", facts["address"])
    assert (facts["legal_form"], facts["status"], facts["registered_on"]) == ("SRL", "active", "2020-07-09")
    assert [founder["share"] for founder in facts["founders"]] == [33.33, 66.67]


_NAMES = st.lists(
    st.text("abcdefilmnoprstuvzăâîșțşţ", min_size=3, max_size=9)
    | st.text("абвгдеёийклмнорстуя", min_size=3, max_size=9),
    min_size=2,
    max_size=3,
).map(lambda words: " ".join(words).upper())


@settings(
    max_examples=examples(25, long=200),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
@given(_NAMES, _NAMES, _NAMES, st.sampled_from(LAYOUTS), st.sampled_from(FRAMES))
def test_no_word_of_a_name_is_left_in_any_layout(
    name: str, founder: str, head: str, layout: Any, frame: Any
) -> None:
    words = {fold(word) for text in (name, founder, head) for word in text.split()}
    assume(not any(map(is_common, words)))
    # A word may also be part of the page around it: of a label, or the name of an element, such as `aside`.
    nameless = PageCompany(name="-", founders={"-": "100"}, administrators=("-",))
    assume(not words & words_in(page(nameless, layout, frame)))
    company = PageCompany(name=name, founders={founder: "100"}, administrators=(head,))
    html = page(company, layout, frame)
    data = body(fullName=name, personAdministrators=[{"fullName": head.title(), "id": HASH}])

    try:
        made = disguise(IDNO, html, [data])
    except DisguiseFailed:
        reject()  # a word of the name is like a form or a role, so that the fake name is read in another way

    left = words_in(made.html) | words_in(made.bodies[0].decode())
    assert not left & words


def test_the_markup_is_not_changed() -> None:
    line = "<p  class='Agro'>A &amp; B&nbsp;&mdash; <br/>"
    beside = f"<!---->{line}PLOPENA<!-- PLOPENA --></p>\r\n<IMG ALT=PLOPENA\tSRC='a b'>"
    html = page(PageCompany(), plain_lines).replace("</body>", f"{beside}</body>")

    made = disguise(IDNO, html, [])

    assert _WORD.sub("x", made.html) == _WORD.sub("x", html)
    assert line in made.html


def test_json_is_not_changed_between_its_values() -> None:
    data = f'{{ "idno" : "{IDNO}",\n\t"fullName":"PLOPENA AGRO", "type":"SRL" ,"shares":33.330, "none":null,"e":1E5 }}'

    made = disguised(data.encode())

    assert _WORD.sub("x", made.bodies[0].decode()) == _WORD.sub("x", data)
    assert b'"shares":33.330, "none":null,"e":1E5 }' in made.bodies[0]


def test_escaped_letters_in_json_are_replaced_and_stay_escaped() -> None:
    data = json.dumps({"idno": IDNO, "fullName": "ȘTIRBENA AGRO"}).encode()

    made = disguised(data, company=PageCompany(name="ȘTIRBENA AGRO"))

    assert data_of(made)["fullName"].startswith("Ș")
    assert made.bodies[0].isascii()
    assert "ȘTIRBENA" not in data_of(made)["fullName"]


def test_the_disguise_depends_only_on_the_capture() -> None:
    assert disguised() == disguised()
    assert disguised().idno != disguised(beside="<p>Bine</p>").idno


def test_an_idno_is_replaced_by_a_valid_unassigned_one_of_the_same_year() -> None:
    made = disguised(body(companyFounders=[{"fullName": "ALFA BETAN", "idno": OWNER_IDNO}]))

    owner = data_of(made)["companyFounders"][0]["idno"]
    for new, old in ((made.idno, IDNO), (owner, OWNER_IDNO)):
        assert parse_idno(new) == new != old
        assert (new[:4], new[4:7]) == (old[:4], "999")
    assert data_of(made)["idno"] == made.idno


def test_all_spellings_of_a_name_get_the_same_replacement() -> None:
    company = PageCompany(name="ŞTIRBENA ЗАРЕЧЬЕ", administrators=("ȘTIRBENA ION",))

    made = disguised(body(fullName="ȘTIRBENA ЗАРЕЧЬЕ"), company=company, beside="<i>știrbena Stirbena</i>")

    shown, data = re.search("<h1>(.*)</h1>", made.html), data_of(made)["fullName"]
    assert shown and shown[1][0] == "Ş" and data[0] == "Ș"
    assert fold(shown[1]) == fold(data) != "stirbena заречье"
    assert re.fullmatch(r"[ȘA-Z]{8} [А-Я]{7}", data)
    lower, title = re.findall(r"<i>(\w+) (\w+)</i>", made.html)[0]
    assert lower.islower() and title.istitle()
    assert {fold(lower), fold(title)} == {fold(data.split()[0])}


def test_letters_with_combining_marks_are_part_of_the_word() -> None:
    made = disguised(beside="<b>P\u0323LOPENA</b> <b>AG\u00adRO</b> <b>&Acirc;GRO</b>")

    assert not words_in(made.html) & {"plopena", "agro"}


def test_labels_legal_forms_and_roles_are_kept_even_in_a_name() -> None:
    company = PageCompany(name="PLOPENA CAPITAL GRUP", administrators=("PROBARU DIRECTOR",))

    made = disguised(company=company)

    assert re.search(r"<h1>P[A-Z]{6} CAPITAL GRUP</h1>", made.html)
    assert words_in(page(PageCompany(), plain_lines)) - words_in(made.html) <= set(
        map(
            fold, ["PLOPENA", "AGRO", "MODELEANU", "ION", "EXEMPLESCU", "MARIA", "PROBARU", "VASILE", "Pilda"]
        )
    )


def test_house_numbers_are_replaced_only_in_the_address() -> None:
    address = {"fullName": "str. Pilda, 12, ap. 3", "street": "Pilda", "streetNumber": "12", "apartment": 3}
    company = PageCompany(
        address="str. Pilda, 12, ap. 3", founders={"MODELEANU ION": "12", "ALTUL MIHAI": "3"}
    )

    made = disguised(body(address=address), company=company)

    new = data_of(made)["address"]
    assert new["fullName"].endswith(f", {new['streetNumber']}, ap. {new['apartment']}")
    assert new["fullName"] in made.html
    assert "12" not in new["fullName"] and new["apartment"] != 3
    assert "(12%)" in made.html and "(3%)" in made.html


def test_ids_codes_and_hashes_are_replaced_consistently() -> None:
    cuatm = {"_id": 16, "name": "SEC.CENTRU", "statisticId": "130000", "id": "130"}
    founder = {"_id": 83168, "fullName": "MODELEANU ION", "id": HASH, "shares": 50}
    address = {"fullName": "str. Pilda, 12", "hash": "CPilda12"}
    data = body(_id=81456, cuatm=cuatm, personFounders=[founder], address=address)

    made = disguised(
        data, beside=f"<p>CUATM: SEC.CENTRU (130000)</p><a href='/persons/{HASH}'>MODELEANU ION</a>"
    )

    new = data_of(made)
    assert f"SEC.CENTRU ({new['cuatm']['statisticId']})" in made.html
    assert f"/persons/{new['personFounders'][0]['id']}" in made.html
    assert not {"81456", "83168", "130000", HASH, "CPilda12"} & set(
        re.findall(r"\w+", made.bodies[0].decode())
    )


def test_email_addresses_and_phone_numbers_are_replaced() -> None:
    beside = (
        "<p>oficiu@plopena.md</p><a href='mailto:Oficiu@plopena.md'>www.plopenaagro.md</a>"
        "<p>+373 22 123 456, 022 123456</p><a href='tel:+37322123456'>scrie</a>"
    )

    made = disguised(body(phone="022-12-34-56", mobile=37322123456), beside=beside)

    assert re.search(r"<p>(o\w{5}@p\w{6}\.example)</p><a href='mailto:\1'>www\.p\w{10}\.md<", made.html)
    number = re.sub(r"\D", "", data_of(made)["phone"])
    assert number[:2] == "01" and number != "022123456"
    assert re.sub(r"\D", "", re.findall(r"<p>(\+373.*),", made.html)[0]) == f"373{number[1:]}"
    assert f"tel:+373{number[1:]}" in made.html
    assert data_of(made)["mobile"] == int(f"373{number[1:]}")


def test_other_persons_and_companies_on_the_page_are_replaced() -> None:
    beside = (
        "<h3>Beneficiari efectivi</h3><ul><li>BENEFICU DANA</li></ul>"
        f"<h3>Companii similare</h3><p><a href='/companies/{OWNER_IDNO}'>VECINA TREI</a></p>"
    )
    owners = [{"fullName": "ASCUNSU PETRU", "country": "MD"}]

    made = disguised(body(beneficialOwners=owners, contact="Sunați-l pe NUMITU"), beside=beside)

    left = words_in(made.html) | words_in(made.bodies[0].decode())
    assert not left & {"beneficu", "dana", "vecina", "trei", "ascunsu", "petru", "numitu"}


def test_embedded_json_is_replaced_like_a_body() -> None:
    state = f'{{"{IDNO}": {{"fullName":"PLOPENA \\u0041GRO","_id":4711,"hash":"x1"}}}}'

    made = disguised(beside=f"<script type=application/json>{state}</script><a href='/s?q=PL%4FPENA'>1</a>")

    assert f'{{"{made.idno}": {{"fullName":"P' in made.html
    assert "AGRO" not in made.html and "4711" not in made.html
    assert re.search(r"/s\?q=P[A-Z]{6}'", made.html)


@pytest.mark.parametrize(
    ("beside", "left"),
    [
        ("<p><b>PLO</b><i>PENA</i></p>", "plopena"),
        ("<p class='s-plopena-agro'>1</p>", "PLOPENA AGRO"),
        ("<p>1020 9990 00019</p>", IDNO),
        ("<p>0 22 12 34 56</p><p>+373 22 123 456</p>", "22 123 456"),
    ],
)
def test_a_capture_with_a_leftover_of_the_original_is_rejected(beside: str, left: str) -> None:
    with pytest.raises(DisguiseFailed, match=rf"{re.escape(left)}.* is left of the original"):
        disguised(beside=beside)


def test_a_name_that_cannot_be_replaced_is_rejected() -> None:
    with pytest.raises(DisguiseFailed, match="'CAPITAL INVEST' is left of the original"):
        disguised(company=PageCompany(name="CAPITAL INVEST"))


def test_a_capture_that_would_be_read_differently_is_rejected() -> None:
    html = page(PageCompany(), plain_lines).replace("Pilda, 12, ap. 3", "Pilda, <b>12</b>, ap. 3")

    with pytest.raises(DisguiseFailed, match=r"^address is read differently: "):
        disguise(IDNO, html, [])


def test_a_page_of_another_company_is_rejected() -> None:
    with pytest.raises(DisguiseFailed, match="the capture cannot be read: the page shows the company"):
        disguise(OWNER_IDNO, page(PageCompany()), [])
