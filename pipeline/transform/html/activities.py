"""Reads a company's activities from the value that follows their label, in any form of a list."""

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.html.columns import Column, columns_of, is_row, rows_of
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node, lines_in, text_of
from pipeline.transform.source_text import text_or_none
from pipeline.transform.vocabulary.labels import field_of, is_action
from warehouse.records.models import Activity

_ITEM_TAGS = frozenset({"li", "dd", "td", "th"})
_MAX_LENGTH = 600
_BULLET = re.compile(r"^[•·▪◦*–—-]\s*")
_NUMBERING = re.compile(
    r"^(?:\d{1,3}[.)]|\(?\d{1,6}\)?\s*[:–—-]|\(\d{1,6}\)|\d{2}\.\d{2}(?:\.\d)?\s*[:–—-]?)\s+(?=[^\W\d_])"
)
"""The number or code before a name. It is dropped, because the page does not say which classifier it belongs to."""
_NUMBER_ALONE = re.compile(r"[(\[#№]?\s*\d[\d.]*\s*[)\].:]?")
_GLUED = re.compile(r"[a-zăâîșțşţа-яё)][A-ZĂÂÎȘȚŞŢА-ЯЁ][a-zăâîșțşţа-яё]")
"""The place where two texts were joined without a space between them."""
_BAR = re.compile(r"\s*[|•·]\s*(?=\S)")
_SEMICOLON = re.compile(r"\s*;\s*(?=\S)")
_COMMA = re.compile(r",\s+(?=\S)")


def read_activities(hit: LabelledValue) -> tuple[Activity, ...] | None:
    """Read the activities in a label's value.

        <h2>Activități licențiate</h2>
        <ul><li>1. Comerț cu amănuntul</li><li>2. Transport rutier</li></ul>

    → two activities, without their numbers

    A code before a name (47.11) is dropped too, because the page does not say which classification it belongs to.
    Return None if the value may contain text that is not an activity, or if it is not certain where an activity ends.
    """
    texts = _texts_after_label(hit) if hit.text is not None else _texts_in_nodes(hit.nodes)
    if texts is None:
        return None
    names = [_activity_name(text) for text in texts if not is_action(text)]
    shown = [name for name in names if name is not None]
    if any(len(name) > _MAX_LENGTH or not _can_be_activity(name) for name in shown):
        return None
    return tuple(dict.fromkeys(Activity(name=name) for name in shown))


def _activity_name(text: str) -> str | None:
    """Return the name of an activity without bullet, number or code; None if the text means that there are none.

        <li>• Comerț cu amănuntul;</li>
        <li>47.11 Comerț cu amănuntul</li>

    → "Comerț cu amănuntul" for both
    """
    plain = _NUMBERING.sub("", _BULLET.sub("", text.strip().lstrip(" :："))).rstrip(" ;,")
    return text_or_none(plain)


def _can_be_activity(name: str) -> bool:
    """Tell whether a text can be an activity: not a label, and not two texts without a space between them.

        <td>Activitatea farmaceuticăComerțul cu ridicata</td>

    → False
    """
    if _GLUED.search(name):
        return False
    return field_of(name) is None and any(letter.isalpha() for letter in name) and name[-1] not in ":："


def _texts_after_label(hit: LabelledValue) -> list[str] | None:
    """Return the activity texts of a value that starts in the text of its label; None if it cannot be split.

        <p>Activități licențiate: Comerț; Transport</p>

    → ["Comerț", "Transport"]. If the value has several lines, each line is one activity.
    """
    texts = hit.lines
    return split_activities(texts[0]) if len(texts) == 1 else texts


def _texts_in_nodes(nodes: Sequence[Node]) -> list[str] | None:
    """Return the activity texts of a value of any form; None if its blocks differ in shape.

        <dd>Comerț</dd><dd>Transport</dd>

    → ["Comerț", "Transport"]
    """
    shown = [node for node in nodes if node.text or node.tag == "br"]
    if all(node.is_inline or node.tag == "br" for node in shown):
        return _texts_in_line(shown)
    if len(shown) == 1:
        return _texts_in_block(shown[0])
    if not all(node.shape == shown[0].shape for node in shown):
        return None
    return _one_text_each([_named_texts(node) for node in shown])


def _texts_in_line(nodes: Sequence[Node]) -> list[str] | None:
    """Return the activity texts of an inline value: the lines, the chips (an inline element each), or parts of a text.

        <td>Comerț<br>Transport</td>
        <td><span>Comerț</span><span>Transport</span></td>
        <td>Comerț; Transport</td>

    → ["Comerț", "Transport"] for all
    """
    lines = [line for line in lines_in(nodes) if text_of(line)]
    if len(lines) > 1:
        return [text_of(line) for line in lines]
    only = [node for line in lines for node in line if node.text]
    if len(only) > 1 and all(node.tag != TEXT and node.shape == only[0].shape for node in only):
        return _one_text_each([_named_texts(node) for node in only])  # chips side by side
    if len(only) == 1 and only[0].tag != TEXT and len(only[0].children) > 1:
        return _texts_in_line(only[0].children)
    return split_activities(text_of(only)) if only else []


