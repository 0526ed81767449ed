"""Tables of all activities, in which a column tells the licensed ones, and lists that say how much they show."""

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import Reading

IDNO = "1020999000019"


def read(body: str) -> Reading:
    return read_html(f"<body><main><h1>PLOPENA AGRO SRL</h1><p>IDNO: {IDNO}</p>{body}</main></body>", IDNO)


def names(reading: Reading) -> tuple[list[str], list[str]]:
    lists = (reading.licensed_activities, reading.unlicensed_activities)
    return tuple([activity.name for activity in activities or ()] for activities in lists)  # type: ignore[return-value]


def table(*answers: str, header: str = "Licențiată") -> str:
    rows = (
        f"<tr><td>Comerț cu benzină</td><td>{answers[0]}</td></tr>"
        f"<tr><td>Restaurante</td><td>{answers[1]}</td></tr>"
    )
    return f"<table><tr><th>Denumire</th><th>{header}</th></tr>{rows}</table>"


def test_a_column_divides_the_activities() -> None:
    for title, header, answers in (
        ("Genuri de activitate", "Licențiată", ("Da", "Nu")),
        ("Виды деятельности", "Лицензируемая", ("Да", "Нет")),
        ("Activități economice (2)", "Licențiată?", ("✓", "✗")),
    ):
        reading = read(f"<h2>{title}</h2>{table(*answers, header=header)}")
        assert names(reading) == (["Comerț cu benzină"], ["Restaurante"])
        assert reading.incomplete == frozenset()


def test_an_unknown_answer_leaves_both_lists_unread() -> None:
    reading = read(f"<h2>Genuri de activitate</h2>{table('Da', '?')}")
    assert names(reading) == ([], [])
    assert {"licensed_activities", "unlicensed_activities"} <= {item.field for item in reading.unread}


def test_an_answer_that_contradicts_the_title_leaves_the_list_unread() -> None:
    reading = read(f"<h2>Activități licențiate</h2>{table('Da', 'Nu')}")
    assert names(reading) == ([], [])
    assert reading.unread[0].field == "licensed_activities"


def test_a_text_in_the_block_of_a_list_says_how_much_is_shown() -> None:
    items = "<ul><li>Comerț cu benzină</li><li>Restaurante</li></ul>"
    for text in ("Se afișează 2 din 11", "Показано 2 из 7", "Showing 2 of 7"):
        reading = read(f"<div><div>Activități licențiate</div><div>{items}<small>{text}</small></div></div>")
        assert names(reading)[0] == ["Comerț cu benzină", "Restaurante"]
        assert reading.incomplete == {"licensed_activities"}
