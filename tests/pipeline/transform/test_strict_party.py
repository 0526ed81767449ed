"""Lists of parties on a page: truncated lists, roles, former holders, shares that cannot be right, any classes."""

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading
from tests.pipeline.transform.html_pages import IDNO
from warehouse.records.models import Party

Shares = dict[str, float | None]


def read(content: str) -> Reading:
    return read_html(
        f"<body><main><h1>PLOPENA AGRO</h1><dl><dt>IDNO</dt><dd>{IDNO}</dd></dl>{content}</main></body>", IDNO
    )


def items(title: str, *entries: str) -> str:
    return f"<h3>{title}</h3><ul>{''.join(f'<li>{entry}</li>' for entry in entries)}</ul>"


def table(title: str, header: str, *rows: str) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in header.split("|"))
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row.split('|'))}</tr>" for row in rows)
    return (
        f"{title and f'<h3>{title}</h3>'}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def shares(parties: tuple[Party, ...]) -> Shares:
    return {party.name: None if party.share is None else float(party.share) for party in parties}


def unread(reading: Reading) -> set[tuple[str, str]]:
    return {(str(item.field), item.text) for item in reading.unread}


TRUNCATED = [
    "<h3>Fondatori (5)</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul>",
    "<h3>Fondatori</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><a>Vezi toți fondatorii (5)</a>",
    "<h3>Fondatori</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><button>Arată toți</button>",
    "<h3>Fondatori</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li><li>+ 3 alții</li></ul>",
    "<h3>Fondatori</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li><li><a>încă 3…</a></li></ul>",
    "<h3>Fondatori</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><p>Afișate 2 din 12</p>",
    "<h3>Учредители</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><p>Показано 2 из 11</p>",
    "<h3>Founders</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><div>Showing 1–2 of 14</div>",
    "<h3>Founders</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><nav><a>‹</a><a>1</a><a>2</a><a>›</a></nav>",
    "<h3>Founders</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><div><a>1</a><a>2</a><a>3</a></div>",
    "<p>Fondatori: MODELEANU ION, PILDA ANA ş.a.</p>",
    "<h3>Учредители</h3><p>MODELEANU ION; PILDA ANA и др.</p>",
]


@pytest.mark.parametrize("content", TRUNCATED)
def test_list_that_the_page_truncates_is_incomplete(content: str) -> None:
    reading = read(content)

    assert [party.name for party in reading.founders] == ["MODELEANU ION", "PILDA ANA"]
    assert reading.incomplete == {"founders"}


@pytest.mark.parametrize(
    "content",
    [
        "<h3>Fondatori (2)</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul>",
        "<h3>Fondatori</h3><p>2 persoane</p><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul>",
        "<h3>Founders</h3><ul><li>MODELEANU ION</li><li>PILDA ANA</li></ul><p>Showing 2 of 2</p>",
        "<h3>Fondatori</h3><ul><li>MODELEANU ION <a>Vezi mai mult</a></li><li>PILDA ANA <a>Vezi mai mult</a></li></ul>",
    ],
)
def test_list_that_shows_all_entries_is_not_incomplete(content: str) -> None:
    assert read(content).incomplete == frozenset()


def test_truncated_list_of_activities_is_incomplete() -> None:
    content = (
        "<h3>Activități nelicențiate (7)</h3><ul><li>Comerț cu ridicata</li><li>Transport rutier</li></ul>"
    )

    assert read(content).incomplete == {"unlicensed_activities"}


@pytest.mark.parametrize(
    "classes", [("odd", "even", "odd last"), ("row first", "row", "row last"), ("item-1", "item-2", "item-3")]
)
@pytest.mark.parametrize("outer", ["ul li", "div div", "table tr"])
def test_items_are_entries_whatever_their_classes_for_the_place_are(
    classes: tuple[str, str, str], outer: str
) -> None:
    around, item = outer.split()
    cell = "td" if item == "tr" else "span"
    first, second, third = (f"<{item} class='{name}'><{cell}>%s</{cell}>" for name in classes)
    rows = (
        first % "MODELEANU ION"
        + f"<{cell}></{cell}></{item}>"
        + second % "PILDA ANA"
        + f"<{cell}>25%</{cell}></{item}>"
        + third % "PROBARU VASILE"
        + f"<{cell}>75%</{cell}></{item}>"
    )

    assert shares(read(f"<h3>Fondatori</h3><{around}>{rows}</{around}>").founders) == {
        "MODELEANU ION": None,
        "PILDA ANA": 25,
        "PROBARU VASILE": 75,
    }


def test_share_belongs_to_the_item_that_contains_it() -> None:
    content = (
        '<h3>Fondatori</h3><ul><li class="odd"><a>RUSU-TEST ION</a></li>'
        '<li class="even"><a>CEBAN-TEST ANA</a> <span>25%</span></li></ul>'
    )

    assert shares(read(content).founders) == {"RUSU-TEST ION": None, "CEBAN-TEST ANA": 25}


@pytest.mark.parametrize("title", ["", "Persoane", "Fondatori", "Fondatori și administratori"])
def test_table_with_a_column_of_roles_states_founders_and_administrators(title: str) -> None:
    reading = read(
        table(
            title,
            "Nume|Rol|Cota",
            "RUSU-TEST ION|Fondator|5 400 lei (60%)",
            "PILDA ANA|Fondator, Administrator|40%",
            "CEBAN-TEST ANA|Administrator|",
            "PROBARU VASILE|Contabil-șef|",
        )
    )

    assert shares(reading.founders) == {"RUSU-TEST ION": 60, "PILDA ANA": 40}
    assert shares(reading.administrators) == {"PILDA ANA": None, "CEBAN-TEST ANA": None}
    assert reading.founders[0].remark == "5 400 lei"
    assert any("PROBARU VASILE" in text for text in reading.remarks["administrators"])


def test_row_with_an_unknown_role_makes_a_list_of_roles_incomplete() -> None:
    reading = read(table("Лица", "Роль|ФИО", "Учредитель|RUSU ION", "Космонавт|PILDA ANA"))

    assert shares(reading.founders) == {"RUSU ION": None}
    assert reading.administrators == () and "founders" in reading.incomplete


def test_former_holders_are_remarks_and_not_in_the_list() -> None:
    reading = read(
        table(
            "Administratori",
            "Nume|Funcție|De la|Până la",
            "MODELEANU ION|Administrator|11.11.2011|03.05.2014",
            "PILDA ANA|Administrator|03.05.2014|prezent",
            "PROBARU VASILE|Administrator|20.09.2019|",
        )
    )

    assert [(party.name, party.role) for party in reading.administrators] == [
        ("PILDA ANA", "Administrator"),
        ("PROBARU VASILE", "Administrator"),
    ]
    assert reading.remarks == {"administrators": ("MODELEANU ION Administrator 11.11.2011 03.05.2014",)}


@pytest.mark.parametrize("title", ["Foști administratori", "Administratori (foști)", "Бывшие администраторы"])
def test_section_of_former_administrators_is_not_read(title: str) -> None:
    assert read(items(title, "MODELEANU ION")).administrators == ()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (("MODELEANU ION (60%)", "PILDA ANA (55%)"), {"MODELEANU ION": None, "PILDA ANA": None}),
        (("MODELEANU ION (150%)",), {"MODELEANU ION": None}),
        (("MODELEANU ION (33,3%)", "PILDA ANA (67%)"), {"MODELEANU ION": 33.3, "PILDA ANA": 67}),
    ],
)
def test_shares_that_cannot_be_right_together_are_not_read(
    entries: tuple[str, ...], expected: Shares
) -> None:
    reading = read(items("Fondatori", *entries))

    assert shares(reading.founders) == expected
    is_wrong = None in expected.values()
    assert [item.field for item in reading.unread] == (["founders"] if is_wrong else [])
    assert all(party.remark for party in reading.founders) is is_wrong


