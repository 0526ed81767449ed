"""Reads founders and administrators from the value that follows their label, in any form of a list."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.transform.html.columns import column_of
from pipeline.transform.html.idno_texts import idno_in_link
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import Node
from pipeline.transform.html.party_entries import Fragments, are_list_items, entries_of
from pipeline.transform.html.party_tables import party_table, read_row
from pipeline.transform.party_grammar import ListContext, ListedParty, PartyTexts, read_parties_in
from pipeline.transform.party_name import NotUnderstood, is_person_name
from pipeline.transform.party_notes import is_note, is_rest
from pipeline.transform.vocabulary.field import SIDE_FIELDS
from pipeline.transform.vocabulary.labels import field_of, is_action
from pipeline.transform.vocabulary.party_words import is_blank_entry
from pipeline.transform.vocabulary.truncation import says_more


@dataclass(frozen=True)
class PartyList:
    """The entries of one list of parties.

    Attributes:
        listed: The parties that were read, former ones too.
        unread: The texts of entries that were not understood, each with the reason.
        entry_count: The number of entries that the list shows.
        has_more: Whether an entry says that there are more.
    """

    listed: tuple[ListedParty, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    entry_count: int = 0
    has_more: bool = False


def read_parties(hit: LabelledValue, own_idno: str | None = None) -> PartyList:
    """Read the parties in a label's value: list items, table rows, cards, or one text that joins them.

        <h3>Fondatori</h3>
        <ul><li>MODELEANU ION (40%)</li><li>ALFA FRUCT SRL (60%)</li></ul>

    → two parties. An item or row that is not understood is unread, and the others are read. In any other form of a
    list, nothing is certain if one text is not understood.

    Raises:
        NotUnderstood: If the list cannot be read.
    """
    links = [
        (node, idno) for node in _elements(hit.nodes) if (idno := idno_in_link(node)) and idno != own_idno
    ]
    context = ListContext(own_idno, {text: idno for node, idno in links for text in _link_texts(node)})
    table = party_table(hit.nodes) if hit.text is None else None
    if table:
        columns, rows = table
        rows = [row for row in rows if not _is_blank_row(row)]
        read = _read_each(
            [" ".join(cell.text for cell in row if cell.text) for row in rows],
            lambda i: read_row(rows[i], columns, position=i, context=context),
        )
    else:
        read = _read_entries(hit, context)
    if not (read.listed or read.unread or read.has_more) and hit.value and not is_blank_entry(hit.value):
        raise NotUnderstood("not a list of parties")
    if hit.text is None and any(_is_name_of_other_style(hit.nodes[0], node) for node in hit.nodes[1:]):
        raise NotUnderstood("names that look different may mean different things")
    if _holds_other_things(hit.nodes, {item.party.name for item in read.listed}):
        raise NotUnderstood("the list holds other things than parties")
    return read


def _read_entries(hit: LabelledValue, context: ListContext) -> PartyList:
    is_list = are_list_items(hit)
    found = entries_of(hit)
    joined = _join_notes(found, is_list=is_list)
    if found and not joined:
        raise NotUnderstood("a text that may be a note on the entry before it")
    shown = [
        texts for texts in joined if not texts or not (all(map(_is_no_entry, texts)) or _is_header(texts))
    ]
    has_more = any(_is_rest(text) for texts in joined if all(map(_is_no_entry, texts)) for text in texts)
    shown = [[text for text in texts if not is_action(text)] for texts in shown]
    read = _read_each(
        [" ".join(texts) or hit.value for texts in shown],
        lambda i: read_parties_in(shown[i], context=context, position=i),
    )
    if read.unread and not is_list:
        raise NotUnderstood(read.unread[0][1])
    return replace(read, has_more=read.has_more or has_more)


def _read_each(texts: Sequence[str], read: Callable[[int], PartyTexts]) -> PartyList:
    """Read each entry with the function `read`; an entry that is not understood is unread."""
    listed: list[ListedParty] = []
    unread: list[tuple[str, str]] = []
    has_more = False
    for i, text in enumerate(texts):
        try:
            entry = read(i)
        except NotUnderstood as reason:
            unread.append((text, str(reason)))
            continue
        listed += [replace(item, text=text) for item in entry.parties]
        has_more |= entry.has_more
    return PartyList(tuple(listed), tuple(unread), len(listed) + len(unread), has_more)


def _is_no_entry(text: str) -> bool:
    """Tell whether a text in a list of parties is no entry: it is blank, a total, a header or a link for an action."""
    return is_blank_entry(text) or is_action(text) or _is_rest(text)


def _is_header(texts: Fragments) -> bool:
    """Tell whether the texts of an entry are the headers of columns: "Nume", "Cota"."""
    return len(texts) > 1 and all(column_of(text) is not None for text in texts)


def _is_rest(text: str) -> bool:
    """Tell whether a text says that the list has more entries: "+ 3 alții", "Vezi toți fondatorii (5)"."""
    return is_rest(text) or (says_more(text, shown=0) and not is_note(text))


def _is_blank_row(row: Sequence[Node]) -> bool:
    """Tell whether a table row contains no party, but a total or words for "none".

        <tr><td>Total</td><td>100%</td></tr>

    → True
    """
    texts = [cell.text for cell in row if cell.text]
    return not texts or (
        is_blank_entry(texts[0]) and all(is_blank_entry(text) or is_note(text) for text in texts[1:])
    )


def _is_name_of_other_style(first: Node, node: Node) -> bool:
    """Tell whether a block starts with a name and looks different from the list's first block.

        <p class="lead">MODELEANU ION</p><p class="dim">EXEMPLESCU MARIA</p>

    → True for the second `p`
    """
    if node.tag != first.tag or node.is_inline or node.looks_like(first):
        return False
    opening = next(node.leaves(), None)
    return opening is not None and is_person_name(opening.text)


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


def _join_notes(entries: list[Fragments], *, is_list: bool) -> list[Fragments]:
    """Join entries that are only notes (a share, a role) to the name before them; [] if it is uncertain what is a note.

        <p>MODELEANU ION</p> <p>40%</p> <p>administrator</p>

    → one entry of three texts

    Args:
        entries: The texts of each entry.
        is_list: Whether the entries are list items. Each item is a party, so if one reads like a note, nothing is read.
    """
    joined: list[Fragments] = []
    for fragments in entries:
        if joined and fragments and all(is_note(text) or _is_no_entry(text) for text in fragments):
            if all(map(_is_no_entry, fragments)):
                joined.append(list(fragments))
                continue
            if is_list or len(fragments) > 1:
                return []
            joined[-1].extend(fragments)
        else:
            joined.append(list(fragments))
    # If only some entries have notes, the others may not be names at all, but countries for example.
    named = [fragments for fragments in joined if not all(map(_is_no_entry, fragments))]
    is_uneven = len(joined) < len(entries) and len({len(fragments) > 1 for fragments in named}) > 1
    return [] if is_uneven else joined
