"""Made-up words and numbers: the same for the same input, of the same shape, and nobody's."""

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
"""Letters that bear a diacritic in Romanian; one is replaced by a letter that can bear one too."""
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
"""A registrar that does not exist: no made-up IDNO is anybody's."""
_TRIES = 1000
_HEX = "0123456789abcdef"
_RUN = re.compile(r"\d+|[^\W\d_]+")


class NothingLeft(ValueError):
    """No made-up word or number of the shape is left; the message names the shape."""


@dataclass
class MadeUp:
    """Makes things up, each once, for one capture. `taken` are the folded words that are in it."""

    seed: str
    taken: Set[str]
    _words: dict[str, str] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], str] = field(default_factory=dict)

    def word(self, folded: str, marked: Collection[int]) -> str:
        """Return a folded word for a folded one: as long, in the same script, with the same first letter.

        Pages show the first letters of names. `marked` are the places that bear a diacritic somewhere.
        """
        if folded not in self._words:
            self._words[folded] = self._new_word(folded, marked)
        return self._words[folded]

    def _new_word(self, folded: str, marked: Collection[int]) -> str:
        roll = self._roll("word", folded)
        used = {*self._words.values(), *self.taken}
        for attempt in range(_TRIES):
            any_letters = attempt > _TRIES // 2
            word = "".join(
                _letter(roll, folded, at, is_marked=at in marked, any_letters=any_letters)
                for at in range(len(folded))
            )
            if word not in used and not is_common(word):
                return word
        raise NothingLeft(f"no made-up word of {len(folded)} letters is left for one in the capture")

    def digits(self, kind: str, number: str) -> str:
        """Return another number of as many digits for a number of a kind."""
        if (kind, number) not in self._numbers:
            roll = self._roll(kind, number)
            used = {made for (of, _), made in self._numbers.items() if of == kind}
            candidates = (self._new_digits(roll, number) for _ in range(_TRIES))
            fresh = next((made for made in candidates if made not in used), self._new_digits(roll, number))
            self._numbers[kind, number] = fresh
        return self._numbers[kind, number]

    def _new_digits(self, roll: random.Random, number: str) -> str:
        while True:
            first = roll.choice("123456789") if number[0] != "0" else "0"
            made = first + "".join(roll.choice("0123456789") for _ in number[1:])
            if made != number or number == "0":
                return made

    def idno(self, number: str, others: Collection[str]) -> str:
        """Return an IDNO for one: with the same first four digits, and valid if it was.

        It is none of `others`.
        """
        if ("idno", number) not in self._numbers:
            roll = self._roll("idno", number)
            used = {*others, *self._numbers.values()}
            candidates = (_new_idno(roll, number) for _ in range(_TRIES))
            fresh = next((made for made in candidates if made not in used), None)
            if fresh is None:
                raise NothingLeft("no made-up IDNO is left for one in the capture")
            self._numbers["idno", number] = fresh
        return self._numbers["idno", number]

    def hexadecimal(self, number: str) -> str:
        """Return a hexadecimal id for one; what is no digit in it stays."""
        roll = self._roll("hexadecimal", number.lower())
        made = "".join(roll.choice(_HEX) if letter in _HEX else letter for letter in number.lower())
        return made.upper() if number.isupper() else made

    def scrambled(self, text: str) -> str:
        """Return a text of the same shape, its words and numbers made up by themselves."""

        def other(run: re.Match[str]) -> str:
            if run[0].isdigit():
                return self.digits("scrambled", run[0])
            return in_manner_of(run[0], self._scrambled_word(fold(run[0])))

        return _RUN.sub(other, text)

    def _scrambled_word(self, folded: str) -> str:
        roll = self._roll("scrambled", folded)
        for _ in range(_TRIES):
            word = "".join(
                _letter(roll, folded, at, is_marked=False, any_letters=False) for at in range(len(folded))
            )
            if word not in self.taken or len(word) < SHORTEST:
                return word
        raise NothingLeft(f"no made-up word of {len(folded)} letters is left for one in the capture")

    def _roll(self, topic: str, key: str) -> random.Random:
        return random.Random(f"{self.seed}:{topic}:{key}")


def _letter(roll: random.Random, folded: str, at: int, *, is_marked: bool, any_letters: bool) -> str:
    if at == 0:
        return folded[0]
    consonants, vowels = _CYRILLIC if "\u0400" <= folded[0] <= "\u04ff" else _LATIN
    if is_marked and folded[at] in _TWINS:
        return roll.choice(_TWINS[folded[at]])
    if any_letters:
        return roll.choice(consonants + vowels)
    is_vowel = (folded[0] in vowels) == (at % 2 == 0)
    return roll.choice(vowels if is_vowel else consonants)


def _new_idno(roll: random.Random, number: str) -> str:
    body = f"{number[:4]}{_UNREGISTERED}{roll.randrange(10**5):05d}"
    # One with a wrong check digit stays as wrong as it was.
    off = int(number[-1]) - int(stdnum_idno.calc_check_digit(number[:-1]))
    return body + str((int(stdnum_idno.calc_check_digit(body)) + off) % 10)


def in_manner_of(word: str, made: str) -> str:
    """Write a made-up word as a word is written: in its case, with diacritics where it has them."""
    letters = unicodedata.normalize("NFC", word)
    plain = [letter for letter in letters if letter.isalpha()]
    if len(plain) != len(made):
        return made.upper() if word.isupper() else made.capitalize() if word[0].isupper() else made
    return "".join(_as(letter, other) for letter, other in zip(plain, made, strict=True))


def _as(letter: str, made: str) -> str:
    lower = letter.lower()
    marked = lower if fold(lower) == made and lower != made else _MARKED.get(lower, {}).get(made, made)
    return marked.upper() if letter.isupper() else marked


def marks_of(word: str) -> frozenset[int]:
    """Return the places of a word that bear a diacritic."""
    letters = [letter for letter in unicodedata.normalize("NFC", word) if letter.isalpha()]
    return frozenset(at for at, letter in enumerate(letters) if fold(letter) != letter.lower())