@pytest.mark.parametrize("header", ["Nume|Cota", "Nume|Cota, %"])
def test_column_of_fractions_is_not_per_cent(header: str) -> None:
    reading = read(table("Fondatori", header, "MODELEANU ION|0,5", "PILDA ANA|0,5"))

    assert shares(reading.founders) == {"MODELEANU ION": None, "PILDA ANA": None}
    assert [party.remark for party in reading.founders] == ["0,5", "0,5"]


def test_number_in_a_column_of_shares_is_per_cent_and_zero_is_none() -> None:
    reading = read(
        table(
            "Fondatori", "Fondator|Aport, lei|Cota-parte (%)", "MODELEANU ION|3375|100,00", "PILDA ANA|0|0,00"
        )
    )

    assert shares(reading.founders) == {"MODELEANU ION": 100, "PILDA ANA": None}
    assert reading.founders[0].remark == "3375"


def test_cell_with_two_names_is_a_joint_stake() -> None:
    reading = read(
        table("Fondatori", "Numele|Cota", "MODELEANU OLEG, PILDA LIDIA|40% (cotă comună)", "RUSU IURIE|60%")
    )

    assert shares(reading.founders) == {"MODELEANU OLEG": None, "PILDA LIDIA": None, "RUSU IURIE": 60}


