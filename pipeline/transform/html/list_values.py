"""Search for the value of a label that announces a list: founders, administrators, activities."""

import re
from collections.abc import Sequence
from itertools import takewhile

from pipeline.transform.activity_text import says_more_activities
from pipeline.transform.html.activity_tables import activity_table
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node
from pipeline.transform.html.value_lines import is_next_label, lines_of, starts_with_label
from pipeline.transform.party_name import is_person_name, stands_alone
from pipeline.transform.vocabulary.field import ACTIVITY_FIELDS, PARTY_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of, is_action, label_in_line

ENTRY_COUNT = re.compile(r"[(\[]?\d{1,4}(?: [^\W\d_]{3,20})?[)\]]?")
"""The number of a list's entries: "2", "(2)", "2 persoane"."""


def list_value(field: Field, node: Node, after: list[Node]) -> Sequence[Node]:
    """Return the nodes of a list next to its label; [] if the list is blank or it is not certain where it ends.

        <h3>Fondatori</h3><ul><li>MODELEANU ION</li></ul>
        <h3>Fondatori</h3><p>MODELEANU ION</p><p>EXEMPLESCU MARIA</p><h3>Contacte</h3>
        <b>Fondatori</b><br>MODELEANU ION<br>EXEMPLESCU MARIA

    → the `ul`, both `p`, and the two lines

    Args:
        field: The field that the label announces.
        node: The label, or the element around it.
        after: The siblings after `node`; at least one of them has text.
    """
    over_lines = after[0].tag == "br"
    shown = [other for other in after if other.tag == "br" or other.text]
    while shown and (
        shown[0].tag == "br"
        or is_action(shown[0].text)
        or ENTRY_COUNT.fullmatch(shown[0].text)
        or (len(shown) > 1 and says_more_activities(shown[0].text))
    ):
        shown.pop(0)
    if not shown:
        return []
    first = shown[0]
    # "Adresa: …" after "Fondatori" is the next label, and then the list is blank. If it is a name that looks like a
    # label, it is not read either.
    is_table = field in ACTIVITY_FIELDS and activity_table([first]) is not None
    announces = _announces_other_field(field, first, with_value=first.shape == node.shape)
    if field_of(first.text) or (announces and not is_table):
        return []
    if over_lines and first.is_inline:
        return list(
            takewhile(
                lambda other: other.is_inline or other.tag == "br", _up_to_next_label(field, node, shown)
            )
        )
    if _is_empty_section(node, first):
        return []
    if first.is_inline and (first.tag == TEXT or any(other.tag in (TEXT, "br") for other in shown)):
        return lines_of(node, shown)
    until_label = _up_to_next_label(field, node, shown)
    if first.shape == node.shape:
        others = [other for other in shown[1:] if other.text]
        return [] if others and not _is_after_list(first, others[0]) else [first]
    taken = list(takewhile(lambda other: _continues_list(first, other), until_label))
    rest = [other for other in until_label[len(taken) :] if other.text]
    if rest and field in PARTY_FIELDS and _may_be_party(first, rest[0]):
        return [
            *taken,
            rest[0],
        ]  # whether it belongs to the list is for the reader of parties to find uncertain
    # The markup changes within a line: it is not certain whether the list ends here, so nothing is read.
    return [] if rest and first.is_inline and rest[0].is_inline and not is_action(rest[0].text) else taken


def _is_after_list(first: Node, other: Node) -> bool:
    """Tell whether a list ends after `first`, so that the next sibling, `other`, does not belong to it.

    `first` has the same shape as the label.

        <p>Fondatori</p><p>MODELEANU ION</p><p>Adresa: str. Pilda, 1</p>
        <p>Fondatori</p><p>MODELEANU ION</p><p>EXEMPLESCU MARIA</p>

    → True for the last `p` of the first line, False for the last `p` of the second
    """
    return other.shape != first.shape or starts_with_label(other) or other.text.endswith((":", "："))


