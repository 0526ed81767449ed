"""One party out of the texts that stand together for it: the name, and its share, IDNO, role and kind."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from pipeline.transform.html.columns import column_of
from pipeline.transform.source_text import fold, parse_date, parse_share, present
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
"""Two parties in one text, which nothing has parted."""
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
_NO_NAMES = frozenset({"total", "total:", "итого", "всего", "total general", "и другие", "etc", "etc."})
_INITIALS = 3
_WORD_LENGTH = 3


@dataclass(frozen=True)
class _Parts:
    """A text taken apart: what is left of it is a name, or nothing."""

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
    """Read the party that some texts stand for; `position` counts from 0, to tell its number from its name.

    `role` and `share` are what columns of their own say.
    """
    texts = [_unnumbered(text, position) for text in fragments]
    taken = [_take_apart(text, with_shares=with_shares) for text in texts]
    notes = [parts for parts in taken if not parts.rest]
    named = next((i for i, parts in enumerate(taken) if parts.rest and not _is_initials(i, texts)), None)
    if named is None or len({parts.idno for parts in taken if parts.idno}) > 1:
        return None
    if with_shares and sum(1 for parts in notes if parts.share is not None) > 1:
        return None
    stated = share if share is not None else _first(parts.share for parts in notes)
    whole = taken[named] if stated is None else _take_apart(texts[named], with_shares=False)
    everything = [whole, *notes]
    return _party(
        whole.rest,
        share=(stated if stated is not None else whole.share) if with_shares else None,
        idno=_first(parts.idno for parts in everything),
        role=role or _first(parts.role for parts in everything),
        kind=_first(parts.kind for parts in everything),
    )


def _party(
    text: str, *, share: Decimal | None, idno: str | None, role: str | None, kind: PartyKind | None
) -> Party | None:
    name = present(text)
    if (
        name is None
        or len(name) < 2
        or _SHARE_INSIDE.search(name)
        or fold(name) in _NO_NAMES
        or is_action(name)
    ):
        return None
    if kind is None:
        is_company = (idno is not None and idno.startswith("1")) or sounds_like_company(name)
        kind = PartyKind.COMPANY if is_company else PartyKind.PERSON
    return Party(name=name, kind=kind, share=share, role=role, idno=idno)


def _first(values: Iterable[_Value | None]) -> _Value | None:
    return next((value for value in values if value is not None), None)


def is_note(text: str, *, with_shares: bool = True) -> bool:
    """Tell whether a text says something of a party and is not its name."""
    return not _take_apart(text, with_shares=with_shares).rest


def is_nothing(text: str) -> bool:
    """Tell whether a text where a party could stand is none: blank, a count, a sum, a link of the site."""
    rest = text.strip(_SEPARATORS)
    if not rest or present(rest) is None or is_action(rest):
        return True
    return not rest[0].islower() and _says_nothing(rest)


def share_in(text: str) -> Decimal | None:
    """Return the share that a text of its own states ("50%", "cota 50 %", "50"), else None."""
    stated = parse_share(text.strip("()[] "))
    return (
        stated if stated is not None else _take_apart(text, with_shares=True).share if is_note(text) else None
    )


def split_parties(text: str) -> list[str]:
    """Split a text that joins parties by commas or semicolons; [] where the commas could be a name's own."""
    parts = _attached([part for part in _BETWEEN_PARTIES.split(text) if part.strip(_SEPARATORS)])
    pieces = [_at_commas(part) for part in parts]
    return [piece for some in pieces for piece in some] if all(pieces) else []


def _at_commas(text: str) -> list[str]:
    pieces = _attached([piece for piece in _COMMAS.split(text) if piece.strip(_SEPARATORS)])
    if len(pieces) > 1 and any(len(piece.split()) < 2 for piece in pieces):
        return []
    # "ALFA PRIM, BETA INVEST SRL (50%)": who can say whether that is one name or two?
    is_uneven = _SHARE_AT_END.search(text) is not None and any(map(sounds_like_company, pieces))
    return [] if len(pieces) > 1 and is_uneven else pieces


def _attached(parts: list[str]) -> list[str]:
    """A note or a legal form after a comma goes with the name before it."""
    attached: list[str] = []
    for part in parts:
        is_closed = bool(attached) and attached[-1].endswith((")", "]", "%"))
        is_form = not is_closed and (legal_form_of(part.split("(")[0]) or _is_abroad(part))
        if attached and (is_note(part) or is_form):
            attached[-1] += f", {part}"
        else:
            attached.append(part)
    return attached


def _is_abroad(part: str) -> bool:
    words = part.split("(")[0].split()
    return len(words) == 1 and sounds_like_company(words[0])


def _unnumbered(text: str, position: int) -> str:
    match = _NUMBERING.match(text)
    return text[match.end() :] if match and int(match[1]) == position + 1 else text


def _is_initials(index: int, texts: Sequence[str]) -> bool:
    """A picture's place holds the first letters of the name that comes next."""
    text = texts[index].strip()
    if len(text) > _INITIALS or not text.isupper() or index + 1 >= len(texts):
        return False
    letters = iter(word[0] for word in re.findall(r"[^\W\d_]+", texts[index + 1]))
    return all(letter in letters for letter in text) and len(texts[index + 1]) > len(text)


def _take_apart(text: str, *, with_shares: bool) -> _Parts:
    """Take share, IDNO, role and kind off a text, as long as there are any."""
    parts = _Parts(rest=text.strip(_SEPARATORS))
    while parts.rest and (less := _take_one(parts, with_shares=with_shares)) is not None:
        parts = replace(less, rest=less.rest.strip(_SEPARATORS))
    return replace(parts, rest="") if _says_nothing(parts.rest) else parts


def _take_one(parts: _Parts, *, with_shares: bool) -> _Parts | None:
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
        return replace(parts, rest=text[: match.start()], idno=_valid(match[1]))
    if match := _NOTE_AT_END.fullmatch(text):
        name, note = next((match[i], match[i + 1]) for i in (1, 3, 5) if match[i])
        if is_role(note):
            return replace(parts, rest=name, role=parts.role or note.strip())
        if kind := kind_of(note):
            return replace(parts, rest=name, kind=parts.kind or kind)
    return None


def _is_sentence(text: str) -> bool:
    words = text.split()
    return text[-1] in ".!?" and sum(1 for word in words if word.islower() and len(word) >= _WORD_LENGTH) > 1


def _valid(idno: str) -> str | None:
    try:
        return parse_idno(idno)
    except InvalidIdno:
        return None


def _says_nothing(text: str) -> bool:
    """A number, a count, a date, a column's head or a word for "none" is no name."""
    if not any(letter.isalnum() for letter in text) or present(text) is None or is_action(text):
        return True
    if text[0].islower() or _is_sentence(text):
        return True
    if any(pattern.fullmatch(text) for pattern in (_NUMBER, _LONE_WORD, _COUNT)):
        return True
    return column_of(text) is not None or parse_date(text) is not None or fold(text) in _NO_NAMES
