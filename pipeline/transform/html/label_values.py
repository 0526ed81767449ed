"""Search for the value of a label that is an element of its own: a panel, a cell, a list, or the next sibling."""

from collections.abc import Sequence
from itertools import islice, takewhile

from pipeline.transform.html.columns import is_cell, is_row
from pipeline.transform.html.list_values import ENTRY_COUNT, list_value
from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.html.table_values import value_in_row
from pipeline.transform.html.value_lines import (
    LABEL_TAGS,
    NEVER_VALUE_TAGS,
    SEPARATORS,
    ends_with_line,
    is_next_label,
    rest_of_line,
    starts_with_label,
)
from pipeline.transform.vocabulary.field import LIST_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of, is_action


def value_nodes(field: Field, label: Node) -> tuple[Node, ...]:
    """Return the nodes of a label's value; () if the label has no value or the value is not certain.

        <div><span>Statut</span><span>Activă</span></div>
        <div><div><span>Adresa</span></div><p>str. Pilda, 1</p></div>

    → the second `span`; and the `p`, because the search goes up to the first element around the label with siblings
    """
    if panel := _controlled_panel(label):
        return (panel,)
    node = _expander(label) or label
    while node.parent is not None:
        value = _value_among_siblings(field, node)
        if value is not None:
            return tuple(value)
        node = node.parent
    return ()


def _expander(label: Node) -> Node | None:
    """Return the element around a label that expands a panel next to it, or None.

        <div aria-expanded="true"><span>Fondatori</span><span class="arrow"></span></div>
        <div><ul><li>MODELEANU ION</li></ul></div>

    → the first `div`
    """
    around = takewhile(lambda node: len(node.text) <= LABEL_LENGTH, label.ancestors())
    return next((node for node in around if "aria-expanded" in node.attributes), None)


def _controlled_panel(label: Node) -> Node | None:
    """Return the panel that a label opens, if the page names it in `aria-controls`.

        <div role="tab" aria-controls="t1">Fondatori</div> …
        <div role="tabpanel" id="t1"><p>MODELEANU ION</p></div>

    → the second `div`
    """
    controls = (*islice(label.ancestors(), 2), *label.descendants())
    control = next((node for node in (label, *controls) if "aria-controls" in node.attributes), None)
    if control is None:
        return None
    target = control.attributes["aria-controls"]
    panels = (node for node in label.page if node.attributes.get("id") == target)
    return next((node for node in panels if node.text and not node.contains(label)), None)


def _value_among_siblings(field: Field, node: Node) -> Sequence[Node] | None:
    """Return the value next to or below `node`; [] if the value is blank; None if the search must go up to the parent.

        <dt>Adresa</dt><dd>str. Pilda, 1</dd>
        <tr><th>Adresa</th><td>str. Pilda, 1</td></tr>
        <h3>Fondatori</h3><ul><li>MODELEANU ION</li></ul>

    → `dd`, `td` and `ul`
    """
    if node.tag == "dt":
        values = takewhile(lambda sibling: sibling.tag != "dt", node.following_siblings())
        return [value for value in values if value.text]
    if is_cell(node) and node.parent is not None and is_row(node.parent):
        return value_in_row(field, node, node.parent)
    after = _skip_separators(node.following_siblings())
    if not any(sibling.text for sibling in after):
        return [] if _shows_blank_value(node, after) else None
    if all(
        not sibling.text or is_action(sibling.text) or ENTRY_COUNT.fullmatch(sibling.text)
        for sibling in after
    ):
        if field in LIST_FIELDS or not ENTRY_COUNT.fullmatch(after[0].text):
            return None
        return _single_value(field, node, after)
    return list_value(field, node, after) if field in LIST_FIELDS else _single_value(field, node, after)


def _shows_blank_value(node: Node, after: list[Node]) -> bool:
    """Tell whether a label that no text follows has a blank value among its siblings.

        <b>Adresa:</b> —
        <b>Adresa</b><span></span>
        Nr. 5 <b>Adresa</b>

    → True for all three: a dash, an empty element, or a line that ends with the label
    """
    if any(sibling.text.strip(" :：·•|") for sibling in node.following_siblings()):
        return True  # a dash alone means "none"
    if any(sibling.tag not in NEVER_VALUE_TAGS and sibling.tag != TEXT for sibling in after):
        return True
    return any(sibling.text.strip(SEPARATORS) for sibling in node.preceding_siblings())


def _skip_separators(siblings: list[Node]) -> list[Node]:
    """Return the siblings without the separators at the beginning.

        <b>Statut</b> — <span>Activă</span>

    → [span]
    """
    first = next(
        (i for i, node in enumerate(siblings) if node.tag != TEXT or node.text.strip(SEPARATORS)),
        len(siblings),
    )
    return siblings[first:]


def _single_value(field: Field, node: Node, after: list[Node]) -> Sequence[Node]:
    """Return the value of a label that takes one value; [] if the value is blank or it is not certain where it ends.

        <p class="l">Adresa</p><p class="v">str. Pilda, 1</p><p class="l">Zona</p>
        <h4>Adresa</h4><p class="v">str. Pilda, 1</p><p class="v">mun. Chișinău</p>

    → the first `p.v` for the first line; [] for the second
    """
    if after[0].tag == "br":
        after = _skip_separators(after[1:])
    if not after or not after[0].text or is_next_label(node, after[0]):
        return []
    first = after[0]
    if (first.shape == node.shape and _is_label_with_value(first)) or _is_labelled_block(first):
        return []
    if first.is_inline:
        value = _single_inline_value(node, after)
        return value if field is not Field.ADDRESS or ends_with_line(node, value, after) else []
    others = [other for other in after[1:] if other.text]
    # It is unknown whether the second of two similar blocks belongs to the value, so neither block is read.
    has_second = bool(others) and others[0].shape == first.shape != node.shape
    return [] if has_second and not starts_with_label(others[0]) else [first]


def _is_labelled_block(node: Node) -> bool:
    """Tell whether a node is a block that starts with a label in an element of its own.

        <div><span>Telefon</span><span>022</span></div>

    → True
    """
    leaves = list(node.leaves())
    return len(leaves) > 1 and node.is_block and field_of(leaves[0].text) is not None


def _is_label_with_value(node: Node) -> bool:
    """Tell whether a node contains a label with its value. If so, the label before the node has no value.

        <p><b>Adresa:</b></p>
        <p><b>Zona:</b> Nord</p>

    → True for the second `p`
    """
    return starts_with_label(node) or (len(node.children) > 1 and node.children[0].tag in LABEL_TAGS)


def _single_inline_value(node: Node, after: list[Node]) -> Sequence[Node]:
    """Return the value among inline siblings: all pieces of one value, or the first if labels and values alternate.

        <b>Adresa:</b> <span>MD-2001, </span><span>str. Pilda, 1</span>
        <i>Adresa</i><span>str. Pilda, 1</span><i>Raion</i><span>Soroca</span>

    → both `span` for the first line; the first `span` for the second
    """
    line = rest_of_line(node, after)
    if any(other.tag == TEXT for other in line):
        return line
    first, *others = [other for other in after if other.text]
    in_pieces = bool(others) and others[0].shape == first.shape != node.shape
    return line if in_pieces else [first]
