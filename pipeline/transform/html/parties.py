"""Reads founders and administrators from the value that follows their label, in any form of a list."""

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.html.columns import Column, columns_of, flat_rows_of, is_row, rows_of
from pipeline.transform.html.idno_texts import idno_in_link
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node, lines_in, text_of
from pipeline.transform.html.party_text import is_no_party, is_note, read_entry, share_in, split_parties
from pipeline.transform.source_text import text_or_none
from pipeline.transform.vocabulary.field import SIDE_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of, label_in_line
from warehouse.records.models import Party, PartyKind

_LIST_TAGS = frozenset({"ul", "ol", "table"})
_VALUE_TAGS = _LIST_TAGS | {"dd", "td", "th"}
"""Texts inside these elements are values, even if they read like labels."""
_JOINS = re.compile(r"[,;|]\s*$|^\s*[,;|]|[%)\]]\s*[,;]")

Fragments = list[str]
"""The texts that belong to one party."""


def read_parties(hit: LabelledValue) -> tuple[Party, ...] | None:
    """Read the parties in a label's value: list items, table rows, cards, or one text that joins them.

        <h3>Fondatori</h3>
        <ul><li>MODELEANU ION (40%)</li><li>ALFA FRUCT SRL (60%)</li></ul>

    → two parties. None if any part of the list cannot be read; () only if the page says that there are no parties.
    """
    with_shares = hit.field is Field.FOUNDERS
    parties: list[Party | None]
    if hit.text is None and (table := _party_table(hit.nodes)):
        columns, rows = table
        rows = [row for row in rows if not _is_blank_row(row, columns)]
        parties = [_party_in_row(row, columns, i, with_shares) for i, row in enumerate(rows)]
    else:
        entries = _entries_in_nodes(hit.nodes) if hit.text is None else _entries_after_label(hit)
        is_list = hit.text is None and _is_inside(hit.nodes, _LIST_TAGS)
        joined = _join_notes(entries, with_shares=with_shares, is_list=is_list)
        joined = [texts for texts in joined if not all(map(is_no_party, texts))]
        parties = [read_entry(texts, position=i, with_shares=with_shares) for i, texts in enumerate(joined)]
    if None in parties or not (parties or is_no_party(hit.value)):
        return None
    links = [(node, idno) for node in _elements(hit.nodes) if (idno := idno_in_link(node))]
    linked = {text: idno for node, idno in links for text in _link_texts(node)}
    if _holds_other_things(hit.nodes, {party.name for party in parties if party is not None}):
        return None
    return tuple(_with_linked_idno(party, linked) for party in parties if party is not None)


def _holds_other_things(nodes: Sequence[Node], names: set[str]) -> bool:
    """Tell whether some of the `names` are not parties: labels of facts, or links to another kind of page.

        <a href="/persons/1">MODELEANU ION</a> <a href="/graph/1">Legături</a>
        <ul><li>Telefon</li><li>Pagina web</li></ul>

    → True for both
    """
    links = [node for node in _elements(nodes) if node.tag == "a" and node.text in names]
    targets = {
        node.attributes["href"].rpartition("/")[0]
        for node in links
        if "href" in node.attributes and idno_in_link(node) is None
    }
    return len(targets) > 1 or any(field_of(name) in SIDE_FIELDS for name in names)


