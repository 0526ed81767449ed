"""The grammar of a party's text: a name, and in any order share, contribution, IDNO, role, dates and country.

The whole text is understood, or it is not read: `read_parties_in` raises NotUnderstood with the reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from pipeline.transform.party_tokens import Piece, Token, pieces_of
from pipeline.transform.source_text import collapse, fold, text_or_none
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import field_of, is_action, label_in_line
from pipeline.transform.vocabulary.party_words import (
    OTHER_ROLES,
    is_country,
    is_foreign_form,
    kind_of,
    names_collective,
    party_placeholder,
    role_words_of,
    sounds_like_company,
)
from pipeline.transform.vocabulary.party_remarks import (
    FILLERS,
    FORMER_WORDS,
    JOINT_TEXTS,
    REMARKS,
    without_former_word,
)
from warehouse.idno import InvalidIdno, parse_idno
from warehouse.records.models import Party, PartyKind

_MAX_TEXT = 400
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_FRACTION = re.compile(r"(\d+)\s?[/⁄]\s?(\d+)|([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])")
_VULGAR = dict(
    zip(
        "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒",
        [(1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (1, 5), (2, 5), (3, 5), (4, 5), (1, 6), (5, 6), (1, 7), (1, 8)]
        + [(3, 8), (5, 8), (7, 8), (1, 9), (1, 10)],
        strict=True,
    )
)
_CENT = Decimal("0.01")
_JOINT = re.compile(r"\s+(?:[sșş]i|и|and|&)\s+", re.IGNORECASE)
_NAME_WORD = re.compile(r"(?:[^\W\d_]['’`ʼ]?)+(?:-(?:[^\W\d_]['’`ʼ]?)+){0,3}\.?")
_PARTICLES = frozenset("de din van von der den da di la le el al bin ibn abu af zu oglu ogly kyzy оглы оглу кызы фон де".split())
_MAX_NAME_WORDS = 5
_NOT_IN_NAMES = re.compile(r"[%<>{}=@#*_\\^~|�]|https?:|www\.|\d{13}")
_NUMBERING = re.compile(r"(\d{1,3})[.)]\s+(?=\S)|#?(\d{1,3})[.)]?$")
_QUOTES = re.compile(r"[\"„”“«»]")


class NotUnderstood(ValueError):
    """A text in the place of a party is not, as a whole, the description of parties. The message is the reason."""


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


@dataclass(frozen=True)
class Notes:
    """What a text says about a party besides its name."""

    share: Decimal | None = None
    share_text: str | None = None
    is_bare_share: bool = False
    idno: str | None = None
    role: str | None = None
    roles: tuple[str, ...] = ()
    kind: PartyKind | None = None
    remarks: tuple[str, ...] = ()
    is_former: bool = False
    is_joint: bool = False
    has_more: bool = False

    def __or__(self, other: "Notes") -> "Notes":
        """Join the notes of two texts on one party. Raise NotUnderstood if they contradict each other."""
        if None not in (self.share_text, other.share_text) and self.share != other.share:
            raise NotUnderstood("two shares for one party")
        if None not in (self.idno, other.idno) and self.idno != other.idno:
            raise NotUnderstood("two IDNOs for one party")
        return Notes(
            share=self.share if self.share_text is not None else other.share,
            share_text=self.share_text if self.share_text is not None else other.share_text,
            is_bare_share=self.is_bare_share if self.share_text is not None else other.is_bare_share,
            idno=self.idno or other.idno,
            role=", ".join(dict.fromkeys(filter(None, (self.role, other.role)))) or None,
            roles=tuple(dict.fromkeys((*self.roles, *other.roles))),
            kind=self.kind or other.kind,
            remarks=tuple(dict.fromkeys((*self.remarks, *other.remarks))),
            is_former=self.is_former or other.is_former,
            is_joint=self.is_joint or other.is_joint,
            has_more=self.has_more or other.has_more,
        )

    @property
    def is_blank(self) -> bool:
        """Whether there are no notes."""
        return self == Notes()


@dataclass
class _Entry:
    """Names that stand together, the notes on the last of them, and what separates the entry from the one before."""

    name: str
    before: Token | None
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
    texts = [text for text in (_unnumbered(text, position) for text in fragments) if text] or list(fragments)
    whole = " ".join(map(collapse, texts))
    texts, pairs = _without_labelled(texts)
    if len(whole) > _MAX_TEXT and position is not None:
        raise NotUnderstood("too long for a party")
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


def read_notes(text: str) -> Notes:
    """Read a text that only describes a party ("40%", "Administrator din 12.03.2015"); raise NotUnderstood otherwise."""
    notes = Notes()
    for piece in pieces_of([text]):
        note = _note(piece)
        if note is None:
            raise NotUnderstood(f"{piece.text!r} is not known")
        notes |= note
    return notes


def is_note(text: str) -> bool:
    """Tell whether a text only describes a party and contains neither a name nor anything unknown."""
    try:
        read_notes(text)
    except NotUnderstood:
        return False
    return True


def is_rest(text: str) -> bool:
    """Tell whether a text says only that there are more parties: "+ 3 alții", "et al."."""
    tokens = {piece.token for piece in pieces_of([text])} if len(text) <= _MAX_TEXT else set()
    return Token.MORE in tokens and tokens <= _MARKS | {Token.MORE}


def _entries(pieces: list[Piece]) -> tuple[list[_Entry], bool]:
    """Return the names of a text, each with its notes, and whether the text says that there are more parties."""
    entries: list[_Entry] = []
    opening = Notes()
    separator: Token | None = None
    after_note = leads = False
    for piece in pieces:
        if piece.token in _MARKS:
            separator = _stronger(separator, piece.token)
            leads = after_note and piece.token in (Token.DASH, Token.COLON)
            continue
        note = _note(piece, is_after_name=bool(entries))
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
        if entries and is_foreign_form(piece.text) and separator is Token.COMMA and not after_note:
            entries[-1].name += f", {piece.text}"
        else:
            entries += [_Entry(name, before) for name, before in _names(piece.text, separator if entries else None)]
        separator, after_note, leads = None, False, False
    if not entries:
        return [], opening.has_more
    has_more = opening.has_more or any(entry.notes.has_more for entry in entries)
    _attach_opening(entries, opening)
    return entries, has_more


_MARKS = frozenset(
    {Token.OPEN, Token.CLOSE, Token.COLON, Token.COMMA, Token.BREAK, Token.DASH, Token.EDGE}
)
_BETWEEN_PARTIES = frozenset({Token.COMMA, Token.BREAK})


def _stronger(one: Token | None, other: Token) -> Token | None:
    """Return the mark that says more about whether two names are two parties."""
    if other in (Token.OPEN, Token.CLOSE) or one in _BETWEEN_PARTIES and other is not Token.BREAK:
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


def _names(text: str, before: Token | None) -> list[tuple[str, Token | None]]:
    """Return the names in a piece: "A B și C D" are two if both sides have the shape of a person's name."""
    parts = _JOINT.split(text)
    if len(parts) > 1 and all(map(is_person_name, parts)):
        return [(parts[0], before), *((part, Token.NAME) for part in parts[1:])]
    return [(text, before)]


