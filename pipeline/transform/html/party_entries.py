"""Division of the value of a label of parties into entries, each with its texts."""

import re
from collections.abc import Sequence

from pipeline.transform.html.columns import is_row
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node, lines_in, text_of
from pipeline.transform.party_name import are_initials, is_person_name, stands_alone
from pipeline.transform.party_notes import is_note, is_rest
from pipeline.transform.vocabulary.labels import label_in_line

_LIST_TAGS = frozenset({"ul", "ol", "table"})
_VALUE_TAGS = _LIST_TAGS | {"dd", "td", "th"}
"""Texts inside these elements are values, even if they read like labels."""
_EMPHASIS_TAGS = frozenset({"b", "strong", "em", "i", "mark", "u", "bdi", "font"})
_JOINS = re.compile(r"[,;|]\s*$|^\s*[,;|]|[%)\]]\s*[,;]")

Fragments = list[str]
"""The texts that belong to one entry, or to one line with several parties."""


def entries_of(hit: LabelledValue) -> list[Fragments]:
    """Return the entries of a label's value; [] if it is not certain what belongs to the value.

        <h3>Fondatori</h3><ul><li>MODELEANU ION <b>40%</b></li><li>ALFA FRUCT SRL</li></ul>

    → [["MODELEANU ION", "40%"], ["ALFA FRUCT SRL"]]
    """
    return _entries_in_nodes(hit.nodes) if hit.text is None else [[line] for line in hit.lines]


def are_list_items(hit: LabelledValue) -> bool:
    """Tell whether the entries of a label's value are list items or table rows, so that each is one party."""
    return hit.text is None and _is_inside(hit.nodes, _LIST_TAGS)


def _entries_in_nodes(nodes: Sequence[Node]) -> list[Fragments]:
    """Return the entries of a value, each as its texts; [] if one of several separate blocks may be another field.

        <p>MODELEANU ION</p> <p>40%</p>
        <p>EXEMPLESCU MARIA</p> <p>60%</p>

    → four entries of one text each; `_join_notes` joins each share to its name later
    """
    if len(nodes) > 1 and _are_chips(nodes):
        return _entries_in_blocks(nodes)
    if all(node.is_inline or node.tag == "br" for node in nodes):
        return _entries_in_lines(nodes)
    entries = [entry for node in nodes for entry in _entries_in_node(node, is_only=len(nodes) == 1)]
    if not _is_inside(nodes, _VALUE_TAGS) and any(_may_be_label(entry) for entry in entries):
        return []
    return entries


def _is_inside(nodes: Sequence[Node], tags: frozenset[str]) -> bool:
    """Tell whether a value is one element with one of the `tags`, or is wrapped around such an element."""
    inside = nodes
    while inside and inside[0].tag not in tags:
        inside = inside[0].children if len(inside[0].children) == 1 else ()
    return bool(inside)


def _may_be_label(fragments: Fragments) -> bool:
    """Tell whether an entry may be the label of a field after the list (or a name that reads like a label).

        <p>MODELEANU ION</p> <p>Adresa: str. Pilda, 1</p>

    → True for the second
    """
    return bool(fragments) and label_in_line(fragments[0]) is not None


def _entries_in_lines(nodes: Sequence[Node], *, is_only: bool = True) -> list[Fragments]:
    """Return the entries of inline nodes: one for each line.

        <dd>MODELEANU ION (40%)<br>EXEMPLESCU MARIA (60%)</dd>

    → two entries

    `is_only` tells whether these nodes are the whole value; only then is a single line divided into parts.
    """
    shown = [line for line in lines_in(nodes) if text_of(line)]
    return [entry for line in shown for entry in _entries_in_line(line, is_only=is_only and len(shown) == 1)]


def _entries_in_line(line: Sequence[Node], *, is_only: bool) -> list[Fragments]:
    """Return the entry of one line: its whole text if the text joins several parties, otherwise each of its texts.

        <dd>MODELEANU ION; EXEMPLESCU MARIA</dd>
        <dd>MODELEANU ION <b>40%</b></dd>

    → an entry of one text for the first line; an entry of two texts for the second

    Args:
        line: The nodes of the line.
        is_only: Whether the line is the whole list.
    """
    texts = [node for node in line if node.text]
    if not is_only:
        return [fragments_of(texts)]
    leaves = [leaf for node in texts for leaf in node.leaves()]
    if len(leaves) == 1 or any(_JOINS.search(leaf.raw) for leaf in leaves if leaf.parent is texts[0].parent):
        return [[text_of(line)]]
    return [fragments_of(texts)]


def fragments_of(nodes: Sequence[Node]) -> Fragments:
    """Return the texts of one party, with the pieces of its name joined; [] if it is not certain that they are one.

        <li><span>MODELEANU</span> <span>ION</span> (100%)</li>
        <li><span class="a">MODELEANU</span> <span class="b">Ion</span></li>

    → ["MODELEANU ION", "(100%)"] for the first line; [] for the second
    """
    fragments: Fragments = []
    last: Node | None = None
    for leaf in (leaf for node in nodes for leaf in node.leaves()):
        block = _enclosing_block(leaf)
        in_pieces = (
            last is not None
            and block is _enclosing_block(last)
            and f"{fragments[-1]} {leaf.text}" in block.text
        )
        if (
            last is None
            or not in_pieces
            or not _can_be_name(leaf.text)
            or is_note(fragments[-1])
            or are_initials(fragments[-1], leaf.text)
            or _is_badge(leaf, block, fragments[-1])
        ):
            fragments.append(leaf.text)
        elif leaf.parent is block or last.parent is block or _shape_around(leaf) == _shape_around(last):
            fragments[-1] += f" {leaf.text}"
        else:
            return []
        last = leaf
    return fragments


