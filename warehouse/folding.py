"""Folds text for comparison. Names and labels are folded in the same way when they are stored and when searched."""

import unicodedata
from functools import lru_cache

# Invisible characters: soft hyphens, joiners, marks of writing direction, variation selectors.
_INVISIBLE = dict.fromkeys(
    [
        *(0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF),
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)),
    ]
)
_LETTERS = str.maketrans(
    {
        **dict(zip("ёłøđðħŧıŋĸƀɨɍɏƶǥɇⱥꞓȷǝəʼ", "еloddhtinkbiryzgeacjee'", strict=True)),
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
"""Letters that Unicode does not decompose into a basic letter and a mark, and the Russian ё."""


def collapse(text: str) -> str:
    """Return `text` as a browser shows it: each sequence of white space is one space, and there is none at the ends."""
    return " ".join(text.replace("\x00", "").split())


def fold(text: str) -> str:
    """Return `text` for comparison: lower case, single spaces, no diacritics on Latin letters.

    Romanian letters with a cedilla and with a comma below fold to the same letter. Letters with a stroke and ligatures
    fold to basic letters, and ё folds to е. Other Cyrillic letters keep their diacritics, without a mark of stress.

    >>> [fold(name) for name in ("Łukasz", "KØBEN", "YILDIZ", "Yıldız", "Æon", "Œuvre", "Straße", "Đorđe")]
    ['lukasz', 'koben', 'yildiz', 'yildiz', 'aeon', 'oeuvre', 'strasse', 'dorde']
    """
    # Only short texts are cached: labels repeat, whole pages do not.
    return _fold_short(text) if len(text) <= 100 else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        return collapse(text).lower()
    # The case is folded twice, because the normalization can yield capital letters: ℡ → TEL.
    folded = unicodedata.normalize("NFKC", text.translate(_INVISIBLE).casefold()).casefold()
    # The normalization composes letters and marks, so that й, a letter of its own, differs from и with a mark.
    composed = unicodedata.normalize("NFKC", folded).translate(_LETTERS)
    return collapse(composed if composed.isascii() else "".join(map(_plain, composed)))


_fold_short = lru_cache(maxsize=8192)(_fold)


@lru_cache(maxsize=1024)
def _plain(letter: str) -> str:
    """Return a letter without diacritics if it is Latin, nothing for a mark, and any other character unchanged."""
    base = unicodedata.normalize("NFD", letter)[0]
    if base.isascii() and base.isalpha():
        return base
    if "\u0300" <= base <= "\u036f":
        return ""
    plain = base.translate(_LETTERS)
    return plain if plain.isascii() and plain.isalpha() else letter


def fold_before_strokes(text: str) -> str:
    """Return `text` as `fold` returned it before it folded letters with a stroke and ligatures.

    Stored hashes of erased names were computed from this text, and a hash cannot be computed again. Do not change it.
    """
    invisible = dict.fromkeys(
        [0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F)]
    )
    composed = unicodedata.normalize("NFKC", collapse(text).casefold()).replace("ё", "е").translate(invisible)
    if composed.isascii():
        return composed
    bases = ((unicodedata.normalize("NFD", letter)[0], letter) for letter in composed)
    return collapse("".join(base if base.isascii() and base.isalpha() else letter for base, letter in bases))
