"""The grammar of a party's text: a name, and in any order share, contribution, IDNO, role, dates and country.

The whole text is understood, or it is not read: `read_parties_in` raises NotUnderstood with the reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.transform.party_name import (
    NotUnderstood,
    are_initials,
    is_company_name,
    is_person_name,
    names_in,
    party_kind,
    stands_alone,
)
from pipeline.transform.party_notes import MARKS, THROUGH, Notes, note_of
from pipeline.transform.party_tokens import PartyToken, Piece, pieces_of
from pipeline.transform.source_text import collapse
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import field_of, label_in_line
from pipeline.transform.vocabulary.party_words import is_foreign_form, names_collective, party_placeholder
from warehouse.records.models import Party

_MAX_TEXT = 4000
_NUMBERING = re.compile(r"(\d{1,3})[.)]\s+(?=\S)|#?(\d{1,3})[.)]?$")
_BETWEEN_PARTIES = frozenset({PartyToken.COMMA, PartyToken.BREAK})
_FACTS_OF_PARTIES = frozenset(
    {Field.LEGAL_FORM, Field.STATUS, Field.REGISTERED_ON, Field.ADDRESS, Field.CUATM}
)


@dataclass(frozen=True)
class ListedParty:
    """A party as a list shows it.

    Attributes:
        party: The party.
        share_text: The party's share as written.
        is_bare_share: Whether the share was written without a sign for per cent.
        roles: The folded roles of the party.
        is_former: Whether the text says that the party is no longer what the list says.
        text: The text of the entry.
    """

    party: Party
    share_text: str | None = None
    is_bare_share: bool = False
    roles: tuple[str, ...] = ()
    is_former: bool = False
    text: str = ""


@dataclass
class _Entry:
    """Names that stand together, the notes on the last of them, and what separates the entry from the one before."""

    name: str
    before: PartyToken | None
    notes: Notes = field(default_factory=Notes)


@dataclass(frozen=True)
class PartyTexts:
    """The result of reading a text: its parties, and whether it says that there are more."""

    parties: tuple[ListedParty, ...]
    has_more: bool = False


@dataclass(frozen=True)
class ListContext:
    """What is known about a list of parties besides its texts.

    Attributes:
        own_idno: The IDNO of the company that the list belongs to; a party with this IDNO gets none.
        linked: The IDNOs of the companies to whose pages the list links, by the text of the link.
    """

    own_idno: str | None = None
    linked: Mapping[str, str] = field(default_factory=dict)


def read_parties_in(
    fragments: Sequence[str],
    *,
    context: ListContext = ListContext(),
    position: int | None = None,
    extra: Notes | None = None,
) -> PartyTexts:
    """Read all parties that the texts of one entry, or of a whole line, describe.

    ["MODELEANU ION (25–50%)"] → MODELEANU ION, share unread, remark "25–50%".
    ["RUSU A, RUSU B (25%), MODEL C (75%)"] → A and B with the remark "joint stake: 25%", and C with 75.

    Args:
        fragments: The texts, such as "1. MODELEANU ION" and "cota 40%".
        context: What is known about the list.
        position: The index of the entry in the list, from 0. "1." is removed only from entry 0, "2." only from entry 1.
        extra: Notes on the party from other columns of a table.

    Raises:
        NotUnderstood: If a part of the text is not understood, or if the text states no party.
    """
    first, rest = fragments[:1], fragments[1:]
    texts = [text for text in (*(_unnumbered(text, position) for text in first), *rest) if text] or list(
        fragments
    )
    whole = " ".join(map(collapse, texts))
    texts, pairs = _without_labelled(texts)
    if len(whole) > _MAX_TEXT:
        raise NotUnderstood("too long for parties")
    if party_placeholder(whole):
        raise NotUnderstood("a placeholder")
    if names_collective(whole) or (texts and names_collective(texts[0])):
        raise NotUnderstood("a group of persons, not one party")
    entries, has_more = _entries(list(pieces_of(_without_initials(texts))))
    if not entries:
        if has_more:
            return PartyTexts((), has_more=True)
        raise NotUnderstood("no name")
    if pairs:
        extra = (extra or Notes()) | Notes(remarks=pairs)
    if extra is not None and not extra.is_blank:
        entries[-1].notes |= extra
    for entry in entries:
        entry.name = _trimmed(entry.name)
        if (idno := context.linked.get(entry.name)) and entry.notes.idno is None:
            entry.notes |= Notes(idno=idno)
    listed = [party for group in _groups(entries) for party in _listed(group, context, whole)]
    return PartyTexts(tuple(listed), has_more=has_more)


def _entries(pieces: list[Piece]) -> tuple[list[_Entry], bool]:
    """Return the names of a text, each with its notes, and whether the text says that there are more parties."""
    entries: list[_Entry] = []
    opening = Notes()
    separator: PartyToken | None = None
    after_note = leads = False
    for piece in pieces:
        if piece.token in MARKS:
            separator = _stronger(separator, piece.token)
            leads = after_note and piece.token in (PartyToken.DASH, PartyToken.COLON)
            continue
        note = note_of(piece, is_after_name=bool(entries))
        if note is not None:
            if entries:
                entries[-1].notes |= note
            else:
                opening |= note
            after_note, leads = True, False
            continue
        if piece.is_nested:
            raise NotUnderstood(f"{piece.text!r} is not known")
        if entries and leads and opening.is_blank:
            raise NotUnderstood("a note that may belong to the name before or after it")
        if entries and is_foreign_form(piece.text) and separator is PartyToken.COMMA and not after_note:
            entries[-1].name += f", {piece.text}"
        else:
            text, *through = THROUGH.split(piece.text, maxsplit=1)
            first, *others = names_in(text)
            entries.append(_Entry(first, separator if entries else None))
            entries += [_Entry(name, PartyToken.NAME) for name in others]
            entries[-1].notes |= Notes(remarks=tuple(through))
        separator, after_note, leads = None, False, False
    if not entries:
        return [], opening.has_more
    has_more = opening.has_more or any(entry.notes.has_more for entry in entries)
    _attach_opening(entries, opening)
    return entries, has_more


def _stronger(one: PartyToken | None, other: PartyToken) -> PartyToken | None:
    """Return the mark that says more about whether two names are two parties."""
    if other in (PartyToken.OPEN, PartyToken.CLOSE) or (
        one in _BETWEEN_PARTIES and other is not PartyToken.BREAK
    ):
        return one
    return other


def _attach_opening(entries: list[_Entry], opening: Notes) -> None:
    """Attach the notes before the first name: they belong to it, and roles to all names ("Administratori: A, B").

    "50% — A, 50% — B": each note precedes its name, so all notes move on to the next name.
    """
    if opening.is_blank:
        return
    if len(entries) == 1 or (opening.roles and opening == Notes(role=opening.role, roles=opening.roles)):
        for entry in entries if all(entry.notes.role is None for entry in entries) else entries[:1]:
            entry.notes |= opening
        return
    if not entries[-1].notes.is_blank or any(entry.notes.is_blank for entry in entries[:-1]):
        raise NotUnderstood("a note before several names")
    notes = [opening, *(entry.notes for entry in entries[:-1])]
    for entry, note in zip(entries, notes, strict=True):
        entry.notes = note


def _groups(entries: list[_Entry]) -> list[list[_Entry]]:
    """Return the entries that have a stake together: names without notes before a name with a share.

    "RUSU A, RUSU B (25%), MODEL C (75%)" → [[A, B], [C]]
    """
    shared = any(entry.notes.share_text is not None for entry in entries)
    groups: list[list[_Entry]] = [[]]
    for previous, entry in zip([None, *entries[:-1]], entries, strict=True):
        if previous is not None:
            _check_boundary(previous, entry)
            joint = previous.notes.is_blank and (
                entry.before is PartyToken.NAME or (shared and entry.before is PartyToken.COMMA)
            )
            if not joint:
                groups.append([])
        groups[-1].append(entry)
    return groups


def _check_boundary(previous: _Entry, entry: _Entry) -> None:
    """Raise NotUnderstood unless two names are certainly two parties."""
    if entry.before is PartyToken.NAME or entry.before is PartyToken.BREAK:
        return
    closed = previous.notes.share_text is not None or bool(previous.notes.idno)
    if entry.before is None and not (closed and is_person_name(previous.name) and is_person_name(entry.name)):
        raise NotUnderstood("two names that nothing separates")
    if entry.before not in (None, PartyToken.COMMA):
        raise NotUnderstood("two names in one entry")
    if entry.before is PartyToken.COMMA and not closed and previous.notes.is_blank:
        uneven = entry.notes.share_text is not None and (
            is_company_name(previous.name) or is_company_name(entry.name)
        )
        if uneven or not (stands_alone(previous.name) and stands_alone(entry.name)):
            raise NotUnderstood("a comma that may belong to a name")


def _listed(group: list[_Entry], context: ListContext, text: str) -> list[ListedParty]:
    """Return the parties of a group; if several hold a stake together, none of them gets it as a share."""
    last = group[-1].notes
    if len(group) == 1 and not last.is_joint:
        return [_party(group[0].name, last, context, text)]
    if last.share_text is None and not any(entry.notes.remarks for entry in group):
        return [_party(entry.name, entry.notes, context, text) for entry in group]
    stake = (f"joint stake: {last.share_text}",) if last.share_text else ()
    notes = replace(last, share=None, share_text=None, idno=None, remarks=(*stake, *last.remarks))
    return [_party(entry.name, notes, context, text) for entry in group]


def _party(name: str, notes: Notes, context: ListContext, text: str) -> ListedParty:
    """Return the party with this name and these notes; raise NotUnderstood if the name has not the shape of a name."""
    remarks, idno = notes.remarks, notes.idno
    if idno is not None and idno == context.own_idno:
        remarks, idno = (*remarks, f"IDNO {idno}"), None
    kind = party_kind(name, kind=notes.kind, idno=notes.idno)
    party = Party(
        name=name,
        kind=kind,
        share=notes.share,
        role=notes.role,
        idno=idno,
        remark="; ".join(remarks) or None,
    )
    return ListedParty(party, notes.share_text, notes.is_bare_share, notes.roles, notes.is_former, text)


def _trimmed(name: str) -> str:
    return name.strip(" ,;:*")


def _without_labelled(texts: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the texts without labels and their values, and these as remarks: a company's card may state its address.

    ["ALFA SRL", "Adresa", "str. Pilda, 1"] → ["ALFA SRL"], ("Adresa: str. Pilda, 1",)
    """
    rest, pairs = texts[:1], []
    queue = iter(texts[1:])
    for text in queue:
        field, line = field_of(text), label_in_line(text)
        if field in _FACTS_OF_PARTIES and (value := next(queue, None)) is not None:
            pairs.append(f"{text.rstrip(' :')}: {value}")
        elif line is not None and line[0] in _FACTS_OF_PARTIES:
            pairs.append(collapse(text))
        else:
            rest.append(text)
    return rest, tuple(pairs)


def _unnumbered(text: str, position: int | None) -> str:
    """Return a text without the number of its entry in the list: "2. " is removed only in the second entry."""
    match = _NUMBERING.match(text.strip()) if position is not None else None
    if match is None or position is None or int(match[1] or match[2]) != position + 1:
        return text
    return text.strip()[match.end() :]


def _without_initials(texts: list[str]) -> list[str]:
    """Return the texts without the initials of the name after them; sites show them in place of a picture.

    ["MI", "MODELEANU ION"] → ["MODELEANU ION"]
    """
    return texts[1:] if len(texts) > 1 and are_initials(texts[0], texts[1]) else texts