def _groups(entries: list[_Entry]) -> list[list[_Entry]]:
    """Return the entries that have a stake together: names without notes before a name with a share.

    "RUSU A, RUSU B (25%), MODEL C (75%)" → [[A, B], [C]]
    """
    shared = any(entry.notes.share_text is not None for entry in entries)
    groups: list[list[_Entry]] = [[]]
    for previous, entry in zip([None, *entries[:-1]], entries, strict=True):
        if previous is not None:
            _check_boundary(previous, entry)
            joint = previous.notes.is_blank and (entry.before is Token.NAME or shared and entry.before is Token.COMMA)
            if not joint:
                groups.append([])
        groups[-1].append(entry)
    return groups


def _check_boundary(previous: _Entry, entry: _Entry) -> None:
    """Raise NotUnderstood unless two names are certainly two parties."""
    if entry.before is Token.NAME or entry.before is Token.BREAK:
        return
    closed = previous.notes.share_text is not None or bool(previous.notes.idno)
    if entry.before is None and not (closed and is_person_name(previous.name) and is_person_name(entry.name)):
        raise NotUnderstood("two names that nothing separates")
    if entry.before not in (None, Token.COMMA):
        raise NotUnderstood("two names in one entry")
    if entry.before is Token.COMMA and not closed and previous.notes.is_blank:
        uneven = entry.notes.share_text is not None and (_is_company(previous.name) or _is_company(entry.name))
        if uneven or not (_stands_alone(previous.name) and _stands_alone(entry.name)):
            raise NotUnderstood("a comma that may belong to a name")


