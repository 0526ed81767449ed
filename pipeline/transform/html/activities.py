"""Lines of business out of the value beside their label, in whatever manner they are listed."""

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.html.columns import Column, columns_of, is_row, rows_of
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node, lines_in, text_of
from pipeline.transform.source_text import present
from pipeline.transform.vocabulary.labels import field_of, is_action
from warehouse.records.models import Activity

_ITEM_TAGS = frozenset({"li", "dd", "td", "th"})
_LONGEST = 600
_BULLET = re.compile(r"^[•·▪◦*–—-]\s*")
_NUMBERING = re.compile(
    r"^(?:\d{1,3}[.)]|\(?\d{1,6}\)?\s*[:–—-]|\(\d{1,6}\)|\d{2}\.\d{2}(?:\.\d)?\s*[:–—-]?)\s+(?=[^\W\d_])"
)
"""What may stand before the name: the number in the list, or a code, of which nobody says in which classifier."""
_NUMBER_ALONE = re.compile(r"[(\[#№]?\s*\d[\d.]*\s*[)\].:]?")
_GLUED = re.compile(r"[a-zăâîșțşţа-яё)][A-ZĂÂÎȘȚŞŢА-ЯЁ][a-zăâîșțşţа-яё]")
"""Two texts with nothing between them."""
_BAR = re.compile(r"\s*[|•·]\s*(?=\S)")
_SEMICOLON = re.compile(r"\s*;\s*(?=\S)")
_COMMA = re.compile(r",\s+(?=\S)")


def read_activities(found: LabelledValue) -> tuple[Activity, ...] | None:
    """Read the activities in a label's value; None where they cannot be told from each other or from other texts.

    The codes that a page may show beside them are not taken: nobody says whether they are the source's.
    """
    texts = _of_line_in_text(found) if found.text is not None else _of_nodes(found.nodes)
    if texts is None:
        return None
    names = [_name(text) for text in texts if not is_action(text)]
    shown = [name for name in names if name is not None]
    if any(len(name) > _LONGEST or not _can_be_activity(name) for name in shown):
        return None
    return tuple(dict.fromkeys(Activity(name=name) for name in shown))


def _name(text: str) -> str | None:
    plain = _NUMBERING.sub("", _BULLET.sub("", text.strip().lstrip(" :："))).rstrip(" ;,")
    return present(plain)


def _can_be_activity(name: str) -> bool:
    if _GLUED.search(name):
        return False
    return field_of(name) is None and any(letter.isalpha() for letter in name) and name[-1] not in ":："


def _of_line_in_text(found: LabelledValue) -> list[str] | None:
    """Read a value that begins in the label's own text and may go on over lines."""
    first, *others = lines_in(found.nodes)
    texts = [f"{found.text}{text_of(first)}", *filter(None, map(text_of, others))]
    return split_activities(texts[0]) if len(texts) == 1 else texts


def _of_nodes(nodes: Sequence[Node]) -> list[str] | None:
    shown = [node for node in nodes if node.text or node.tag == "br"]
    if all(node.is_inline or node.tag == "br" for node in shown):
        return _of_inline(shown)
    if len(shown) == 1:
        return _of_block(shown[0])
    if not all(node.shape == shown[0].shape for node in shown):
        return None
    return _each([_pieces(node) for node in shown])


def _of_inline(nodes: Sequence[Node]) -> list[str] | None:
    lines = [line for line in lines_in(nodes) if text_of(line)]
    if len(lines) > 1:
        return [text_of(line) for line in lines]
    only = [node for line in lines for node in line if node.text]
    if len(only) > 1 and all(node.tag != TEXT and node.shape == only[0].shape for node in only):
        return _each([_pieces(node) for node in only])  # chips, one beside the other
    if len(only) == 1 and only[0].tag != TEXT and len(only[0].children) > 1:
        return _of_inline(only[0].children)
    return split_activities(text_of(only)) if only else []


def _of_block(node: Node) -> list[str] | None:
    rows = rows_of(node)
    if rows and not is_row(node):
        return _of_rows(rows)
    children = [child for child in node.children if child.text or child.tag == "br"]
    lists = [child for child in children if child.tag in ("ul", "ol")]
    if node.tag in ("ul", "ol"):
        return _each([_pieces(child) for child in children])
    if lists:
        return _of_block(lists[0]) if len(children) == 1 else None
    if all(child.is_inline or child.tag == "br" for child in children):
        return _of_inline(children)
    if len(children) == 1:
        return _of_block(children[0])
    if not all(child.shape == children[0].shape for child in children):
        return None
    return _each([_pieces(child) for child in children])


def _of_rows(rows: list[list[Node]]) -> list[str] | None:
    columns = columns_of(rows[0])
    if columns is None:
        return _each([[text for cell in row for text in _pieces(cell)] for row in rows])
    if Column.NAME not in columns or any(len(row) != len(columns) for row in rows):
        return None
    at = columns.index(Column.NAME)
    return [row[at].text for row in rows[1:]]


def _each(entries: Sequence[list[str]]) -> list[str] | None:
    """One text for each entry; None where an entry holds several that could each be the name."""
    kept = [texts for texts in entries if texts]
    return [texts[0] for texts in kept] if all(len(texts) == 1 for texts in kept) else None


def _pieces(node: Node) -> list[str]:
    """The texts of an entry without numbers that stand alone; a text in pieces of one line is one."""
    texts = list(_texts(node))
    named = [text for text in texts if not _NUMBER_ALONE.fullmatch(text)]
    return named or texts


def _texts(node: Node) -> Iterator[str]:
    if node.tag == TEXT or not node.children:
        yield from [node.text] if node.text else []
    elif any(child.is_block for child in node.children):
        for child in node.children:
            yield from _texts(child)
    elif all(child.tag != TEXT for child in node.children) and any(
        _NUMBER_ALONE.fullmatch(child.text) for child in node.children
    ):
        yield from (child.text for child in node.children if child.text)
    else:
        yield node.text


def split_activities(text: str) -> list[str] | None:
    """Split a text that joins activities; an activity has commas of its own, with a small letter after them.

    None where all letters are capitals, so that nobody can say which comma is whose.
    """
    if ("," in text or ";" in text) and text.upper() == text:
        return None
    pieces = (_split(separator, text) for separator in (_BAR, _SEMICOLON, _COMMA))
    return next((some for some in pieces if len(some) > 1), [text] if text.strip() else [])


def _split(separator: re.Pattern[str], text: str) -> list[str]:
    """Split a text where a separator outside parentheses goes before a word with a capital letter."""
    pieces: list[str] = []
    begin = 0
    for match in separator.finditer(text):
        before, opening = text[: match.start()], text[match.end() : match.end() + 2]
        begins = opening[0].isupper() and not opening.isupper()  # "IT" after a comma goes on
        if begins and before.count("(") <= before.count(")"):
            pieces.append(text[begin : match.start()])
            begin = match.end()
    return [piece for piece in (*pieces, text[begin:]) if piece.strip()]
