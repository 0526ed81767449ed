"""Reads founders and administrators from the lists of a company's payload."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.transform.json.audit import KeyAudit
from pipeline.transform.json.values import as_written, code_of, is_absent, text_of
from pipeline.transform.party_grammar import ListContext, ListedParty, read_parties_in
from pipeline.transform.party_name import NotUnderstood, is_person_name, names_in, party_kind
from pipeline.transform.party_notes import Notes, is_plain_name, read_notes
from pipeline.transform.party_shares import with_plausible_shares
from pipeline.transform.reading import Unread, abbreviate
from pipeline.transform.source_text import collapse, fold
from pipeline.transform.vocabulary.party_words import (
    OTHER_ROLES,
    names_collective,
    party_placeholder,
    role_words_of,
    sounds_like_company,
)
from warehouse.idno import InvalidIdno, parse_idno
from warehouse.records.models import Party, PartyKind

PARTY_LISTS = {
    "founders": {"personFounders": PartyKind.PERSON, "companyFounders": PartyKind.COMPANY},
    "administrators": {
        "personAdministrators": PartyKind.PERSON,
        "companyAdministrators": PartyKind.COMPANY,
    },
}
"""For each field of parties, the keys of the payload's lists, each with the kind of party that the list contains."""
_MARKUP = re.compile(r"<[^<>]{0,20}>|[\"„”“«»&]")


@dataclass
class PayloadParties:
    """The parties of one field in a payload.

    Attributes:
        lists: The lists of the payload by key.
        parties: The parties that were read.
        is_stated: Whether the payload states the whole list, so that an empty one means that there are none.
        remarks: The texts of entries that are not parties of this field, such as accountants.
        unread: The entries that were not understood.
        unknown: The paths of unknown keys.
        notes: Lists that cannot be read at all.
    """

    lists: dict[str, Any]
    parties: tuple[Party, ...] = ()
    is_stated: bool = False
    remarks: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_party_lists(name: str, audit: KeyAudit, *, path: str, own_idno: str) -> PayloadParties:
    """Read the parties of the field `name` from all its lists in a payload.

    {"personFounders": [{"fullName": "MODELEANU ION", "shares": 40}], "companyFounders": []} → one party. An entry that
    is not understood is unread; then the list is not stated.

    Args:
        name: The field, "founders" or "administrators".
        audit: The audit of the company's object.
        path: The path of this object.
        own_idno: The IDNO of the company; a party with this IDNO gets none.
    """
    result = PayloadParties({key: audit.take(key) for key in PARTY_LISTS[name] if key in audit})
    unreadable = [
        key for key, value in result.lists.items() if not (is_absent(value) or isinstance(value, list))
    ]
    if unreadable:
        key = unreadable[0]
        result.notes.append(f"{name}: {key} cannot be read: {abbreviate(result.lists[key])}")
        result.unread.append(Unread(name, as_written(result.lists[key]), "not a list"))
        return result
    listed: list[ListedParty] = []
    for key, entries in result.lists.items():
        for entry in entries if isinstance(entries, list) else ():
            try:
                listed += _EntryReader(result, f"{path}.{key}", own_idno).read(entry, PARTY_LISTS[name][key])
            except NotUnderstood as reason:
                result.unread.append(Unread(name, as_written(_name_of(entry) or entry), str(reason)))
    is_whole = not result.unread
    result.parties, problem = with_plausible_shares(listed)
    if problem:
        result.unread.append(Unread(name, as_written(result.lists), problem))
    result.is_stated = is_whole and (bool(result.parties) or len(result.lists) == len(PARTY_LISTS[name]))
    return result


def _name_of(entry: Any) -> str | None:
    return (
        text_of(entry.get("fullName")) or text_of(entry.get("name")) if isinstance(entry, Mapping) else None
    )


