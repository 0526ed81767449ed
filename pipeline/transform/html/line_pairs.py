"""Reading of lines that state several facts, each with its label or recognizable without one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from pipeline.transform.html.labelled_value import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node, lines_in
from pipeline.transform.html.value_types import has_type_of
from pipeline.transform.source_text import collapse, parse_date
from pipeline.transform.vocabulary.field import LIST_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of, label_in_line
from pipeline.transform.vocabulary.statuses import status_of
from pipeline.transform.vocabulary.terms import legal_form_of

_MAX_LENGTH = 1000
_MAX_BLOCK_LENGTH = 5000
_STRONG = "|·•∙⋅‧●"
"""Characters that always separate facts. Other separators may be part of a value: a label must follow them."""
_BOUNDARY = re.compile(rf"\s*[{_STRONG}]\s*|\s*[;,]\s+|\s+[/—–-]\s+")
_HAS_SEVERAL = re.compile(rf"[{_STRONG};,/—–(]|\s-\s")
_HAS_LABEL = re.compile(r"[:：]|[0-9]")
_NUMBER_AT_START = re.compile(r"[0-9]{13}(?![0-9])")
_NUMBER_AT_END = re.compile(r"(.*?)[\s:：№#–—-]*\b([0-9]{13})")
_BRACKETED_NUMBER = re.compile(r"\(([^()]{0,20}[0-9]{13})\)")
_WORDS_IN_LABEL = 6


@dataclass
class _Part:
    """A part of a line. `field` is None if the part is no fact; a part without a label has no `name`."""

    text: str
    start: int
    field: Field | None = None
    value: str = ""
    name: str | None = None


def read_label_without_colon(text: str) -> tuple[Field, str, str] | None:
    """Return the field, the label and the value of a text without a colon; only an IDNO or a date is read.

    "IDNO 1020999000019" → (IDNO, "IDNO", "1020999000019"); "înregistrată la 12 martie 2015" → (REGISTERED_ON, …)
    """
    if (match := _NUMBER_AT_END.fullmatch(text)) and field_of(match[1]) is Field.IDNO:
        return Field.IDNO, match[1], match[2]
    words = text.split() if len(text) < LABEL_LENGTH else []
    for count in range(1, min(_WORDS_IN_LABEL, len(words))):
        opening, value = " ".join(words[:count]), " ".join(words[count:])
        if field_of(opening) is Field.REGISTERED_ON and parse_date(value):
            return Field.REGISTERED_ON, opening, value
    return None


def may_state_several(leaf: Node) -> bool:
    """Tell whether the line of a text has the separators of several facts; a quick check before the line is read."""
    block = leaf.parent
    while block is not None and block.is_inline:
        block = block.parent
    # In a long block, only the text itself is checked, because this is done for each of its texts.
    text = block.text if block is not None and len(block.text) <= _MAX_BLOCK_LENGTH else leaf.text
    return _HAS_LABEL.search(text) is not None and bool(_HAS_SEVERAL.search(text))


def read_line_of_facts(leaf: Node) -> list[LabelledValue]:
    """Return the facts of the line that starts at a text; [] if the line does not state several facts.

        <p>Forma juridică: SRL | Stare: <b>Activă</b></p>
        <p>SRL · IDNO 1020999000019 · înregistrată la 12 martie 2015</p>

    → LEGAL_FORM and STATUS; LEGAL_FORM, IDNO and REGISTERED_ON
    """
    leaves = _line_of(leaf)
    text, starts = _join(leaves)
    if len(text) > _MAX_LENGTH or not _HAS_SEVERAL.search(text):
        return []
    parts = _parts_of(text)
    labelled = [part for part in parts if part.name is not None]
    if len(labelled) < 2 and not (labelled and any(part.field and part.name is None for part in parts)):
        return []
    if parts[0].field is None or not _is_regular(leaf, leaves, starts, parts):
        return []
    return [
        LabelledValue(part.field, _leaf_at(leaves, starts, part.start), (), part.value, part.name or "")
        for part in parts
        if part.field is not None
    ]


def _is_regular(leaf: Node, leaves: Sequence[Node], starts: Sequence[int], parts: Sequence[_Part]) -> bool:
    """Tell whether a line with several labels is the page's shape, and not a value that imitates labels.

        <p><b>Adresa:</b> str. Falsă, 5; Statut: Lichidată</p>
        <p>Statut: Activă</p> <p>Adresa: str. Falsă, 5 | Statut: Lichidată</p>

    → False for both: the labels look different; and the lines of the page have one label each. Where other lines have
    one label each, a line with several states only short facts whose end is certain.
    """
    labels = [_leaf_at(leaves, starts, part.start).parent for part in parts if part.name]
    shapes = {label.shape if label is not None else None for label in labels}
    if shapes != {leaf.parent.shape if leaf.parent else None}:
        return False
    single = _fields_of_like_lines(leaf)
    if not single:
        return True
    typed = all(part.field and has_type_of(part.field, part.value) for part in parts[:-1])
    return typed and not single & {part.field for part in parts}


def _fields_of_like_lines(leaf: Node) -> set[Field]:
    """Return the fields that the other lines of a block, or blocks of the same shape beside it, state one by one."""
    block = leaf
    while block.parent is not None and block.is_inline:
        block = block.parent
    inside = [" ".join(node.text for node in line) for line in lines_in(block.children)]
    kin = [*block.preceding_siblings(), *block.following_siblings()]
    texts = inside if len(inside) > 1 else [other.text for other in kin if other.shape == block.shape]
    fields: set[Field] = set()
    for text in texts:
        if len(text) <= _MAX_LENGTH and label_in_line(text):
            labelled = [part.field for part in _parts_of(text) if part.field and part.name]
            fields.update(labelled if len(labelled) == 1 else ())
    return fields


def end_of_line(leaf: Node) -> int:
    """Return the number of the last text in the line that starts at a text."""
    return _line_of(leaf)[-1].start


def _line_of(leaf: Node) -> list[Node]:
    """Return the texts of a line, up to the next line break or block."""
    node = leaf
    while node.parent is not None and node.parent.is_inline:
        node = node.parent
    inline = takewhile(
        lambda other: other.is_inline and other.tag != "br", [node, *node.following_siblings()]
    )
    line: list[Node] = []
    for child in inline:
        for inner in (child, *child.descendants()):
            if inner.tag == "br":
                return line
            if inner.tag == TEXT and inner.start >= leaf.start:
                line.append(inner)
    return line


def _join(leaves: Sequence[Node]) -> tuple[str, list[int]]:
    """Return the text of a line, and the position in it where each leaf starts.

    "SRL (IDNO 1020999000019)" → "SRL |IDNO 1020999000019|"
    """
    text, starts = "", []
    for leaf in leaves:
        starts.append(len(text))
        text += leaf.raw
    return _BRACKETED_NUMBER.sub(r"|\1|", text), starts


def _leaf_at(leaves: Sequence[Node], starts: Sequence[int], position: int) -> Node:
    return [leaf for leaf, start in zip(leaves, starts, strict=True) if start <= position][-1]


def _parts_of(text: str) -> list[_Part]:
    """Split a line into its parts, and read each of them."""
    parts: list[_Part] = []
    begin = len(text) - len(text.lstrip(f" \t\n\xa0{_STRONG}"))
    position = begin
    for match in [*_BOUNDARY.finditer(text, begin), None]:
        end = match.start() if match else len(text)
        if match and match.end() < len(text) and not _separates(match[0], text[match.end() :]):
            continue
        if piece := collapse(text[position:end]).lstrip(",; "):
            parts.append(_read_part(piece, position))
        position = match.end() if match else end
    return _without_uncertain_values(parts)


def _separates(boundary: str, rest: str) -> bool:
    """Tell whether a separator ends a fact: always, or because the label of a company's fact follows.

    "SRL | Stare: Activă" → True; "str. Pilda, 1" and "Chișinău, sector: Centru" → False
    """
    if any(character in _STRONG for character in boundary):
        return True
    # The place of the second label is what matters, so the rest of the line is cut at the next separator.
    following = _BOUNDARY.split(rest, maxsplit=1)[0]
    if line := label_in_line(collapse(following)):
        return line[0] is not Field.OTHER or boundary.strip() == ";"
    return boundary.strip() != "," and read_label_without_colon(collapse(following)) is not None


def _read_part(text: str, start: int) -> _Part:
    if line := label_in_line(text):
        field, value = line
        number = _NUMBER_AT_START.match(value) if field is Field.IDNO else None
        name = text[: len(text) - len(value)].rstrip(" :：—–-")
        return _Part(text, start, field, number[0] if number else value, name)
    if labelled := read_label_without_colon(text):
        field, name, value = labelled
        return _Part(text, start, field, value, name)
    if status_of(text):
        return _Part(text, start, Field.STATUS, text)
    return _Part(text, start, Field.LEGAL_FORM if legal_form_of(text) else None, text)


def _without_uncertain_values(parts: list[_Part]) -> list[_Part]:
    """Blank the values that may go on in the next part of the line.

    "Adresa: str. Pilda, 1 | Chișinău | Stare: Activă" → the address is blank
    """
    for part, following in pairwise(parts):
        goes_on = part.name is not None and following.field is None and ":" not in following.text
        if goes_on and part.field in (*LIST_FIELDS, Field.ADDRESS, Field.LEGAL_FORM):
            part.value = ""
    return parts