def _elements(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the nodes and everything inside them."""
    for node in nodes:
        yield node
        yield from node.descendants()


def _link_texts(link: Node) -> Iterator[str]:
    """Yield the whole text of a link, and each text inside it: a party's card may be one link with name and share.

        <a href="/persons/1"><p>MODELEANU ION</p><p>40%</p></a>

    → "MODELEANU ION 40%", "MODELEANU ION", "40%"
    """
    yield link.text
    yield from (leaf.text for leaf in link.leaves())


def _with_linked_idno(party: Party, linked: dict[str, str]) -> Party:
    """Return the party; if its name links to a company's page, set its kind and IDNO.

        <a href="/companies/1007998000019">ALFA FRUCT</a>

    → the party with kind COMPANY and that IDNO
    """
    idno = linked.get(party.name)
    if idno is None or party.idno not in (None, idno):
        return party
    return party.model_copy(update={"idno": idno, "kind": PartyKind.COMPANY})


def _party_table(nodes: Sequence[Node]) -> tuple[list[Column], list[list[Node]]] | None:
    """Return the columns and rows of a value that is a table with known headers, or None.

        <tr><th>Nume</th><th>Cota</th></tr>
        <tr><td>MODELEANU ION</td><td>100%</td></tr>

    → ([NAME, SHARE], [[td, td]])
    """
    if all(is_row(node) for node in nodes):
        rows = [[cell for cell in row.children if cell.tag != TEXT] for row in nodes]
    else:
        candidates = [rows_of(node) or flat_rows_of(node) for node in nodes]
        rows = next((rows for rows in candidates if rows), [])
    columns = columns_of(rows[0]) if rows else None
    return (columns, rows[1:]) if columns and Column.NAME in columns else None


def _is_blank_row(row: list[Node], columns: list[Column]) -> bool:
    """Tell whether a table row contains no party, but a total or words for "none".

        <tr><td>Total</td><td>100%</td></tr>

    → True
    """
    named = row[columns.index(Column.NAME)] if len(row) == len(columns) else None
    return is_no_party(named.text if named else next((cell.text for cell in row if cell.text), ""))


def _party_in_row(row: list[Node], columns: list[Column], position: int, with_shares: bool) -> Party | None:
    """Return the party of a table row, or None if it cannot be read.

        <tr><td>MODELEANU ION</td><td>Fondator</td><td>100%</td></tr>

    → for the columns NAME, ROLE and SHARE, the party with the role "Fondator" and the share 100
    """
    if len(row) != len(columns):
        return None
    # If two columns have the same meaning, the first is used.
    cells = dict(reversed(list(zip(columns, row, strict=True))))
    texts = {column: cell.text for column, cell in cells.items()}
    notes = [texts[column] for column in (Column.IDNO, Column.KIND) if column in texts]
    stated = text_or_none(texts.get(Column.SHARE)) if with_shares else None
    share = share_in(stated) if stated else None
    if stated and share is None:
        return None
    return read_entry(
        [*_fragments([cells[Column.NAME]]), *filter(is_note, notes)],
        position=position,
        with_shares=with_shares,
        role=text_or_none(texts.get(Column.ROLE)),
        share=share,
    )


def _entries_in_nodes(nodes: Sequence[Node]) -> list[Fragments]:
    """Return the entries of a value, each as its texts; [] if one of several separate blocks may be another field.

        <p>MODELEANU ION</p> <p>40%</p>
        <p>EXEMPLESCU MARIA</p> <p>60%</p>

    → four entries of one text each; `_join_notes` joins each share to its name later
    """
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


def _entries_after_label(hit: LabelledValue) -> list[Fragments]:
    """Return the entries of a value that starts in the text of its label.

        <p>Fondatori: MODELEANU ION (40%), EXEMPLESCU MARIA (60%)</p>

    → two entries. If the value has several lines, each line is one entry.
    """
    lines = hit.lines
    return [[line] for line in lines] if len(lines) > 1 else [[part] for part in split_parties(lines[0])]


def _entries_in_lines(nodes: Sequence[Node], *, is_only: bool = True) -> list[Fragments]:
    """Return the entries of inline nodes: one for each line or, if there is only one line, the parts of that line.

        <dd>MODELEANU ION (40%)<br>EXEMPLESCU MARIA (60%)</dd>

    → two entries

    `is_only` tells whether these nodes are the whole value; only then is a single line divided into parts.
    """
    shown = [line for line in lines_in(nodes) if text_of(line)]
    return [entry for line in shown for entry in _entries_in_line(line, is_only=is_only and len(shown) == 1)]


def _entries_in_line(line: Sequence[Node], *, is_only: bool) -> list[Fragments]:
    """Return the entries of one line: the parts of a text that contains several parties, or all texts as one entry.

        <dd>MODELEANU ION; EXEMPLESCU MARIA</dd>
        <dd>MODELEANU ION <b>40%</b></dd>

    → two entries for the first line; one entry of two texts for the second

    Args:
        line: The nodes of the line.
        is_only: Whether the line is the whole list.
    """
    texts = [node for node in line if node.text]
    if not is_only:
        return [_fragments(texts)]
    leaves = [leaf for node in texts for leaf in node.leaves()]
    if len(leaves) == 1 or any(_JOINS.search(leaf.raw) for leaf in leaves if leaf.parent is texts[0].parent):
        return [[part] for part in split_parties(text_of(line))]
    return [_fragments(texts)]


def _fragments(nodes: Sequence[Node]) -> Fragments:
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
        if last is None or not in_pieces or not _can_be_name(leaf.text) or is_note(fragments[-1]):
            fragments.append(leaf.text)
        elif leaf.parent is block or last.parent is block or _shape_around(leaf) == _shape_around(last):
            fragments[-1] += f" {leaf.text}"
        else:
            return []
        last = leaf
    return fragments


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
        return [_fragments([node])]
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
            return [_fragments([node])]
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
    """Tell whether inline elements contain one party each: each has the same shape, and contains an element and a name.

        <span class="chip"><span>MODELEANU ION</span></span>
        <span class="chip"><span>EXEMPLESCU MARIA</span></span>

    → True
    """
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
    """Return one entry for each block that looks like the first. Any other block belongs to the entry before it.

        <p class="n">MODELEANU ION</p> <p class="s">40%</p>
        <p class="n">EXEMPLESCU MARIA</p> <p class="s">60%</p>

    → two entries of two texts
    """
    entries: list[Fragments] = []
    for block in blocks:
        if block.looks_like(blocks[0]):
            entries.append([])
        entries[-1].extend(text for entry in _entries_in_node(block) for text in entry)
    return entries


def _join_notes(entries: list[Fragments], *, with_shares: bool, is_list: bool) -> list[Fragments]:
    """Join entries that are only notes (a share, a role) to the name before them; [] if it is uncertain what is a note.

        <p>MODELEANU ION</p> <p>40%</p> <p>administrator</p>

    → one entry of three texts

    Args:
        entries: The texts of each entry.
        with_shares: Whether a percentage is a note (founders) or part of a name (administrators).
        is_list: Whether the entries are list items. Each item is a party, so if one reads like a note, nothing is read.
    """
    joined: list[Fragments] = []
    for fragments in entries:
        if joined and all(is_note(fragment, with_shares=with_shares) for fragment in fragments):
            if (is_list or len(fragments) > 1) and not all(map(is_no_party, fragments)):
                return []
            joined[-1].extend(fragments)
        else:
            joined.append(list(fragments))
    # If only some entries have notes, the others may not be names at all, but countries for example.
    is_uneven = len(joined) < len(entries) and len({len(fragments) > 1 for fragments in joined}) > 1
    return [] if is_uneven else joined
