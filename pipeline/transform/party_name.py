"""The shape of a party's name: what makes a text the name of a person or of a company."""

import re

from pipeline.transform.source_text import fold, text_or_none
from pipeline.transform.vocabulary.labels import field_of, is_action
from pipeline.transform.vocabulary.party_words import (
    NEVER_IN_NAMES,
    is_foreign_form,
    names_collective,
    party_placeholder,
    sounds_like_company,
)
from warehouse.records.models import PartyKind

_MAX_INITIALS = 3
_MAX_NAME_WORDS = 5
_JOINT = re.compile(r"\s+(?:[sșş]i|и|and|&)\s+|\s*/\s*", re.IGNORECASE)
_NAME_WORD = re.compile(r"(?:[^\W\d_]['’`ʼ]?)+(?:-(?:[^\W\d_]['’`ʼ]?)+){0,3}\.?")
_PARTICLES = frozenset(
    [
        "de",
        "din",
        "van",
        "von",
        "der",
        "den",
        "da",
        "di",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "abu",
        "af",
        "zu",
        "oglu",
        "ogly",
        "kyzy",
        "оглы",
        "оглу",
        "кызы",
        "фон",
        "де",
    ]
)
_NOT_IN_NAMES = re.compile(r"[%<>{}=@#*_\\^~|�]|https?:|www\.|\d{13}")
_QUOTES = re.compile(r"[\"„”“«»]")
_QUOTES_WITH_TEXT = re.compile(r"\"[^\"]*\"|„[^”“\"]*[”“\"]|«[^»]*»|“[^”]*”")


class NotUnderstood(ValueError):
    """A text in the place of a party is not, as a whole, the description of parties. The message is the reason."""


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
    if name[0].islower() and not is_person_name(name):
        raise NotUnderstood("a name does not begin with a small letter")
    if is_company_name(name) or (idno is not None and idno.startswith("1")):
        return PartyKind.COMPANY
    if field_of(name) is not None or (field_of(name.split()[0]) is not None and len(name.split()) < 2):
        raise NotUnderstood("a label")
    if kind is not None and name[0].isupper():
        return kind
    if is_person_name(name):
        return PartyKind.PERSON
    raise NotUnderstood("neither the name of a person nor of a company")


def is_person_name(text: str) -> bool:
    """Tell whether a text has the shape of a person's name: two to five capitalized words, initials or particles.

    "ȚURCAN-MODEL Ana M." → True; "Lorem ipsum" → False
    """
    parts = text.split()
    if not 2 <= len(parts) <= _MAX_NAME_WORDS or sounds_like_company(text):
        return False
    if not all(_NAME_WORD.fullmatch(part) for part in parts) or sum(map(len, parts)) < len(parts) + 2:
        return False
    if any(fold(part) in NEVER_IN_NAMES or len(set(fold(part))) == 1 < len(part) - 1 for part in parts):
        return False
    if all(sum(map(str.isalpha, part)) < 2 for part in parts):
        return False
    capitals = [part for part in parts if part[0].isupper()]
    return len(capitals) >= 2 and all(part[0].isupper() or part in _PARTICLES for part in parts)


def is_company_name(name: str) -> bool:
    return sounds_like_company(name) or bool(_QUOTES.search(name)) or " & " in name


def names_in(text: str) -> list[str]:
    """Return the names in a piece: "A B și C D" are two if both sides have the shape of a person's name."""
    parts = _JOINT.split(text)
    return parts if len(parts) > 1 and all(map(is_person_name, parts)) else [text]


def stands_alone(name: str) -> bool:
    return is_person_name(name) or (is_company_name(name) and len(name.split()) > 1)


def are_initials(text: str, name: str) -> bool:
    """Tell whether a text is the initials of the name after it: "MI", "M. I." or "IM" before "MODELEANU ION"."""
    text = re.sub(r"[\s.]", "", text)
    if not 0 < len(text) <= _MAX_INITIALS or not text.isupper() or len(name.split()) < len(text):
        return False
    first_letters = [word[0] for word in re.findall(r"[^\W\d_]+", name)]
    letters = iter(first_letters)
    if all(letter in letters for letter in text):
        return True
    # In another order, it may be the legal form before a name: "SA" before "ALFA SUD".
    is_reversed = sorted(text) == sorted(first_letters) and is_person_name(name)
    return is_reversed and not is_foreign_form(text)
