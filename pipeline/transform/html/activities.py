"""Reads a company's activities from the value that follows their label, in any form of a list."""

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.activity_text import (
    ActivityText,
    is_code,
    is_licence_remark,
    parse_activity,
    says_more_activities,
    starts_with_code,
)
from pipeline.transform.html.activity_tables import ActivityList, activity_table, read_activity_table
from pipeline.transform.html.columns import is_row, rows_of
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.list_ends import is_about_list
from pipeline.transform.html.page_tree import TEXT, Node, lines_in, text_of
from pipeline.transform.vocabulary.field import ACTIVITY_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of, is_action

_ENTRY_NUMBER = re.compile(r"[(\[#№]?\s*\d{1,3}\s*[)\].:]?")
_GLUED = re.compile(r"[a-zăâîșțşţа-яё)][A-ZĂÂÎȘȚŞŢА-ЯЁ][a-zăâîșțşţа-яё]")
"""The place where two texts were joined without a space between them."""
_NUMBER_IN_LINE = re.compile(r"(?:^|(?<=[\s;,]))\d{1,2}[.)] ?(?=[^\W\d_])")
_CODE_LENGTH = 24
_BAR = re.compile(r"\s*[|•·]\s*(?=\S)")
_SEMICOLON = re.compile(r"\s*;\s*(?=\S)")
_COMMA = re.compile(r",\s+(?=\S)")


def read_activities(hit: LabelledValue) -> ActivityList | None:
    """Read the activities in a label's value.

        <h2>Activități licențiate</h2>
        <ul><li>1. Comerț cu amănuntul</li><li>47.11 Transport, licența nr. 12345</li><li>și încă 4</li></ul>

    → two activities, the second with its code; the remark "licența nr. 12345"; incomplete

    Return None if the value may contain text that is not an activity, or if it is not certain where an activity ends.
    """
    if hit.text is None and (table := activity_table(hit.nodes)) is not None:
        is_divided = field_of(hit.caption) not in ACTIVITY_FIELDS
        return read_activity_table(table, licensed=hit.field is Field.LICENSED, is_divided=is_divided)
    texts = _texts_after_label(hit) if hit.text is not None else _texts_in_nodes(hit.nodes)
    return _read_texts(texts) if texts is not None else None


def _read_texts(texts: Sequence[str]) -> ActivityList | None:
    """Return the activities in texts with one activity each; None if a text is not understood."""
    read = [parse_activity(text) for text in texts if says_more_activities(text) or not is_action(text)]
    known = [item for item in read if item is not None]
    activities = [item.activity for item in known if item.activity is not None]
    if len(known) < len(read) or not all(_can_be_activity(activity.name) for activity in activities):
        return None
    if activities and ActivityText() in known:
        return None  # "none" beside an activity: one of them is something else
    return ActivityList(
        activities=list(dict.fromkeys(activities)),
        remarks=[f"{item.activity.name}: {item.remark}" for item in known if item.activity and item.remark],
        is_incomplete=any(item.is_more for item in known),
    )


def _can_be_activity(name: str) -> bool:
    """Tell whether a text can be an activity: not a label, and not two texts without a space between them.

        <td>Activitatea farmaceuticăComerțul cu ridicata</td>

    → False
    """
    if _GLUED.search(name):
        return False
    return field_of(name) is None


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
    if len(kept := [node for node in shown if not is_about_list(node.text)]) == 1 and kept[0].tag != "br":
        return _texts_in_block(kept[0])
    is_uniform = all(node.tag == "dd" for node in shown) or all(
        node.shape == shown[0].shape for node in shown
    )
    return _one_text_each([_named_texts(node) for node in shown]) if is_uniform else None


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
        # Beside the list, a text may say how much of it is shown; `list_ends.py` reads it.
        others = [child for child in children if child is not lists[0]]
        if not all(child.tag == "br" or is_about_list(child.text) for child in others):
            return None
        return _texts_in_block(lists[0])
    if all(child.is_inline or child.tag == "br" for child in children):
        return _texts_in_line(children)
    if len(children) == 1:
        return _texts_in_block(children[0])
    if not all(child.shape == children[0].shape for child in children):
        return None
    return _one_text_each([_named_texts(child) for child in children])


def _texts_in_rows(rows: list[list[Node]]) -> list[str] | None:
    """Return the only text of each row of a table without header.

        <tr><td>1</td><td>Comerț cu amănuntul</td></tr>

    → ["Comerț cu amănuntul"]
    """
    return _one_text_each([_joined([text for cell in row for text in _inner_texts(cell)]) for row in rows])


def _one_text_each(entries: Sequence[list[str]]) -> list[str] | None:
    """Return one text for each entry; None if an entry has several texts that could be the name.

        <li><b>Comerț</b><p>Transport</p></li>

    → None
    """
    kept = [texts for texts in entries if texts]
    return [texts[0] for texts in kept] if all(len(texts) == 1 for texts in kept) else None


def _named_texts(node: Node) -> list[str]:
    """Return the texts of an entry. A code before or after the name, and remarks about a licence, are joined to it.

        <li><b>47.11</b> <span>Comerț cu amănuntul</span></li>
        <li><p>Transport</p><p>Licența nr. 12345 din 01.02.2020</p></li>

    → ["47.11 Comerț cu amănuntul"]; ["Transport — Licența nr. 12345 din 01.02.2020"]
    """
    return _joined(list(_inner_texts(node)))


def _joined(texts: list[str]) -> list[str]:
    codes = [text for text in texts if is_code(text)]
    remarks = [text for text in texts if not is_code(text) and is_licence_remark(text)]
    names = [text for text in texts if text not in codes and text not in remarks]
    if len(names) != 1 or len(codes) > 2:
        return names or texts
    # The first of two numbers counts the entries.
    code = f"{codes[-1]} – " if len(codes) == 2 or (codes and not _ENTRY_NUMBER.fullmatch(codes[0])) else ""
    return [" — ".join((f"{code}{names[0]}", *([" ".join(remarks)] if remarks else [])))]


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
        is_code(child.text) for child in node.children
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
    if len(numbers := list(_NUMBER_IN_LINE.finditer(text))) > 1 and numbers[0].start() == 0:
        ends = [*(match.start() for match in numbers[1:]), len(text)]
        return [text[match.start() : end].strip() for match, end in zip(numbers, ends, strict=True)]
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
        begins = begins or starts_with_code(text[match.end() : match.end() + _CODE_LENGTH])
        if begins and before.count("(") <= before.count(")"):
            pieces.append(text[begin : match.start()])
            begin = match.end()
    return [piece for piece in (*pieces, text[begin:]) if piece.strip()]
