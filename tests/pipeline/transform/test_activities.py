"""Activities on a page, in any form of list."""

import pytest

from pipeline.transform.html.activities import split_activities
from pipeline.transform.html.page_reader import read_html
from tests.pipeline.transform.html_pages import IDNO

ONE = "Fabricarea pîinii; fabricarea produselor proaspete de patiserie"
TWO = "Cultivarea cerealelor (exclusiv orez), plantelor leguminoase"
THREE = "Activitatea farmaceutică"


def names(content: str) -> list[str]:
    html = f"<main><h1>PLOPENA AGRO</h1><p>IDNO: {IDNO}</p>{content}</main>"
    return [activity.name for activity in read_html(html, IDNO).licensed_activities]


@pytest.mark.parametrize(
    "content",
    [
        "<dl><dt>Activități licențiate</dt><dd>{0}</dd><dd>{1}</dd><dd>{2}</dd></dl>",
        "<dl><dt>Activități licențiate</dt><dd><ul><li>{0}</li><li>{1}</li><li>{2}</li></ul></dd></dl>",
        "<h2>Activități licențiate</h2><ul><li>{0}</li><li>{1}</li><li>{2}</li></ul>",
        "<h2>Activități licențiate (3)</h2><ol><li>{0}</li><li>{1}</li><li>{2}</li></ol>",
        "<h2>Activități licențiate</h2><div><p>{0}</p><p>{1}</p><p>{2}</p></div>",
        "<section><h3>Activități licențiate</h3><p>{0}</p><p>{1}</p><p>{2}</p></section>",
        "<table><tr><th>Activități licențiate</th><td>{0}<br>{1}<br>{2}</td></tr></table>",
        "<h2>Activități licențiate</h2><table><tr><td>{0}</td></tr><tr><td>{1}</td></tr><tr><td>{2}</td></tr></table>",
        "<h2>Activități licențiate</h2><table><tr><th>Cod</th><th>Denumire</th></tr><tr><td>1</td><td>{0}</td></tr>"
        "<tr><td>2</td><td>{1}</td></tr><tr><td>3</td><td>{2}</td></tr></table>",
        "<p><b>Activități licențiate:</b> {0}; {1}; {2}</p>",
        "<p>Activități licențiate: {0}; {1}; {2}</p>",
        "<p><b>Activități licențiate:</b> {0}, {1}, {2}</p>",
        "<div><div>Activități licențiate</div><div><span>{0}</span><span>{1}</span><span>{2}</span></div></div>",
        "<h2>Лицензируемые виды деятельности</h2><ul><li>1. {0}</li><li>2. {1}</li><li>3. {2}</li></ul>",
        "<h2>Licensed activities</h2><ul><li><b>15810</b> <span>{0}</span></li><li><b>1</b> <span>{1}</span></li>"
        "<li><b>2</b> <span>{2}</span></li></ul>",
    ],
)
def test_activities_are_read_from_any_form_of_list(content: str) -> None:
    assert names(content.format(ONE, TWO, THREE)) == [ONE, TWO, THREE]


@pytest.mark.parametrize("label", ["Activități", "Genuri de activitate", "Licențe", "Виды деятельности"])
def test_label_without_the_kind_of_activities_is_not_read(label: str) -> None:
    assert names(f"<h2>{label}</h2><ul><li>{ONE}</li></ul>") == []


def test_licensed_and_unlicensed_activities_are_distinguished() -> None:
    content = (
        f"<dl><dt>Licensed activities</dt><dd>{ONE}</dd><dt>Unlicensed activities</dt><dd>{TWO}</dd></dl>"
    )
    reading = read_html(f"<main><h1>X SRL</h1><p>IDNO: {IDNO}</p>{content}</main>", IDNO)

    assert [activity.name for activity in reading.licensed_activities] == [ONE]
    assert [activity.name for activity in reading.unlicensed_activities] == [TWO]


@pytest.mark.parametrize("nothing", ["—", "Nu există date", "", "Нет данных"])
def test_stated_absence_yields_no_activities(nothing: str) -> None:
    assert names(f"<dl><dt>Activități licențiate</dt><dd>{nothing}</dd></dl>") == []


@pytest.mark.parametrize(
    ("text", "activities"),
    [
        (ONE, [ONE]),
        (TWO, [TWO]),
        (f"{ONE}; {TWO}", [ONE, TWO]),
        (f"{ONE}, {THREE}", [ONE, THREE]),
        ("Servicii (Transport, Depozitare), Comerț", ["Servicii (Transport, Depozitare)", "Comerț"]),
        ("Consultanță, IT şi telecomunicaţii", ["Consultanță, IT şi telecomunicaţii"]),
        ("Comerț • Transport", ["Comerț", "Transport"]),
    ],
)
def test_line_is_split_where_a_new_activity_starts(text: str, activities: list[str]) -> None:
    assert split_activities(text) == activities


@pytest.mark.parametrize(
    "content",
    [
        "<p><b>Activități licențiate:</b> COMERȚ, TRANSPORT</p>",
        "<h2>Activități licențiate</h2><ul><li>Adresa</li><li>Comerț</li></ul>",
        "<table><tr><th>Activități licențiate</th><td>Activitatea farmaceuticăComerțul cu ridicata</td></tr></table>",
        "<h2>Activități licențiate</h2><div><p>Comerț</p><div>Transport</div></div>",
    ],
)
def test_ambiguous_list_is_not_read(content: str) -> None:
    assert names(content) == []
