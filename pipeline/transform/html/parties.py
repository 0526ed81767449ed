"""Founders and administrators out of the value beside their label, in whatever manner they are listed."""

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.html.columns import Column, columns_of, flat_rows_of, is_row, rows_of
from pipeline.transform.html.company_region import idno_in_link
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node, lines_in, text_of
from pipeline.transform.html.party_text import is_note, is_nothing, read_entry, share_in, split_parties
from pipeline.transform.source_text import present
from pipeline.transform.vocabulary.field import SIDE_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of, label_in_line
from warehouse.records.models import Party, PartyKind

_LIST_TAGS = frozenset({"ul", "ol", "table"})
_CERTAIN_TAGS = _LIST_TAGS | {"dd", "td", "th"}
"""What stands in these is a value, even if it looks like a label."""
_JOINS = re.compile(r"[,;|]\s*$|^\s*[,;|]|[%)\]]\s*[,;]")

Fragments = list[str]
"""The texts that stand together for one party."""


def read_parties(found: LabelledValue) -> tuple[Party, ...] | None:
    """Read the parties in a label's value: list items, rows, cards, or one text that joins them.

    A list of which a part cannot be read is not read at all: None. It is () only where the page shows no party.
    """
    with_shares = found.field is Field.FOUNDERS
    parties: list[Party | None]
    if found.text is None and (table := _table(found.nodes)):
        columns, rows = table
        rows = [row for row in rows if not _is_blank_row(row, columns)]
        parties = [_of_row(row, columns, i, with_shares) for i, row in enumerate(rows)]
    else:
        entries = _of_nodes(found.nodes) if found.text is None else _of_text(found.text, found.nodes)
        is_list = found.text is None and _is_within(found.nodes, _LIST_TAGS)
        joined = _joined(entries, with_shares=with_shares, is_list=is_list)
        joined = [texts for texts in joined if not all(map(is_nothing, texts))]
        parties = [read_entry(texts, position=i, with_shares=with_shares) for i, texts in enumerate(joined)]
    if None in parties or not (parties or is_nothing(found.value)):
        return None
    links = [(node, idno) for node in _elements(found.nodes) if (idno := idno_in_link(node))]
    linked = {text: idno for node, idno in links for text in _names(node)}
    if _is_mixed(found.nodes, {party.name for party in parties if party is not None}):
        return None
    return tuple(_with_link(party, linked) for party in parties if party is not None)


def _is_mixed(nodes: Sequence[Node], names: set[str]) -> bool:
    """Tell whether some names are other things: labels of facts, or links to another kind of page than the rest."""
    links = [node for node in _elements(nodes) if node.tag == "a" and node.text in names]
    targets = {
        node.attributes["href"].rpartition("/")[0]
        for node in links
        if "href" in node.attributes and idno_in_link(node) is None
    }
    return len(targets) > 1 or any(field_of(name) in SIDE_FIELDS for name in names)


