"""An activity is its name; a code, a licence or a note around the name is kept, or the list is unread."""

import json
from typing import Any

import pytest

from pipeline.transform.activity_text import parse_activity
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_payloads
from pipeline.transform.reading import Reading, Unread
from tests.pipeline.transform.html_pages import IDNO
from warehouse.records.models import Activity

TITLE = "<h2>Activități licențiate</h2>"


def read(content: str) -> Reading:
    return read_html(f"<main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{content}</main>", IDNO)


def names(content: str) -> list[str]:
    return [activity.name for activity in read(content).licensed_activities]


def read_json(**fields: Any) -> Reading:
    body = json.dumps({"idno": IDNO, "fullName": "PLOPENA AGRO", **fields}).encode()
    reading = read_payloads([body], IDNO)
    assert reading is not None
    return reading


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("62.01 Activități de realizare a softului", "62.01"),
        ("62.01 – Activități de realizare a softului", "62.01"),
        ("A 01.21 Activități de realizare a softului", "A 01.21"),
        ("J62.01: Activități de realizare a softului", "J62.01"),
        ("(6201) Activități de realizare a softului", "6201"),
        ("CAEM 62.01 Activități de realizare a softului", "62.01"),
        ("Activități de realizare a softului (62.01)", "62.01"),
        ("Activități de realizare a softului – CAEM 62.01", "62.01"),
        ("1. 62.01 Activități de realizare a softului", "62.01"),
        ("1. Activități de realizare a softului;", None),
        ("• Activități de realizare a softului", None),
    ],
)
def test_code_around_a_name_is_kept_as_code(text: str, code: str | None) -> None:
    parsed = parse_activity(text)

    assert parsed is not None
    assert parsed.activity == Activity(name="Activități de realizare a softului", code=code)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("Transport, licența nr. 012345 din 01.02.2020", "licența nr. 012345 din 01.02.2020"),
        ("Transport licența nr. 012345 din 01.02.2020", "licența nr. 012345 din 01.02.2020"),
        ("Transport (licență A MMII 045117)", "licență A MMII 045117"),
        (
            "Transport — Nr. 12 din 1 mai 2020, valabilă până la 01.02.2025",
            "Nr. 12 din 1 mai 2020, valabilă până la 01.02.2025",
        ),
        ("Nr. 012345 din 01.02.2020 – Transport", "Nr. 012345 din 01.02.2020"),
        ("AC 001932 – Transport", "AC 001932"),
        (
            "Transport, лицензия № 12 от 01.02.2020, действительна до 01.02.2025",
            "лицензия № 12 от 01.02.2020, действительна до 01.02.2025",
        ),
        ("Transport (licence no. 45, issued 14 May 2022)", "licence no. 45, issued 14 May 2022"),
    ],
)
def test_licence_around_a_name_is_kept_as_remark(text: str, remark: str) -> None:
    parsed = parse_activity(text)

    assert parsed is not None
    assert (parsed.activity, parsed.remark) == (Activity(name="Transport"), remark)


@pytest.mark.parametrize(
    "text",
    [
        "Cultivarea cerealelor (exclusiv orez), plantelor leguminoase",
        "Comerț cu ridicata pe bază de licență",
        "Servicii 24/7 de pază",
        "Lucrări de construcții (categoria A)",
        "B2B servicii",
    ],
)
def test_ordinary_name_is_kept_as_written(text: str) -> None:
    parsed = parse_activity(text)

    assert parsed is not None
    assert (parsed.activity, parsed.remark) == (Activity(name=text), None)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Transport (licență suspendată)",
            "Transport, licența retrasă la 01.02.2020",
            "Comerț…",
            "Comerț etc.",
        ),
        *("Transport din 01.02.2020 al mărfurilor", "{{ activity.name }}", "3 stele", "1", "Servicii:"),
    ],
)
def test_text_that_is_not_wholly_understood_makes_the_list_unread(text: str) -> None:
    reading = read(f"{TITLE}<ul><li>Depozitare</li><li>{text}</li></ul>")

    assert reading.licensed_activities == ()
    assert [item.field for item in reading.unread] == ["licensed_activities"]


@pytest.mark.parametrize(
    "text",
    [
        "Nu sunt",
        "nu are",
        "Fără licențe",
        "Нет",
        "Не имеется",
        "None",
        "No licences",
        "—",
        "Nu sunt activități licențiate",
    ],
)
def test_text_that_says_none_is_no_activity(text: str) -> None:
    for content in (f"{TITLE}<p>{text}</p>", f"<dl><dt>Activități licențiate</dt><dd>{text}</dd></dl>"):
        reading = read(content)
        assert (reading.licensed_activities, reading.unread) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "și încă 4",
        "+ 3 altele",
        "+5",
        "…",
        "și altele",
        "и ещё 4",
        "ещё 4",
        "and 4 more",
        "4 more",
        "Afișate 2 din 12",
    ],
)
def test_item_that_says_that_the_list_continues_is_no_activity(text: str) -> None:
    reading = read(f"{TITLE}<ul><li>Transport</li><li>Depozitare</li><li>{text}</li></ul>")

    assert [activity.name for activity in reading.licensed_activities] == ["Transport", "Depozitare"]
    assert reading.incomplete == {"licensed_activities"}


