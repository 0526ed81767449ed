"""Reader of one party from its texts: name, share, IDNO, role and kind."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from pipeline.transform.html.columns import column_of
from pipeline.transform.source_text import fold, parse_date, parse_share, text_or_none
from pipeline.transform.vocabulary.labels import is_action
from pipeline.transform.vocabulary.terms import is_role, kind_of, legal_form_of, sounds_like_company
from warehouse.idno import InvalidIdno, parse_idno
from warehouse.records.models import Party, PartyKind

_Value = TypeVar("_Value")
_SEPARATORS = " \t\n,;:·•|–—-/"
_SHARE_WORDS = (
    r"(?:cot[aă](?:[- ]part[ei])?|cota social[aă]|parte(?:a)?(?: social[aă])?|ponderea?|procent(?:aj)?|"
    r"доля(?: участия| в капитале| в уставном капитале)?|процент|share(?: in capital)?|stake|shares|ownership|interest)"
)
_IDNO_WORDS = r"(?:idno|idnp|cod(?:ul)? fiscal|c\.? ?f\.?|фискальный код|ф/к|идно|fiscal code|tax id|cod)"
_SHARE_AT_END = re.compile(
    rf"[(\[]?\s*(?:(?:^|(?<=[\s,;:·|(\[–—-])){_SHARE_WORDS}(?:,? %)?\s*[:=]?\s*)?"
    r"[(\[]?\s*(?<![\d.,])(\d{1,3}(?:[.,]\d+)?)\s*%\s*[)\]]?\s*$",
    re.IGNORECASE,
)
_SHARE_AT_START = re.compile(r"^[(\[]?\s*(\d{1,3}(?:[.,]\d+)?)\s*%\s*(?:[)\]]\s*|\s*[:·|–—-]\s+)(?=\S)")
_SHARE_INSIDE = re.compile(r"[\d\s]%\s*[)\]]")
"""A share in the middle of a text. Such a text contains two parties that were not split, so it is not read."""
_IDNO_AT_END = re.compile(
    rf"(?:[(\[]\s*)?(?:(?:^|(?<=[\s,;:·|(\[–—-])){_IDNO_WORDS}\s*[:№#]?\s*)?(?<!\d)(\d{{13}})\s*[)\]]?\s*$",
    re.IGNORECASE,
)
_NOTE_AT_END = re.compile(
    r"(.*\S)\s*[\[(]([^\[\]()]+)[\])]|(.*\S)\s+[–—-]\s+([^–—-]+)|(.*\S)[,·|]\s*([^,·|]+)"
)
_LONE_WORD = re.compile(rf"(?:{_SHARE_WORDS}|{_IDNO_WORDS})(?:,? %)?\s*[:=]?", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,4}[.)]?")
_NUMBERING = re.compile(r"(\d{1,3})[.)]\s+(?=\S)")
_COUNT = re.compile(r"\d{1,4} [^\W\d_]{3,20}")
_BETWEEN_PARTIES = re.compile(r"(?<=[%)\]])\s*[,;]\s*|\s*;\s*|\s+\|\s+")
_COMMAS = re.compile(r",\s+(?![^()\[\]]*[)\]])")
_NOT_NAMES = frozenset({"total", "total:", "итого", "всего", "total general", "и другие", "etc", "etc."})
_MAX_INITIALS = 3
_MIN_WORD_LENGTH = 3


@dataclass(frozen=True)
class _PartyText:
    """The notes that were found in a text, and in `rest` the text without the notes (a name, or "")."""

    rest: str
    share: Decimal | None = None
    idno: str | None = None
    role: str | None = None
    kind: PartyKind | None = None


def read_entry(
    fragments: Sequence[str],
    *,
    position: int,
    with_shares: bool,
    role: str | None = None,
    share: Decimal | None = None,
) -> Party | None:
    """Read the party that the texts of one entry describe; return None if they contain no certain name.

    Args:
        fragments: The texts of one entry, such as "1. MODELEANU ION" and "cota 40%".
        position: The index of the entry in the list, from 0. "1." is removed only from entry 0, "2." only from entry 1.
        with_shares: Whether a percentage is a share (founders) or part of a name (administrators).
        role: The role, if the entry is a table row with a column for it.
        share: The share in percent, if the entry is a table row with a column for it.
    """
    texts = [_unnumbered(text, position) for text in fragments]
    stripped = [_strip_notes(text, with_shares=with_shares) for text in texts]
    notes = [parts for parts in stripped if not parts.rest]
    named = next((i for i, parts in enumerate(stripped) if parts.rest and not _is_initials(i, texts)), None)
    if named is None or len({parts.idno for parts in stripped if parts.idno}) > 1:
        return None
    if with_shares and sum(1 for parts in notes if parts.share is not None) > 1:
        return None
    stated = share if share is not None else _first_value(parts.share for parts in notes)
    whole = stripped[named] if stated is None else _strip_notes(texts[named], with_shares=False)
    sources = [whole, *notes]
    return _make_party(
        whole.rest,
        share=(stated if stated is not None else whole.share) if with_shares else None,
        idno=_first_value(parts.idno for parts in sources),
        role=role or _first_value(parts.role for parts in sources),
        kind=_first_value(parts.kind for parts in sources),
    )


def _make_party(
    text: str, *, share: Decimal | None, idno: str | None, role: str | None, kind: PartyKind | None
) -> Party | None:
    """Return the party whose name is `text`, or None if `text` is not a name. If `kind` is None, derive it."""
    name = text_or_none(text)
    if (
        name is None
        or len(name) < 2
        or _SHARE_INSIDE.search(name)
        or fold(name) in _NOT_NAMES
        or is_action(name)
    ):
        return None
    if kind is None:
        is_company = (idno is not None and idno.startswith("1")) or sounds_like_company(name)
        kind = PartyKind.COMPANY if is_company else PartyKind.PERSON
    return Party(name=name, kind=kind, share=share, role=role, idno=idno)


def _first_value(values: Iterable[_Value | None]) -> _Value | None:
    """Return the first value that is not None, or None."""
    return next((value for value in values if value is not None), None)


def is_note(text: str, *, with_shares: bool = True) -> bool:
    """Tell whether a text only describes a party ("40%", "director") and does not contain its name."""
    return not _strip_notes(text, with_shares=with_shares).rest


def is_no_party(text: str) -> bool:
    """Tell whether a text in a list of parties is not a party: it is blank, a count, a total or a link."""
    rest = text.strip(_SEPARATORS)
    if not rest or text_or_none(rest) is None or is_action(rest):
        return True
    return not rest[0].islower() and _cannot_be_name(rest)


def share_in(text: str) -> Decimal | None:
    """Return the share if the text contains nothing else ("50%", "cota 50 %", "50"), else None."""
    stated = parse_share(text.strip("()[] "))
    return (
        stated
        if stated is not None
        else _strip_notes(text, with_shares=True).share
        if is_note(text)
        else None
    )


def split_parties(text: str) -> list[str]:
    """Split a text with several parties at commas or semicolons; [] if the commas may belong to a name.

    "MODELEANU ION (40%), EXEMPLESCU MARIA (60%)" → two parts; "ALFA, BETA" → [].
    """
    parts = _reattach_notes([part for part in _BETWEEN_PARTIES.split(text) if part.strip(_SEPARATORS)])
    pieces = [_split_at_commas(part) for part in parts]
    return [piece for some in pieces for piece in some] if all(pieces) else []


def _split_at_commas(text: str) -> list[str]:
    """Split a text at commas; [] if one of the parts may be only a part of a name."""
    pieces = _reattach_notes([piece for piece in _COMMAS.split(text) if piece.strip(_SEPARATORS)])
    if len(pieces) > 1 and any(len(piece.split()) < 2 for piece in pieces):
        return []
    # "ALFA PRIM, BETA INVEST SRL (50%)" may be one name or two.
    is_uneven = _SHARE_AT_END.search(text) is not None and any(map(sounds_like_company, pieces))
    return [] if len(pieces) > 1 and is_uneven else pieces


def _reattach_notes(parts: list[str]) -> list[str]:
    """Join a note or legal form that was split off at a comma to the name before it.

    ["NOWHERE HOLDINGS", "LTD (40%)"] → ["NOWHERE HOLDINGS, LTD (40%)"].
    """
    attached: list[str] = []
    for part in parts:
        is_closed = bool(attached) and attached[-1].endswith((")", "]", "%"))
        is_form = not is_closed and (legal_form_of(part.split("(")[0]) or _is_foreign_form(part))
        if attached and (is_note(part) or is_form):
            attached[-1] += f", {part}"
        else:
            attached.append(part)
    return attached


def _is_foreign_form(part: str) -> bool:
    """Tell whether a part is one word that only companies have ("LTD", "GmbH")."""
    words = part.split("(")[0].split()
    return len(words) == 1 and sounds_like_company(words[0])


def _unnumbered(text: str, position: int) -> str:
    """Return a text without the number of its entry in the list: "2. " is removed only in the second entry."""
    match = _NUMBERING.match(text)
    return text[match.end() :] if match and int(match[1]) == position + 1 else text


def _is_initials(index: int, texts: Sequence[str]) -> bool:
    """Tell whether a text is the initials of the name after it; sites show them in place of a picture.

        <div>MI</div><p>MODELEANU ION</p>

    → True for "MI"
    """
    text = texts[index].strip()
    if len(text) > _MAX_INITIALS or not text.isupper() or index + 1 >= len(texts):
        return False
    letters = iter(word[0] for word in re.findall(r"[^\W\d_]+", texts[index + 1]))
    return all(letter in letters for letter in text) and len(texts[index + 1]) > len(text)


def _strip_notes(text: str, *, with_shares: bool) -> _PartyText:
    """Remove all notes (share, IDNO, role, kind) from a text."""
    parts = _PartyText(rest=text.strip(_SEPARATORS))
    while parts.rest and (less := _strip_one_note(parts, with_shares=with_shares)) is not None:
        parts = replace(less, rest=less.rest.strip(_SEPARATORS))
    return replace(parts, rest="") if _cannot_be_name(parts.rest) else parts


def _strip_one_note(parts: _PartyText, *, with_shares: bool) -> _PartyText | None:
    """Remove one note from a text, or return None if it has none."""
    text = parts.rest
    if is_role(text):
        return replace(parts, rest="", role=parts.role or text.strip(" ()[]"))
    if kind := kind_of(text):
        return replace(parts, rest="", kind=parts.kind or kind)
    if (
        with_shares
        and parts.share is None
        and (match := _SHARE_AT_END.search(text) or _SHARE_AT_START.search(text))
    ):
        return replace(parts, rest=text[: match.start()] + text[match.end() :], share=parse_share(match[1]))
    if parts.idno is None and (match := _IDNO_AT_END.search(text)):
        return replace(parts, rest=text[: match.start()], idno=_valid_idno(match[1]))
    if match := _NOTE_AT_END.fullmatch(text):
        name, note = next((match[i], match[i + 1]) for i in (1, 3, 5) if match[i])
        if is_role(note):
            return replace(parts, rest=name, role=parts.role or note.strip())
        if kind := kind_of(note):
            return replace(parts, rest=name, kind=parts.kind or kind)
    return None


def _is_sentence(text: str) -> bool:
    """Tell whether a text is a sentence, which is not a name."""
    words = text.split()
    return (
        text[-1] in ".!?" and sum(1 for word in words if word.islower() and len(word) >= _MIN_WORD_LENGTH) > 1
    )


def _valid_idno(idno: str) -> str | None:
    """Return the IDNO if it is valid, else None."""
    try:
        return parse_idno(idno)
    except InvalidIdno:
        return None


def _cannot_be_name(text: str) -> bool:
    """Tell whether a text is not a name: a number, a count, a date, a column header or a word for "none"."""
    if not any(letter.isalnum() for letter in text) or text_or_none(text) is None or is_action(text):
        return True
    if text[0].islower() or _is_sentence(text):
        return True
    if any(pattern.fullmatch(text) for pattern in (_NUMBER, _LONE_WORD, _COUNT)):
        return True
    return column_of(text) is not None or parse_date(text) is not None or fold(text) in _NOT_NAMES