def _texts_in_block(node: Node) -> list[str] | None:
    """Return the activity texts in a list, a table, or a block whose children have one shape; None for any other block.

        <ul><li>Comerț</li><li>Transport</li></ul>
        <div><p>Comerț</p><p>Transport</p></div>

    → ["Comerț", "Transport"] for both
    """
    rows = rows_of(node)
    if rows and not is_row(node):
        return _texts_in_rows(rows)
    children = [child for child in node.children if child.text or child.tag == "br"]
    lists = [child for child in children if child.tag in ("ul", "ol")]
    if node.tag in ("ul", "ol"):
        return _one_text_each([_named_texts(child) for child in children])
    if lists:
        return _texts_in_block(lists[0]) if len(children) == 1 else None
    if all(child.is_inline or child.tag == "br" for child in children):
        return _texts_in_line(children)
    if len(children) == 1:
        return _texts_in_block(children[0])
    if not all(child.shape == children[0].shape for child in children):
        return None
    return _one_text_each([_named_texts(child) for child in children])


def _texts_in_rows(rows: list[list[Node]]) -> list[str] | None:
    """Return the activity texts of a table: the name column or, without header, the only text of each row.

        <tr><th>Cod</th><th>Denumire</th></tr>
        <tr><td>4711</td><td>Comerț cu amănuntul</td></tr>

    → ["Comerț cu amănuntul"]
    """
    columns = columns_of(rows[0])
    if columns is None:
        return _one_text_each([[text for cell in row for text in _named_texts(cell)] for row in rows])
    if Column.NAME not in columns or any(len(row) != len(columns) for row in rows):
        return None
    name_index = columns.index(Column.NAME)
    return [row[name_index].text for row in rows[1:]]


def _one_text_each(entries: Sequence[list[str]]) -> list[str] | None:
    """Return one text for each entry; None if an entry has several texts that could be the name.

        <li><b>Comerț</b><p>Transport</p></li>

    → None
    """
    kept = [texts for texts in entries if texts]
    return [texts[0] for texts in kept] if all(len(texts) == 1 for texts in kept) else None


def _named_texts(node: Node) -> list[str]:
    """Return the texts of an entry, except texts that consist of a number.

        <li><b>15810</b> <span>Fabricarea pîinii</span></li>

    → ["Fabricarea pîinii"]
    """
    texts = list(_inner_texts(node))
    named = [text for text in texts if not _NUMBER_ALONE.fullmatch(text)]
    return named or texts


def _inner_texts(node: Node) -> Iterator[str]:
    """Yield one text for each block in a node. Inline pieces are joined to one text, unless one of them is a number.

        <div><p>Comerț <i>cu amănuntul</i></p><p>Transport</p></div>

    → "Comerț cu amănuntul", "Transport"
    """
    if node.tag == TEXT or not node.children:
        yield from [node.text] if node.text else []
    elif any(child.is_block for child in node.children):
        for child in node.children:
            yield from _inner_texts(child)
    elif all(child.tag != TEXT for child in node.children) and any(
        _NUMBER_ALONE.fullmatch(child.text) for child in node.children
    ):
        yield from (child.text for child in node.children if child.text)
    else:
        yield node.text


def split_activities(text: str) -> list[str] | None:
    """Split a text that contains several activities: at bars; without bars, at semicolons; without these, at commas.

        <p>Servicii (Transport, Depozitare), Comerț</p>
        <p>COMERȚ, TRANSPORT</p>

    → two activities for the first text; None for the second: in capitals, a comma may also belong to a name
    """
    if ("," in text or ";" in text) and text.upper() == text:
        return None
    pieces = (_split_at(separator, text) for separator in (_BAR, _SEMICOLON, _COMMA))
    return next((some for some in pieces if len(some) > 1), [text] if text.strip() else [])


def _split_at(separator: re.Pattern[str], text: str) -> list[str]:
    """Split a text at each separator that is outside parentheses and precedes a capitalized word.

        <p>Consultanță, IT şi telecomunicaţii</p>

    → one text, not split: "IT" is an abbreviation, so the comma may belong to the name
    """
    pieces: list[str] = []
    begin = 0
    for match in separator.finditer(text):
        before, opening = text[: match.start()], text[match.end() : match.end() + 2]
        begins = opening[0].isupper() and not opening.isupper()  # "IT" after a comma continues the name
        if begins and before.count("(") <= before.count(")"):
            pieces.append(text[begin : match.start()])
            begin = match.end()
    return [piece for piece in (*pieces, text[begin:]) if piece.strip()]
