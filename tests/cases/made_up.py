"""Generator of fake words and numbers: deterministic, in the same format as the originals, and not real."""

import random
import re
import unicodedata
from collections.abc import Collection, Set
from dataclasses import dataclass, field

from stdnum.md import idno as stdnum_idno

from pipeline.transform.source_text import fold
from tests.cases.common_words import SHORTEST, is_common

_LATIN = ("bcdfghjklmnprstvz", "aeiou")
_CYRILLIC = ("бвгдзклмнпрстфх", "аеиоу")
_TWINS = {"s": "st", "t": "st", "a": "ai", "i": "ai"}
"""Letters that can have a diacritic in Romanian, each with the letters that may replace it."""
_MARKED = {
    "ş": {"s": "ş", "t": "ţ"},
    "ţ": {"s": "ş", "t": "ţ"},
    "ș": {"s": "ș", "t": "ț"},
    "ț": {"s": "ș", "t": "ț"},
    "ă": {"a": "ă", "i": "î"},
    "â": {"a": "â", "i": "î"},
    "î": {"a": "ă", "i": "î"},
}
_UNREGISTERED = "999"
"""A registrar that does not exist, so that no fake IDNO is a real one."""
_TRIES = 1000
_HEX = "0123456789abcdef"
_RUN = re.compile(r"\d+|[^\W\d_]+")


class NoCandidateLeft(ValueError):
    """No unused fake word or number of the required format was found; the message names the format."""


@dataclass
class FakeValues:
    """The fake values of one capture; each original has one. `taken` are the folded words of the capture."""

    seed: str
    taken: Set[str]
    _words: dict[str, str] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], str] = field(default_factory=dict)

    def word(self, folded: str, diacritics: Collection[int]) -> str:
        """Return a fake word for a folded word: same length, same script, same first letter.

        Pages show the first letters of names. `diacritics` are the positions that have a diacritic in some spelling.
        """
        if folded not in self._words:
            self._words[folded] = self._new_word(folded, diacritics)
        return self._words[folded]

    def _new_word(self, folded: str, diacritics: Collection[int]) -> str:
        rng = self._rng("word", folded)
        used = {*self._words.values(), *self.taken}
        for attempt in range(_TRIES):
            any_letters = attempt > _TRIES // 2
            word = "".join(
                _letter(rng, folded, at, has_diacritic=at in diacritics, any_letters=any_letters)
                for at in range(len(folded))
            )
            if word not in used and not is_common(word):
                return word
        raise NoCandidateLeft(f"no unused fake word of {len(folded)} letters was found")

    def digits(self, kind: str, number: str) -> str:
        """Return a different number with the same count of digits, for a number of a kind."""
        if (kind, number) not in self._numbers:
            rng = self._rng(kind, number)
            used = {made for (of, _), made in self._numbers.items() if of == kind}
            candidates = (self._new_digits(rng, number) for _ in range(_TRIES))
            fresh = next((made for made in candidates if made not in used), self._new_digits(rng, number))
            self._numbers[kind, number] = fresh
        return self._numbers[kind, number]

    def _new_digits(self, rng: random.Random, number: str) -> str:
        while True:
            first = rng.choice("123456789") if number[0] != "0" else "0"
            made = first + "".join(rng.choice("0123456789") for _ in number[1:])
            if made != number or number == "0":
                return made

    def idno(self, number: str, others: Collection[str]) -> str:
        """Return a fake IDNO: same first four digits, valid if the original is, and not one of `others`."""
        if ("idno", number) not in self._numbers:
            rng = self._rng("idno", number)
            used = {*others, *self._numbers.values()}
            candidates = (_new_idno(rng, number) for _ in range(_TRIES))
            fresh = next((made for made in candidates if made not in used), None)
            if fresh is None:
                raise NoCandidateLeft("no unused fake IDNO was found")
            self._numbers["idno", number] = fresh
        return self._numbers["idno", number]

    def hexadecimal(self, number: str) -> str:
        """Return a fake hexadecimal id; other characters in it are not changed."""
        rng = self._rng("hexadecimal", number.lower())
        made = "".join(rng.choice(_HEX) if letter in _HEX else letter for letter in number.lower())
        return made.upper() if number.isupper() else made

    def scrambled(self, text: str) -> str:
        """Return a text in the same format whose words and numbers are replaced one by one."""

        def other(run: re.Match[str]) -> str:
            if run[0].isdigit():
                return self.digits("scrambled", run[0])
            return styled_like(run[0], self._scrambled_word(fold(run[0])))

        return _RUN.sub(other, text)

    def _scrambled_word(self, folded: str) -> str:
        rng = self._rng("scrambled", folded)
        for _ in range(_TRIES):
            word = "".join(
                _letter(rng, folded, at, has_diacritic=False, any_letters=False) for at in range(len(folded))
            )
            if word not in self.taken or len(word) < SHORTEST:
                return word
        raise NoCandidateLeft(f"no unused fake word of {len(folded)} letters was found")

    def _rng(self, topic: str, key: str) -> random.Random:
        return random.Random(f"{self.seed}:{topic}:{key}")


def _letter(rng: random.Random, folded: str, at: int, *, has_diacritic: bool, any_letters: bool) -> str:
    if at == 0:
        return folded[0]
    consonants, vowels = _CYRILLIC if "\u0400" <= folded[0] <= "\u04ff" else _LATIN
    if has_diacritic and folded[at] in _TWINS:
        return rng.choice(_TWINS[folded[at]])
    if any_letters:
        return rng.choice(consonants + vowels)
    is_vowel = (folded[0] in vowels) == (at % 2 == 0)
    return rng.choice(vowels if is_vowel else consonants)


def _new_idno(rng: random.Random, number: str) -> str:
    body = f"{number[:4]}{_UNREGISTERED}{rng.randrange(10**5):05d}"
    # A wrong check digit stays wrong by the same offset.
    off = int(number[-1]) - int(stdnum_idno.calc_check_digit(number[:-1]))
    return body + str((int(stdnum_idno.calc_check_digit(body)) + off) % 10)


def styled_like(word: str, made: str) -> str:
    """Write a fake word in the style of the original: same case, diacritics at the same positions."""
    letters = unicodedata.normalize("NFC", word)
    plain = [letter for letter in letters if letter.isalpha()]
    if len(plain) != len(made):
        return made.upper() if word.isupper() else made.capitalize() if word[0].isupper() else made
    return "".join(_as(letter, other) for letter, other in zip(plain, made, strict=True))


def _as(letter: str, made: str) -> str:
    lower = letter.lower()
    diacritics = lower if fold(lower) == made and lower != made else _MARKED.get(lower, {}).get(made, made)
    return diacritics.upper() if letter.isupper() else diacritics


def diacritic_positions(word: str) -> frozenset[int]:
    """Return the positions at which a word has a diacritic."""
    letters = [letter for letter in unicodedata.normalize("NFC", word) if letter.isalpha()]
    return frozenset(at for at, letter in enumerate(letters) if fold(letter) != letter.lower())