def _is_empty_section(node: Node, following: Node) -> bool:
    """Tell whether a label has no list: it is alone in its section, and the node `following` is another section.

        <div class="box"><h3>Fondatori</h3></div>
        <div class="box"><h3>Contacte</h3><p>Telefon: 022</p></div>

    → True
    """
    title = _title(node)
    if node.is_inline or title is None or title.text != node.text:
        return False
    opening = _title(following)
    if (
        node.tag not in ("header", *HEADINGS)
        and _is_in_heading(title)
        and opening
        and _is_in_heading(opening)
    ):
        return True
    kin = [
        other
        for other in (*node.preceding_siblings(), *node.following_siblings())
        if other.shape == node.shape
    ]
    others = [(_title(other), other) for other in kin]
    return any(
        other is not None and other.shape == title.shape and other.is_block and other.text != section.text
        for other, section in others
    )


def _is_in_heading(node: Node) -> bool:
    return node.tag in HEADINGS or node.ancestor(*HEADINGS) is not None


def _is_headed(node: Node) -> bool:
    """Tell whether a node starts with a heading.

        <div><h3>Contacte</h3><p>Telefon: 022</p></div>

    → True
    """
    title = _title(node)
    return title is not None and _is_in_heading(title)


def _title(section: Node) -> Node | None:
    """Return the element around the first text of a section, or None."""
    return next((leaf.parent for leaf in section.leaves()), None)


def _up_to_next_label(field: Field, node: Node, shown: list[Node]) -> list[Node]:
    """Return the siblings up to the next label or heading.

        <h3>Fondatori</h3><p>MODELEANU ION</p><p>EXEMPLESCU MARIA</p><h3>Contacte</h3>

    → both `p`
    """
    is_headed = _is_headed(shown[0])

    def ends(other: Node) -> bool:
        return (
            (other.tag in HEADINGS and other.shape != shown[0].shape)
            or (_is_headed(other) and not is_headed)
            or (
                other.shape == node.shape and node.tag != TEXT
            )  # names in lines look like a label without an element
            or _announces_other_field(field, other)
            or is_next_label(node, other)
            or (other.tag == TEXT and _is_label_line(other.text))
        )

    return [*shown[:1], *takewhile(lambda other: not ends(other), shown[1:])]


def _continues_list(first: Node, other: Node) -> bool:
    """Tell whether `other` belongs to the list that starts with `first`. A share may follow each name.

        <p class="n">MODELEANU ION</p><p class="s">40%</p>
        <p class="n">EXEMPLESCU MARIA</p><p class="s">60%</p>

    → True for all: each looks like `first`, or has the same tag and a short text with digits
    """
    return other.looks_like(first) or (
        other.tag == first.tag and any(letter.isdigit() for letter in other.text) and len(other.text) < 12
    )


def _may_be_party(first: Node, other: Node) -> bool:
    """Tell whether a block after a list starts with a name, so that the list may be longer than it seems.

        <p class="lead">MODELEANU ION</p><p class="dim">EXEMPLESCU MARIA</p>

    → True for the second `p`
    """
    opening = next(other.leaves(), None)
    return other.tag == first.tag and other.is_block and opening is not None and is_person_name(opening.text)


def _is_label_line(text: str) -> bool:
    """Tell whether a line is a label, known or not: it ends with a colon and is no name."""
    label = text.rstrip(" :：")
    return label != text and not stands_alone(label)


def _announces_other_field(field: Field, node: Node, *, with_value: bool = True) -> bool:
    """Tell whether a node announces another field, so that the list of `field` ends before the node.

        <p>Fondatori</p> <p>Adresa: str. Pilda, 1</p>

    → True for the second `p`, if `field` is the founders

    A node announces a field with its label or, if `with_value`, with a label that a value follows in the same line. The
    labels of an IDNO, a name and a legal form do not count, because they may describe a founder.
    """
    opening = next(node.leaves(), None)
    if opening is None or opening.ancestor("a", "li") is not None:
        return False
    line = label_in_line(opening.text) if with_value else None
    announced = field_of(opening.text) or (line[0] if line else None)
    return announced not in (None, field, Field.IDNO, Field.NAME, Field.LEGAL_FORM)
