"""The founders and administrators of a page, from all its lists."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.transform.html.company_region import CompanyRegion
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.labelled_value import are_side_by_side
from pipeline.transform.html.list_ends import is_truncated
from pipeline.transform.html.parties import PartyList, read_parties
from pipeline.transform.party_grammar import ListedParty
from pipeline.transform.party_name import NotUnderstood
from pipeline.transform.party_shares import with_plausible_shares
from pipeline.transform.reading import Unread
from pipeline.transform.source_text import fold, text_or_none
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.party_words import (
    ADMINISTRATOR_ROLES,
    FOUNDER_ROLES,
    GENERAL_ROLES,
    OTHER_ROLES,
    role_words_of,
)
from warehouse.records.models import Party

_ROLES = {Field.FOUNDERS: FOUNDER_ROLES, Field.ADMINISTRATORS: ADMINISTRATOR_ROLES}


@dataclass
class PartyFields:
    """The parties of a page, and what else its lists say; the keys are names of fields."""

    parties: dict[str, tuple[Party, ...]] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def read_party_fields(region: CompanyRegion, hits: Sequence[LabelledValue]) -> PartyFields:
    """Read the founders and the administrators from all lists of a page.

    Persons and companies may have a list each, and a list may hold founders and administrators, each with its role:

        <h2>Fondatori – persoane fizice</h2><ul><li>MODELEANU ION</li></ul>
        <h2>Fondatori – persoane juridice</h2><ul><li>ALFA FRUCT SRL</li></ul>
        <h2>Persoane</h2><ul><li>PILDA ANA, administrator</li></ul>

    → two founders and one administrator
    """
    fields = PartyFields()
    reader = _ListReader(region, hits, fields)
    for name in (Field.FOUNDERS, Field.ADMINISTRATORS):
        listed = reader.parties_of(name)
        parties, reason = with_plausible_shares(
            listed, [item.text for item in fields.unread if item.field is name]
        )
        if name is Field.ADMINISTRATORS:
            parties = tuple(map(_without_share, listed))
        elif reason:
            fields.unread.append(Unread(name, fields.raw.get(name, ""), reason))
        fields.parties[name] = parties
    return fields


class _ListReader:
    """Reads the lists of a page, each once."""

    def __init__(self, region: CompanyRegion, hits: Sequence[LabelledValue], fields: PartyFields) -> None:
        self._region, self._hits, self._fields = region, hits, fields
        self._read: dict[tuple[int, str, str | None], PartyList | str] = {}

    def parties_of(self, name: Field) -> list[ListedParty]:
        """Return the current parties of a field from all its lists; [] if it is not certain that they are one."""
        lists = [hit for hit in self._hits if hit.field is name]
        mixed = [hit for hit in self._hits if hit.field in (Field.PEOPLE, *_ROLES) and hit.field is not name]
        lists = lists or [hit for hit in mixed if self._holds_role_of(name, hit)]
        merged: dict[Party, ListedParty] = {}
        for hit in lists:
            read = self._list(hit)
            if isinstance(read, str) or (len(lists) > 1 and _has_unread_value(hit)):
                self._fields.unread.append(
                    Unread(name, hit.value, read if isinstance(read, str) else "not read")
                )
                return []
            current = self._current(name, hit, read)
            keys = [item.party for item in current]
            if merged and not are_side_by_side(lists[0], hit) and not merged.keys() >= set(keys):
                self._fields.unread.append(
                    Unread(name, hit.value, "another list, and nothing says that both are one")
                )
                return []
            self._note_missing(name, hit, read)
            merged.update(zip(keys, current, strict=True))
        if merged:
            self._fields.raw[name] = " ".join(hit.value for hit in lists if hit.value)
        return list(merged.values())

    def _list(self, hit: LabelledValue) -> PartyList | str:
        """Return the list of a label, or why it cannot be read."""
        key = hit.label.start, hit.field, hit.text  # one text may hold several labels
        if key not in self._read:
            try:
                self._read[key] = _with_role_of_label(hit, read_parties(hit, self._region.idno))
            except NotUnderstood as reason:
                self._read[key] = str(reason)
        return self._read[key]

    def _holds_role_of(self, name: Field, hit: LabelledValue) -> bool:
        """Tell whether a list under another title has entries with a role of the field `name`."""
        read = self._list(hit)
        if isinstance(read, str):
            return hit.field is Field.PEOPLE
        return any(set(item.roles) & _ROLES[name] for item in read.listed) and (
            hit.field is Field.PEOPLE or _is_mixed(read)
        )

    def _current(self, name: Field, hit: LabelledValue, read: PartyList) -> list[ListedParty]:
        """Return the parties of a list that belong to the field; keep the texts of the others as remarks."""
        by_role = hit.field is not name or _is_mixed(read)
        current: list[ListedParty] = []
        for item in read.listed:
            roles = set(item.roles)
            if item.is_former or (roles and roles <= OTHER_ROLES):
                self._remark(name, item.text)
            elif not by_role or roles & _ROLES[name]:
                current.append(item)
            elif not roles & (FOUNDER_ROLES | ADMINISTRATOR_ROLES):
                self._fields.unread.append(
                    Unread(name, item.text, "the list is of several roles, and this one has none")
                )
                self._fields.incomplete.add(name)
        return current

    def _remark(self, name: Field, text: str) -> None:
        kept = self._fields.remarks.get(name, ())
        self._fields.remarks[name] = tuple(dict.fromkeys((*kept, text)))

    def _note_missing(self, name: Field, hit: LabelledValue, read: PartyList) -> None:
        """Record the unread entries of a list, and whether the page shows that it is truncated."""
        self._fields.unread += [Unread(name, text, reason) for text, reason in read.unread]
        is_short = is_truncated(self._region.page, self._hits, hit, shown=read.entry_count)
        if read.unread or read.has_more or is_short:
            self._fields.incomplete.add(name)


def _with_role_of_label(hit: LabelledValue, read: PartyList) -> PartyList:
    """Return a list in which the parties have the role that its label states, unless the label is only general.

        <p>Lichidator: PILDA ANA</p>
        <p>Administrator: PILDA ANA</p>

    → the role "Lichidator" for the first, none for the second
    """
    label = (hit.label.text if hit.text is None else hit.label.text.partition(":")[0]).strip(" :")
    if fold(label) in GENERAL_ROLES or (roles := role_words_of(label)) is None:
        return read
    listed = [
        item
        if item.roles
        else replace(item, roles=roles, party=item.party.model_copy(update={"role": label}))
        for item in read.listed
    ]
    return replace(read, listed=tuple(listed))


def _is_mixed(read: PartyList) -> bool:
    """Tell whether some entries of a list are only founders, by their roles, and others only administrators."""
    roles = [set(item.roles) for item in read.listed if item.roles]
    return any(some & FOUNDER_ROLES for some in roles) and any(some & ADMINISTRATOR_ROLES for some in roles)


def _without_share(item: ListedParty) -> Party:
    """Return an administrator; a share beside the name is kept as a remark, unless it is that of a founder too."""
    is_stake = item.party.share is not None and not set(item.roles) & FOUNDER_ROLES
    remarks = [item.share_text if is_stake else None, item.party.remark]
    return item.party.model_copy(update={"share": None, "remark": "; ".join(filter(None, remarks)) or None})


def _has_unread_value(hit: LabelledValue) -> bool:
    """Tell whether text follows a label, but was not accepted as the label's value.

        <h2>Fondatori</h2><div><div>STATUT</div></div>

    → True
    """
    return not hit.value and any(text_or_none(sibling.text) for sibling in hit.label.following_siblings())