def _is_badge(leaf: Node, block: Node, before: str) -> bool:
    """Tell whether a text may be a badge after a whole name instead of a piece of the name.

        <li>MODELEANU ION <span class="badge">Gold Partner</span></li>
        <li>MODELEANU <b>ION</b></li>

    → True for the first line, False for the second
    """
    around = leaf.parent
    return (
        around is not None
        and around is not block
        and bool(around.style)
        and around.tag not in _EMPHASIS_TAGS
        and is_person_name(before)
    )


def _enclosing_block(leaf: Node) -> Node:
    """Return the nearest block or link around a text."""
    return next((node for node in leaf.ancestors() if node.is_block or node.tag == "a"), leaf)


def _shape_around(leaf: Node) -> tuple[str, str]:
    """Return the shape of the element around a text."""
    return leaf.parent.shape if leaf.parent is not None else leaf.shape


def _can_be_name(text: str) -> bool:
    """Tell whether a text may be a piece of a name: it is capitalized, has no colon and is no note such as a share."""
    return text[0].isupper() and ":" not in text and not is_note(text)


def _entries_in_node(node: Node, *, is_only: bool = False) -> list[Fragments]:
    """Return the entries in a node: one if the node is the element of one party, otherwise those of its children.

        <li>MODELEANU ION <span>40%</span></li>
        <div><p>MODELEANU ION</p><p>EXEMPLESCU MARIA</p></div>

    → one entry of two texts for the first line; two entries for the second
    """
    if node.tag in ("li", "tr") or is_row(node):
        return [fragments_of([node])]
    children = [child for child in node.children if child.text or child.tag == "br"]
    blocks = [child for child in children if not child.is_inline and child.tag != "br"]
    lists = [block for block in blocks if block.tag in _LIST_TAGS]
    if lists:
        return [entry for block in lists for item in _items(block) for entry in _entries_in_node(item)]
    if not blocks and len(children) > 1 and (all(map(_is_party_element, children)) or _are_chips(children)):
        return _entries_in_blocks(children)
    if not blocks:
        return _entries_in_lines([node] if node.tag == TEXT else children, is_only=is_only)
    if len(blocks) < len(children):
        links = [
            child
            for child in children
            if child.tag == "a" and any(not inner.is_inline for inner in child.descendants())
        ]
        if len(links) + len(blocks) < len(children):
            return [fragments_of([node])]
    if len(children) == 1:
        return _entries_in_node(children[0], is_only=is_only)
    return _entries_in_blocks(children)


def _is_party_element(node: Node) -> bool:
    """Tell whether an inline element contains exactly one party: it is a link, or has several texts.

        <a href="/persons/1">MODELEANU ION</a>
        <span>EXEMPLESCU MARIA <i>60%</i></span>

    → True for `a` and for `span`
    """
    return node.tag not in (TEXT, "br") and (node.tag == "a" or sum(1 for _ in node.leaves()) > 1)


def _are_chips(nodes: Sequence[Node]) -> bool:
    """Tell whether inline elements contain one party each: all have the same style, and each contains a whole name.

        <span class="chip">MODELEANU ION</span><span class="chip">PILDA ANA</span><span class="chip more">+6</span>
        <span class="chip"><span>MODELEANU ION</span></span> <span class="chip"><span>ALFA FRUCT</span></span>

    → True
    """
    named = [node for node in nodes if not is_rest(node.text)]
    if named and all(
        node.is_inline and node.style and node.shape == named[0].shape and stands_alone(node.text)
        for node in named
    ):
        return True
    texts = [[leaf.text for leaf in node.leaves()] for node in nodes]
    if not all(texts) or not all(any(child.tag != TEXT for child in node.children) for node in nodes):
        return False
    are_full = any(len(some) > 1 for some in texts) or all(len(some[0].split()) > 1 for some in texts)
    return are_full and all(node.shape == nodes[0].shape for node in nodes)


def _items(block: Node) -> list[Node]:
    """Return the rows of a table or the items of a list."""
    if block.tag == "table":
        return [node for node in block.descendants() if is_row(node)]
    return [child for child in block.children if child.tag == "li"]


def _entries_in_blocks(blocks: Sequence[Node]) -> list[Fragments]:
    """Return one entry for each block that looks like the first, and for each list item or row.

    Any other block belongs to the entry before it.

        <p class="n">MODELEANU ION</p> <p class="s">40%</p>
        <p class="n">EXEMPLESCU MARIA</p> <p class="s">60%</p>

    → two entries of two texts
    """
    if all(block.tag in ("li", "tr") or is_row(block) for block in blocks):
        return [fragments for block in blocks for fragments in _entries_in_node(block)]
    entries: list[Fragments] = []
    for block in blocks:
        if block.looks_like(blocks[0]):
            entries.append([])
        entries[-1].extend(text for entry in _entries_in_node(block) for text in entry)
    return entries