def _stands_alone(name: str) -> bool:
    return is_person_name(name) or (_is_company(name) and len(name.split()) > 1)


def _is_company(name: str) -> bool:
    return sounds_like_company(name) or bool(_QUOTES.search(name)) or " & " in name


def _listed(group: list[_Entry], context: ListContext, text: str) -> list[ListedParty]:
    """Return the parties of a group; a stake that several hold together is nobody's share."""
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
    return ListedParty(
        party, notes.share_text, notes.is_bare_share, notes.roles, notes.is_former, text
    )


def _trimmed(name: str) -> str:
    return name.strip(" ,;:*")


def party_kind(name: str, *, kind: PartyKind | None = None, idno: str | None = None) -> PartyKind:
    """Return the kind of the party `name`; raise NotUnderstood if it is not certain that the text is a name.

    "MODELEANU ION" → PERSON; "PRIMĂRIA ORAȘULUI TELENEȘTI" → COMPANY.

    Args:
        name: The name without notes.
        kind: The kind that the source states.
        idno: The IDNO of the party.
    """
    if party_placeholder(name) or text_or_none(name) is None or is_action(name):
        raise NotUnderstood("a placeholder")
    if names_collective(name):
        raise NotUnderstood("a group of persons, not one party")
    if _NOT_IN_NAMES.search(_QUOTES_WITH_TEXT.sub("", name)) or sum(c.isalpha() for c in name) < 2:
        raise NotUnderstood("not the shape of a name")
    if _is_company(name) or (idno is not None and idno.startswith("1")):
        return PartyKind.COMPANY
    if field_of(name) is not None or field_of(name.split()[0]) is not None and len(name.split()) < 2:
        raise NotUnderstood("a label")
    if kind is not None and name[0].isupper():
        return kind
    if is_person_name(name):
        return PartyKind.PERSON
    raise NotUnderstood("neither the name of a person nor of a company")


_QUOTES_WITH_TEXT = re.compile(r"\"[^\"]*\"|„[^”“\"]*[”“\"]|«[^»]*»|“[^”]*”")


def is_person_name(text: str) -> bool:
    """Tell whether a text has the shape of a person's name: two to five capitalized words, initials or particles.

    "ȚURCAN-MODEL Ana M." → True; "Lorem ipsum" → False
    """
    parts = text.split()
    if not 2 <= len(parts) <= _MAX_NAME_WORDS or sounds_like_company(text):
        return False
    if not all(_NAME_WORD.fullmatch(part) for part in parts) or sum(map(len, parts)) < len(parts) + 2:
        return False
    capitals = [part for part in parts if part[0].isupper()]
    return len(capitals) >= 2 and all(part[0].isupper() or part in _PARTICLES for part in parts)