@pytest.mark.parametrize("text", ["Afișate 2 din 12", "Pagina 1 din 3", "1–2 of 14", "Показано 2 из 12"])
def test_count_between_a_title_and_its_list_is_no_activity(text: str) -> None:
    assert names(f"{TITLE}<p>{text}</p><ul><li>Transport</li><li>Depozitare</li></ul>") == [
        "Transport",
        "Depozitare",
    ]


@pytest.mark.parametrize(
    "header",
    [
        ("Nr. licenței", "Genul de activitate"),
        ("Seria și nr. licenței", "Denumirea activității"),
        ("Номер лицензии", "Вид деятельности"),
        ("Licence no.", "Kind of activity"),
    ],
)
def test_table_of_licences_is_read(header: tuple[str, str]) -> None:
    head, cells = (f"<tr><th>{a}</th><th>{b}</th></tr>" for a, b in (header, header[::-1]))
    row, other = (
        "<tr><td>AC 012345</td><td>Transport</td></tr>",
        "<tr><td>Transport</td><td>AC 012345</td></tr>",
    )

    for table in (f"{head}{row}", f"{cells}{other}", f"{head}{row}".replace("th>", "td>")):
        reading = read(f"{TITLE}<table>{table}</table>")
        assert reading.licensed_activities == (Activity(name="Transport"),)
        assert reading.remarks == {"licensed_activities": (f"Transport: {header[0]} AC 012345",)}


def test_columns_of_codes_and_dates_are_kept_and_an_unknown_column_is_unread() -> None:
    head = "<tr><th>Nr.</th><th>Cod CAEM</th><th>Denumire</th><th>Valabilă până la</th><th>Zona</th></tr>"
    rows = "<tr><td>1</td><td>62.01</td><td>Soft</td><td>01.02.2025</td><td>Nord</td></tr>"
    rows += "<tr><td colspan='5'>și încă 2</td></tr>"
    reading = read(f"{TITLE}<table>{head}{rows}</table>")

    assert reading.licensed_activities == (Activity(name="Soft", code="62.01"),)
    assert reading.remarks == {"licensed_activities": ("Soft: Valabilă până la 01.02.2025",)}
    assert reading.unread == (Unread("licensed_activities", "Zona: Nord", "the column is not known"),)
    assert reading.incomplete == {"licensed_activities"}


@pytest.mark.parametrize(
    "content",
    [
        "<ul><li><b>Transport</b><br>Licența: A 012345</li><li><b>Depozitare</b><br>Licența: A 012346</li></ul>",
        "<div class='c'><b>Transport</b><p>Licența A 012345</p></div>"
        "<div class='c'><b>Depozitare</b><p>Licența A 012346</p></div>",
        "<table><tr><td>1</td><td>52.10</td><td>Transport</td></tr>"
        "<tr><td>2</td><td>52.11</td><td>Depozitare</td></tr></table>",
        "<ul><li class='odd'>Transport</li><li class='even last'>Depozitare</li></ul>",
        "<p>1. Transport 2. Depozitare</p>",
        "<p>52.10 Transport; 52.11 Depozitare</p>",
    ],
)
def test_activities_with_codes_or_licences_are_read_from_any_list(content: str) -> None:
    assert names(f"{TITLE}{content}") == ["Transport", "Depozitare"]


def test_value_cells_of_different_classes_are_one_list() -> None:
    content = (
        "<dl><dt>Activități licențiate</dt><dd class='a'>Transport</dd><dd class='b'>Depozitare</dd></dl>"
    )

    assert names(content) == ["Transport", "Depozitare"]


def test_licensed_and_unlicensed_activity_with_one_id_are_two_activities() -> None:
    reading = read_json(
        licensedActivities=[{"id": 22, "name": "A B"}], unlicensedActivities=[{"id": 22, "name": "C D"}]
    )

    assert reading.licensed_activities == (Activity(name="A B", code="22"),)
    assert reading.unlicensed_activities == (Activity(name="C D", code="22"),)


def test_two_activities_of_one_list_may_have_the_same_id() -> None:
    entries = [{"id": 22, "name": "Transport"}, {"id": 22, "name": "Depozitare"}]

    assert [activity.name for activity in read_json(licensedActivities=entries).licensed_activities] == [
        "Transport",
        "Depozitare",
    ]


@pytest.mark.parametrize("junk", ["1", ",", "{{ name }}", "și încă 4"])
def test_junk_in_the_payload_is_unread_and_the_other_activities_are_read(junk: str) -> None:
    reading = read_json(licensedActivities=[{"id": 1, "name": "Transport"}, {"id": 2, "name": junk}])

    assert reading.licensed_activities == (Activity(name="Transport", code="1"),)
    assert reading.unread in ((Unread("licensed_activities", junk, "not an activity"),), ())