@dataclass
class _EntryReader:
    """Reads one entry of a list."""

    result: PayloadParties
    path: str
    own_idno: str

    def read(self, entry: Any, kind: PartyKind) -> list[ListedParty]:
        """Return the parties of an entry: none if all its values are absent, several if they have a stake together."""
        if not isinstance(entry, Mapping):
            raise NotUnderstood("not an object")
        audit = KeyAudit(entry, kind="parties", path=self.path)
        with_share = "shares" in audit
        names = [text_of(audit.take(key)) for key in ("fullName", "name") if key in audit]
        share, idno = audit.take("shares"), code_of(audit.take("idno"))
        role, source_id = None if with_share else _role(audit.take("type")), text_of(audit.take("id"))
        self.result.unknown += audit.unknown()
        name = next(filter(None, names), None)
        if name is None:
            if is_absent(share) and idno is None:
                return []
            raise NotUnderstood("no name")
        if role is not None and set(role_words_of(role) or ()) & OTHER_ROLES:
            self.result.remarks.append(f"{collapse(name)}, {role}")
            return []
        notes = _share_notes(share) | self._idno_notes(idno) | Notes(role=role)
        listed = self._parties(name, notes, kind)
        current = [item for item in listed if not item.is_former]
        self.result.remarks += [item.text for item in listed if item.is_former]
        return [
            replace(item, party=item.party.model_copy(update={"source_id": source_id})) for item in current
        ]

    def _idno_notes(self, idno: str | None) -> Notes:
        """Return the IDNO; an invalid one, or that of the company itself, is only a remark."""
        if idno is None:
            return Notes()
        try:
            return Notes(idno=parse_idno(idno))
        except InvalidIdno:
            return Notes(remarks=(f"IDNO {collapse(idno)}",))

    def _parties(self, name: str, notes: Notes, kind: PartyKind) -> list[ListedParty]:
        """Return the parties that a name describes, which may contain an IDNO, and an address after a line break."""
        first_line, _, address = name.partition("\n")
        stated = (
            kind if kind is PartyKind.COMPANY or not sounds_like_company(first_line) else PartyKind.COMPANY
        )
        if address.strip():
            notes |= Notes(remarks=(collapse(address),))
        if is_plain_name(first_line) and (stated is PartyKind.COMPANY or _is_person(first_line)):
            return [self._plain(collapse(first_line), notes, stated)]
        kind_notes = Notes(kind=stated) if stated is PartyKind.COMPANY else Notes()
        read = read_parties_in(
            [first_line.strip().rstrip(",")], context=ListContext(self.own_idno), extra=notes | kind_notes
        )
        if read.has_more:
            raise NotUnderstood("the entry stands for more parties than it names")
        return list(read.parties)

    def _plain(self, name: str, notes: Notes, kind: PartyKind) -> ListedParty:
        """Return the party whose name is the whole text; commas and dashes in it belong to the name."""
        if party_placeholder(name) or names_collective(name) or sum(map(str.isalpha, name)) < 2:
            raise NotUnderstood("a placeholder or a group of persons")
        if kind is PartyKind.COMPANY:
            kind = party_kind(name, kind=kind)
        is_own = notes.idno == self.own_idno
        remarks = (*notes.remarks, f"IDNO {notes.idno}") if is_own else notes.remarks
        party = Party(
            name=name,
            kind=kind,
            share=notes.share,
            role=notes.role,
            idno=None if is_own else notes.idno,
            remark="; ".join(remarks) or None,
        )
        return ListedParty(party, notes.share_text, notes.is_bare_share, text=name)


def _is_person(text: str) -> bool:
    """Tell whether a text in a list of persons has the shape of a name, apart from markup and quotation marks."""
    return len(names_in(text)) == 1 and is_person_name(collapse(_MARKUP.sub(" ", text)))


def _share_notes(value: Any) -> Notes:
    """Return the share: a number in per cent, or a text such as "1/3" or "25–50 %"."""
    if is_absent(value):
        return Notes()
    text = as_written(value) if not isinstance(value, Decimal) else str(value)
    try:
        share = Decimal(text.removesuffix("%").strip().replace(",", "."))
        if share.is_finite():
            return Notes(share=share, share_text=text, is_bare_share="%" not in text)
    except InvalidOperation:
        pass
    try:
        return read_notes(text)
    except NotUnderstood:
        return Notes(remarks=(f"share {text}",))


def _role(value: Any) -> str | None:
    role = text_of(value)
    return role if role and fold(role) not in ("person", "company") else None