def _note(piece: Piece, *, is_after_name: bool = True) -> Notes | None:
    """Return the notes that a piece states, or None if it may be a name or is not known."""
    token, text = piece.token, piece.text
    if token in _MARKS:
        return Notes()
    if token in (Token.SHARE, Token.MIXED, Token.FRACTION):
        share = _share(token, text)
        return Notes(share=share, share_text=text) if share is not None else None
    if token is Token.IDNO:
        return _idno_note(text)
    if token is Token.MORE:
        return Notes(has_more=True) if is_after_name or not text.startswith("s") else None
    if token is Token.UNTIL or token is Token.PERIOD:
        return Notes(remarks=(text,), is_former=not _ends_now(text))
    if token is Token.RANGE:
        return Notes(share=None, share_text=text, remarks=(text,))
    if token is not Token.NAME:
        return Notes(remarks=(text,))
    return _word_note(text, is_after_name=is_after_name or piece.is_nested)


def _word_note(text: str, *, is_after_name: bool) -> Notes | None:
    folded = fold(text).strip(" .*")
    if (roles := role_words_of(text)) is not None:
        return Notes(role=text.strip(" .()[]"), roles=roles)
    if kind := kind_of(text):
        return Notes(kind=kind)
    if folded in FORMER_WORDS:
        return Notes(remarks=(text,), is_former=True)
    if (rest := without_former_word(folded)) and role_words_of(rest) is not None:
        return Notes(remarks=(text,), is_former=True)
    if folded in JOINT_TEXTS:
        return Notes(remarks=(text,), is_joint=True)
    if folded in FILLERS or not any(letter.isalnum() for letter in folded):
        return Notes()
    if folded in REMARKS or (is_after_name and is_country(text)):
        return Notes(remarks=(text,))
    return None


def _share(token: Token, text: str) -> Decimal | None:
    """Return the share in per cent: 33.33 for "1/3", "33 1/3 %" and "33⅓%"; None if a fraction is more than a whole."""
    if token is Token.SHARE:
        return Decimal(_NUMBER.findall(text)[-1].replace(",", "."))
    match = _FRACTION.search(text)
    if match is None:
        return None
    above, below = (int(match[1]), int(match[2])) if match[1] else _VULGAR[match[3]]
    if not 0 < above <= below:
        return None
    if token is Token.MIXED:
        whole = _NUMBER.search(text)
        return (Decimal(whole[0] if whole else 0) + Decimal(above) / Decimal(below)).quantize(_CENT)
    return (Decimal(100 * above) / Decimal(below)).quantize(_CENT).normalize() + Decimal(0)


def _idno_note(text: str) -> Notes:
    """Return the IDNO, or the text as a remark if it is not valid."""
    try:
        return Notes(idno=parse_idno(text[-13:]))
    except InvalidIdno:
        return Notes(remarks=(collapse(text),))


def _ends_now(text: str) -> bool:
    return not any(letter.isdigit() for letter in re.split(r"[–—]|\s-\s|(?<=\d)-(?=[^\d])", text)[-1])


def is_plain_name(text: str) -> bool:
    """Tell whether a text contains no share, IDNO or other note: only words, and marks that may belong to a name."""
    tokens = {piece.token for piece in pieces_of([text])}
    return tokens <= {Token.NAME, Token.COMMA, Token.DASH, Token.COLON, Token.OPEN, Token.CLOSE}


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


_FACTS_OF_PARTIES = frozenset({Field.LEGAL_FORM, Field.STATUS, Field.REGISTERED_ON, Field.ADDRESS, Field.CUATM})


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
    if len(texts) < 2 or len(texts[0].strip()) > 3 or not texts[0].strip().isupper():
        return texts
    letters = iter(word[0] for word in re.findall(r"[^\W\d_]+", texts[1]))
    is_short = all(letter in letters for letter in texts[0].strip()) and len(texts[1]) > len(texts[0])
    return texts[1:] if is_short else texts


def is_other_role(roles: Sequence[str]) -> bool:
    """Tell whether all roles are neither those of founders nor of administrators, such as accountants and auditors."""
    return bool(roles) and all(role in OTHER_ROLES for role in roles)