def _elements(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from node.descendants()


def _names(link: Node) -> Iterator[str]:
    """What a link says; a whole card may be one, and hold the name among other texts."""
    yield link.text
    yield from (leaf.text for leaf in link.leaves())


def _with_link(party: Party, linked: dict[str, str]) -> Party:
    """A party whose name leads to a company's page is that company."""
    idno = linked.get(party.name)
    if idno is None or party.idno not in (None, idno):
        return party
    return party.model_copy(update={"idno": idno, "kind": PartyKind.COMPANY})


def _table(nodes: Sequence[Node]) -> tuple[list[Column], list[list[Node]]] | None:
    """The columns and rows of a value that is a table with known heads."""
    if all(is_row(node) for node in nodes):
        rows = [[cell for cell in row.children if cell.tag != TEXT] for row in nodes]
    else:
        candidates = [rows_of(node) or flat_rows_of(node) for node in nodes]
        rows = next((rows for rows in candidates if rows), [])
    columns = columns_of(rows[0]) if rows else None
    return (columns, rows[1:]) if columns and Column.NAME in columns else None


def _is_blank_row(row: list[Node], columns: list[Column]) -> bool:
    """A row with a sum, or with the words that there is nothing, is no party's."""
    named = row[columns.index(Column.NAME)] if len(row) == len(columns) else None
    return is_nothing(named.text if named else next((cell.text for cell in row if cell.text), ""))


def _of_row(row: list[Node], columns: list[Column], position: int, with_shares: bool) -> Party | None:
    if len(row) != len(columns):
        return None
    # Where two columns claim to hold the same, the first does.
    cells = dict(reversed(list(zip(columns, row, strict=True))))
    texts = {column: cell.text for column, cell in cells.items()}
    notes = [texts[column] for column in (Column.IDNO, Column.KIND) if column in texts]
    stated = present(texts.get(Column.SHARE)) if with_shares else None
    share = share_in(stated) if stated else None
    if stated and share is None:
        return None
    return read_entry(
        [*_fragments([cells[Column.NAME]]), *filter(is_note, notes)],
        position=position,
        with_shares=with_shares,
        role=present(texts.get(Column.ROLE)),
        share=share,
    )


def _of_nodes(nodes: Sequence[Node]) -> list[Fragments]:
    if all(node.is_inline or node.tag == "br" for node in nodes):
        return _of_line(nodes)
    entries = [entry for node in nodes for entry in _of_node(node, is_only=len(nodes) == 1)]
    if not _is_within(nodes, _CERTAIN_TAGS) and any(_may_be_field(entry) for entry in entries):
        return []
    return entries


def _is_within(nodes: Sequence[Node], tags: frozenset[str]) -> bool:
    """Tell whether a value is an element with one of the `tags`, whatever is wrapped around it."""
    inside = nodes
    while inside and inside[0].tag not in tags:
        inside = inside[0].children if len(inside[0].children) == 1 else ()
    return bool(inside)


def _may_be_field(fragments: Fragments) -> bool:
    """Among loose blocks, "Adresa: …" may be a field that follows the list, or a name that looks like one."""
    return bool(fragments) and label_in_line(fragments[0]) is not None


def _of_text(text: str, nodes: Sequence[Node]) -> list[Fragments]:
    """Read a value that begins in the label's own text and may go on over lines."""
    first, *others = lines_in(nodes)
    texts = [f"{text}{text_of(first)}", *filter(None, map(text_of, others))]
    return [[line] for line in texts] if len(texts) > 1 else [[part] for part in split_parties(texts[0])]


def _of_line(nodes: Sequence[Node], *, is_only: bool = True) -> list[Fragments]:
    """Read texts that stand in one line, or in lines parted by breaks."""
    shown = [line for line in lines_in(nodes) if text_of(line)]
    return [entry for line in shown for entry in _of_one_line(line, is_only=is_only and len(shown) == 1)]


def _of_one_line(line: Sequence[Node], *, is_only: bool) -> list[Fragments]:
    texts = [node for node in line if node.text]
    if not is_only:
        return [_fragments(texts)]
    leaves = [leaf for node in texts for leaf in node.leaves()]
    if len(leaves) == 1 or any(_JOINS.search(leaf.raw) for leaf in leaves if leaf.parent is texts[0].parent):
        return [[part] for part in split_parties(text_of(line))]
    return [_fragments(texts)]


def _fragments(nodes: Sequence[Node]) -> Fragments:
    """The texts that stand together for one party, a name in pieces put together; [] where that is uncertain."""
    fragments: Fragments = []
    last: Node | None = None
    for leaf in (leaf for node in nodes for leaf in node.leaves()):
        home = _home(leaf)
        in_pieces = last is not None and home is _home(last) and f"{fragments[-1]} {leaf.text}" in home.text
        if last is None or not in_pieces or not _can_be_name(leaf.text) or is_note(fragments[-1]):
            fragments.append(leaf.text)
        elif leaf.parent is home or last.parent is home or _shape_around(leaf) == _shape_around(last):
            fragments[-1] += f" {leaf.text}"
        else:
            return []
        last = leaf
    return fragments


def _home(leaf: Node) -> Node:
    """The block or link in which a text stands."""
    return next((node for node in leaf.ancestors() if node.is_block or node.tag == "a"), leaf)


def _shape_around(leaf: Node) -> tuple[str, str]:
    return leaf.parent.shape if leaf.parent is not None else leaf.shape


def _can_be_name(text: str) -> bool:
    return text[0].isupper() and ":" not in text and not is_note(text)


def _of_node(node: Node, *, is_only: bool = False) -> list[Fragments]:
    """The entries under a node: one, if it is a party's own, or those of its parts."""
    if node.tag in ("li", "tr") or is_row(node):
        return [_fragments([node])]
    children = [child for child in node.children if child.text or child.tag == "br"]
    blocks = [child for child in children if not child.is_inline and child.tag != "br"]
    lists = [block for block in blocks if block.tag in _LIST_TAGS]
    if lists:
        return [entry for block in lists for item in _items(block) for entry in _of_node(item)]
    if not blocks and len(children) > 1 and (all(map(_is_own_piece, children)) or _are_chips(children)):
        return _of_blocks(children)
    if not blocks:
        return _of_line([node] if node.tag == TEXT else children, is_only=is_only)
    if len(blocks) < len(children):
        links = [
            child
            for child in children
            if child.tag == "a" and any(not inner.is_inline for inner in child.descendants())
        ]
        if len(links) + len(blocks) < len(children):
            return [_fragments([node])]
    if len(children) == 1:
        return _of_node(children[0], is_only=is_only)
    return _of_blocks(children)


def _is_own_piece(node: Node) -> bool:
    """A link, or an element with a name and more in it, is a party even where it stands in a line."""
    return node.tag not in (TEXT, "br") and (node.tag == "a" or sum(1 for _ in node.leaves()) > 1)


def _are_chips(nodes: Sequence[Node]) -> bool:
    """Elements that look alike, each with elements inside and a full name, are a party each; pieces of one are not."""
    texts = [[leaf.text for leaf in node.leaves()] for node in nodes]
    if not all(texts) or not all(any(child.tag != TEXT for child in node.children) for node in nodes):
        return False
    are_full = any(len(some) > 1 for some in texts) or all(len(some[0].split()) > 1 for some in texts)
    return are_full and all(node.shape == nodes[0].shape for node in nodes)


def _items(block: Node) -> list[Node]:
    if block.tag == "table":
        return [node for node in block.descendants() if is_row(node)]
    return [child for child in block.children if child.tag == "li"]


def _of_blocks(blocks: Sequence[Node]) -> list[Fragments]:
    """Blocks that look alike are a party each; where they differ, a party begins with each of the first's kind."""
    entries: list[Fragments] = []
    for block in blocks:
        if _is_alike(block, blocks[0]):
            entries.append([])
        entries[-1].extend(text for entry in _of_node(block) for text in entry)
    return entries


def _is_alike(one: Node, other: Node) -> bool:
    return one.shape == other.shape or bool(one.shape[1] and one.shape[1] == other.shape[1])


def _joined(entries: list[Fragments], *, with_shares: bool, is_list: bool) -> list[Fragments]:
    """Put together what a flat page spreads over siblings: a name, then its share, then its role.

    An entry of a list, or one with several texts, is a party's own: its name only looks like a note.
    """
    joined: list[Fragments] = []
    for fragments in entries:
        if joined and all(is_note(fragment, with_shares=with_shares) for fragment in fragments):
            if (is_list or len(fragments) > 1) and not all(map(is_nothing, fragments)):
                return []
            joined[-1].extend(fragments)
        else:
            joined.append(list(fragments))
    # A name, a country, a share: where only some have a note after them, not all of them are names.
    is_uneven = len(joined) < len(entries) and len({len(fragments) > 1 for fragments in joined}) > 1
    return [] if is_uneven else joined
