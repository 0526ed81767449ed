"""Search for the extent of sections about the past: former names, addresses, founders, a log of changes."""

from collections.abc import Sequence
from itertools import takewhile

from pipeline.transform.html.columns import is_cell
from pipeline.transform.html.labelled_value import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node
from pipeline.transform.html.value_lines import SEPARATORS
from pipeline.transform.vocabulary.labels import field_of

_TITLES = ("summary", "legend", "caption", *HEADINGS)


def history_nodes(hit: LabelledValue) -> Sequence[Node]:
    """Return the nodes below or next to a label of the past; nothing in them is a current fact.

        <h3>Istoric</h3><p>Adresa: str. Veche, 1</p><h3>Fondatori</h3>
        <p><b>Adresa anterioară:</b> str. Veche, 1</p>

    → the `p`; the text after the `b`
    """
    is_beside = hit.label.tag == "dt" or is_cell(hit.label)
    if hit.text is not None or is_beside or any(node.start < hit.label.start for node in hit.nodes):
        return hit.nodes
    title = hit.label
    while title.parent is not None and not _after(title):
        title = title.parent
    return [*hit.nodes, *takewhile(lambda node: not _ends(title, hit.label, node), _after(title))]


def _after(node: Node) -> list[Node]:
    return [sibling for sibling in node.following_siblings() if sibling.text.strip(SEPARATORS)]


def _ends(title: Node, label: Node, node: Node) -> bool:
    """Tell whether a section ends before `node`: it is or contains the next title.

    A section whose title is a heading ends at a heading of the same or a higher level.
    """
    if title.tag == TEXT:
        return False
    opening = _title_of(node)
    heading = label if label.tag in HEADINGS else label.ancestor(*HEADINGS)
    if heading is not None:
        return opening is not None and opening.tag in HEADINGS and opening.tag <= heading.tag
    if opening is not None:
        return True
    return node.shape == title.shape and (bool(title.style) or field_of(node.text) is not None)


def _title_of(node: Node) -> Node | None:
    """Return the heading, legend or summary that a node is or starts with, or None."""
    leaf = next(node.leaves(), None)
    if leaf is None:
        return None
    around = [other for other in (leaf, *leaf.ancestors()) if node.contains(other) and other.tag in _TITLES]
    return around[0] if around else None
