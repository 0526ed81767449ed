"""Folds text for comparison. Names and labels are folded in the same way when they are stored and when searched."""

import unicodedata
from functools import lru_cache

# Invisible characters: marks of writing direction and of width.
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F)]
)


def collapse(text: str) -> str:
    """Return `text` as a browser shows it: each sequence of white space is one space, and there is none at the ends."""
    return " ".join(text.replace("\x00", "").split())


def fold(text: str) -> str:
    """Return `text` for comparison: lower case, single spaces, no diacritics on Latin letters.

    Romanian letters with a cedilla and with a comma below fold to the same letter, and ё folds to е. Other Cyrillic
    letters keep their diacritics.
    """
    # Only short texts are cached: labels repeat, whole pages do not.
    return _fold_short(text) if len(text) <= 100 else _fold(text)


def _fold(text: str) -> str:
    composed = (
        unicodedata.normalize("NFKC", collapse(text).casefold()).replace("ё", "е").translate(_INVISIBLE)
    )
    return composed if composed.isascii() else collapse("".join(_plain(letter) for letter in composed))


_fold_short = lru_cache(maxsize=8192)(_fold)


@lru_cache(maxsize=1024)
def _plain(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() and base.isalpha() else letter
