"""What a text says about a party besides its name: share, contribution, IDNO, role, kind, dates, country."""

import re
from dataclasses import dataclass
from decimal import Decimal

from pipeline.transform.party_name import NotUnderstood
from pipeline.transform.party_tokens import PartyToken, Piece, pieces_of
from pipeline.transform.source_text import collapse, fold
from pipeline.transform.vocabulary.party_remarks import (
    FILLERS,
    FORMER_WORDS,
    JOINT_TEXTS,
    REMARKS,
    without_former_word,
)
from pipeline.transform.vocabulary.party_words import is_country, kind_of, role_words_of
from warehouse.idno import InvalidIdno, parse_idno
from warehouse.records.models import PartyKind

_MAX_NOTE = 400
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_FRACTION = re.compile(r"(\d+)\s?[/⁄]\s?(\d+)|([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])")
_VULGAR = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
    "⅗": (3, 5),
    "⅘": (4, 5),
    "⅙": (1, 6),
    "⅚": (5, 6),
    "⅐": (1, 7),
    "⅛": (1, 8),
    "⅜": (3, 8),
    "⅝": (5, 8),
    "⅞": (7, 8),
    "⅑": (1, 9),
    "⅒": (1, 10),
}
_CENT = Decimal("0.01")
THROUGH = re.compile(
    r"\s+(?=(?:prin|[iî]n persoana|reprezentat[aă]?|в лице|represented by|through|acting through)\s"
    r"|(?:[iî]n (?:proces(?:ul)? de )?(?:lichidare|insolvabilitate|reorganizare|dizolvare)|в (?:процессе )?ликвидации"
    r"|in (?:liquidation|insolvency)|under liquidation)$)",
    re.IGNORECASE,
)
_THROUGH_OPENING = re.compile(THROUGH.pattern.removeprefix(r"\s+"), re.IGNORECASE)
_PLAIN_TOKENS = {
    *(PartyToken.NAME, PartyToken.COMMA, PartyToken.DASH, PartyToken.COLON, PartyToken.OPEN, PartyToken.CLOSE)
}
MARKS = frozenset(
    {
        PartyToken.OPEN,
        PartyToken.CLOSE,
        PartyToken.COLON,
        PartyToken.COMMA,
        PartyToken.BREAK,
        PartyToken.DASH,
        PartyToken.EDGE,
    }
)


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


def read_notes(text: str) -> Notes:
    """Read a text that only describes a party ("40%", "Administrator din 12.03.2015").

    Raise NotUnderstood if a part of it is something else.
    """
    if len(text) > _MAX_NOTE:
        raise NotUnderstood("too long for a note")
    notes = Notes()
    for piece in pieces_of([text]):
        note = note_of(piece)
        if note is None:
            raise NotUnderstood(f"{piece.text!r} is not known")
        notes |= note
    return notes


def is_note(text: str) -> bool:
    """Tell whether a text only describes a party and contains neither a name nor anything unknown."""
    if not any(map(str.isalnum, text)) and not _FRACTION.search(text):
        return False
    try:
        read_notes(text)
    except NotUnderstood:
        return False
    return True


def is_rest(text: str) -> bool:
    """Tell whether a text says only that there are more parties: "+ 3 alții", "et al."."""
    tokens = {piece.token for piece in pieces_of([text])} if len(text) <= _MAX_NOTE else set()
    return PartyToken.MORE in tokens and tokens <= MARKS | {PartyToken.MORE}


def shares_in(text: str) -> list[Decimal]:
    """Return the shares in a text that as a whole is not understood: [55] for "MODELEANU ION (xyz) (55%)"."""
    pieces = pieces_of([text]) if len(text) <= _MAX_NOTE else ()
    return [
        share
        for piece in pieces
        if piece.token is PartyToken.SHARE and (share := _share(piece.token, piece.text))
    ]


def is_plain_name(text: str) -> bool:
    """Tell whether a text contains no share, IDNO or other note: only words, and marks that may belong to a name."""
    tokens = {piece.token for piece in pieces_of([text])} if len(text) <= _MAX_NOTE else {PartyToken.EDGE}
    return tokens <= _PLAIN_TOKENS


def note_of(piece: Piece, *, is_after_name: bool = True) -> Notes | None:
    """Return the notes that a piece states, or None if it may be a name or is not known."""
    token, text = piece.token, piece.text
    if token in MARKS:
        return Notes()
    if token in (PartyToken.SHARE, PartyToken.MIXED, PartyToken.FRACTION):
        share = _share(token, text)
        return Notes(share=share, share_text=text) if share is not None else None
    if token is PartyToken.IDNO:
        return _idno_note(text)
    if token is PartyToken.MORE:
        return Notes(has_more=True) if is_after_name or not text.startswith("s") else None
    if token is PartyToken.UNTIL or token is PartyToken.PERIOD:
        return Notes(remarks=(text,), is_former=not _ends_now(text))
    if token is PartyToken.RANGE:
        return Notes(share=None, share_text=text, remarks=(text,))
    if token is not PartyToken.NAME:
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
    if is_after_name and _THROUGH_OPENING.match(text):
        return Notes(remarks=(text,))
    if folded in REMARKS or (is_after_name and is_country(text)):
        return Notes(remarks=(text,))
    return None


def _share(token: PartyToken, text: str) -> Decimal | None:
    """Return the share in per cent: 33.33 for "1/3", "33 1/3 %" and "33⅓%"; None if a fraction is more than a whole."""
    if token is PartyToken.SHARE:
        return Decimal(_NUMBER.findall(text)[-1].replace(",", "."))
    match = _FRACTION.search(text)
    if match is None:
        return None
    above, below = (int(match[1]), int(match[2])) if match[1] else _VULGAR[match[3]]
    if not 0 < above <= below:
        return None
    if token is PartyToken.MIXED:
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