def test_idno_of_the_company_itself_in_a_column_or_link_is_not_that_of_its_founder() -> None:
    reading = read(
        table(
            "Fondatori",
            "Denumire|IDNO|Cota",
            f"ECOU SRL|{IDNO}|75%",
            f"<a href='/companies/{IDNO}'>ALFA SRL</a>||25%",
        )
    )

    assert [party.idno for party in reading.founders] == [None, None]


@pytest.mark.parametrize(
    "text",
    [
        "1",
        ",",
        "< <",
        "TOTAL 12 MEMBRI",
        "RADIAT DIN REGISTRU",
        "Lorem ipsum",
        "Sign in to see founders",
        "undefined",
    ],
)
def test_junk_is_unread_and_the_other_entries_are_kept(text: str) -> None:
    reading = read(items("Fondatori", "MODELEANU ION (50%)", text.replace("<", "&lt;")))

    assert shares(reading.founders) == {"MODELEANU ION": 50}
    assert unread(reading) == {("founders", text)}
    assert reading.incomplete == {"founders"}


def test_loose_text_that_is_not_understood_makes_the_whole_list_unread() -> None:
    reading = read("<p>Fondatori: MODELEANU ION (50%), vezi nota</p>")

    assert reading.founders == ()
    assert unread(reading) == {("founders", "MODELEANU ION (50%), vezi nota")}


def test_label_with_a_role_gives_its_parties_the_role() -> None:
    [party] = read("<p>Lichidator: PILDA ANA</p>").administrators

    assert (party.name, party.role) == ("PILDA ANA", "Lichidator")


def test_initials_before_a_name_in_the_same_line_are_not_part_of_it() -> None:
    reading = read(items("Fondatori", "<span class='avatar'>PA</span> PILDA ANA <span>50 %</span>"))

    assert shares(reading.founders) == {"PILDA ANA": 50}


@pytest.mark.parametrize(
    ("header", "cell"), [("Observații", "a cedat cota"), ("Data ședinței", "02.03.2020"), ("Activ", "Nu")]
)
def test_cell_that_may_say_that_a_party_left_makes_its_row_unread(header: str, cell: str) -> None:
    reading = read(table("Fondatori", f"Nume|Cota|{header}", "PILDA ANA|50%|", f"RUSU ION|50%|{cell}"))

    assert shares(reading.founders) == {"PILDA ANA": 50}
    assert reading.incomplete == {"founders"}


@pytest.mark.parametrize(
    "text",
    [
        "PILDA ANA, director la ALFA SRL",
        "Moștenitorii PILDA ION",
        "Cota PILDA ANA: 50%",
        "PILDA ANA 50 % + RUSU ION 50 %",
        "PILDA ANA: 1/2 din 50%",
        "Acces Restricționat",
        "Nume Fondator",
        "XXXX YYYY",
        "P. A.",
    ],
)
def test_text_that_only_resembles_a_party_is_unread(text: str) -> None:
    reading = read(items("Fondatori", text))

    assert reading.founders == ()
    assert unread(reading) == {("founders", text)}
