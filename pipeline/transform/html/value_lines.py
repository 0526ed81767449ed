"""Search for the value of a label in the same line, and in the lines below."""

from collections.abc import Sequence

from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, field_of, is_action, label_in_line

LABEL_TAGS = frozenset({"dt", "th", "label", "b", "strong", "summary", "legend", "caption", *HEADINGS})
NEVER_VALUE_TAGS = frozenset({"br", "hr", "i", "wbr"})
"""Elements that are never the blank value of a label."""
_MAX_LINES = 500
SEPARATORS = " \t:：·•|–—-*?"
"""Characters that may be between a label and its value; they belong to neither of them."""


def rest_of_line(node: Node, after: Sequence[Node]) -> list[Node]:
    """Return the nodes after a label up to a line break, a block or the next label.

        <b>Adresa:</b> MD-2001, <span>Chișinău</span><br>

    → the text "MD-2001, " and the `span`
    """
    line: list[Node] = []
    for sibling in after:
        if not sibling.is_inline or (line and is_next_label(node, sibling)):
            break
        line.append(sibling)
    while line and not line[-1].text.strip(" |·•"):
        line.pop()
    return line


def lines_of(node: Node, after: Sequence[Node]) -> list[Node]:
    """Return the nodes after a label up to the next label or block, across line breaks.

        <b>Fondatori:</b> MODELEANU ION<br>EXEMPLESCU MARIA<br>
        <b>Adresa:</b> str. Pilda, 1

    → both names and the line break between them
    """
    taken: list[Node] = []
    rest = after
    for _ in range(_MAX_LINES):
        line = rest_of_line(node, rest)
        others = [other for other in rest if not line or other.start > line[-1].end]
        taken += line
        if ends_with_line(node, line, rest) or not others or others[0].tag != "br":
            return taken
        taken.append(others[0])
        rest = others[1:]
    return []  # no list of a company has that many lines


def ends_with_line(node: Node, line: Sequence[Node], after: Sequence[Node]) -> bool:
    """Tell whether a value ends where its line ends: the text after the line break is another label, or there is none.

        <b>Adresa:</b> str. Pilda, 1<br><b>Telefon:</b> 022
        <b>Adresa:</b> MD-2001, Chișinău<br>str. Pilda, 1

    → True for the first line, False for the second

    Args:
        node: The label.
        line: The nodes of the value that are in the same line as the label.
        after: All siblings after the label.
    """
    rest = [other for other in after if not line or other.start > line[-1].end]
    if not rest or rest[0].tag != "br":
        return True
    below = next((other for other in rest if other.text), None)
    if below is None or not below.is_inline or is_action(below.text):
        return True
    if is_next_label(node, below) or field_of(below.text) is not None or ":" in below.text.partition("(")[0]:
        return True
    return below.tag in LABEL_TAGS or (below.tag != TEXT and below.shape == node.shape)


def is_next_label(label: Node, node: Node) -> bool:
    """Tell whether `node`, a sibling after a label, is the next label; it need not be in the vocabulary.

        <b>Statut</b> Activă <b>Zona</b> Nord
        <span>Statut</span> Activă <em>Zona:</em> Nord

    → True for the second `b` and for `em`
    """
    if node.tag == TEXT:
        return False
    if node.shape == label.shape and (field_of(node.text) is not None or label.tag in LABEL_TAGS):
        return True
    is_value_place = node.is_block and node.shape != label.shape and field_of(node.text) is None
    return not is_value_place and node.text.endswith((":", "：")) and len(node.text) <= LABEL_LENGTH


def starts_with_label(node: Node) -> bool:
    """Tell whether the first text of a node is a label, or starts with one.

        <div><b>Adresa</b> str. Pilda, 1</div>
        <p>Adresa: str. Pilda, 1</p>

    → True for both
    """
    opening = next(node.leaves(), None)
    return opening is not None and (field_of(opening.text) or label_in_line(opening.text)) is not None
