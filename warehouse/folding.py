"""Folds text for comparison. Names and labels are folded in the same way when stored and when searched for."""

import unicodedata
from functools import lru_cache

# Invisible characters: marks of writing direction and of width.
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F)]
)


def collapse(text: str) -> str:
    """Return `text` with each sequence of white space as one space and none at the ends, as a browser shows it."""
    return " ".join(text.replace("\x00", "").split())


def fold(text: str) -> str:
    """Return `text` for comparison: lower case, single spaces, no diacritics on Latin letters.

    Both Romanian spellings (cedilla and comma below) fold to the same letters, and ё to е. Other Cyrillic letters keep
    their diacritics.
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
