"""Text for comparison: names and labels are folded in one way, when they are written and when they are looked for."""

import unicodedata
from functools import lru_cache

# Marks of writing direction and of width: shown as nothing.
_UNSEEN = dict.fromkeys(
    [0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F)]
)


def collapse(text: str) -> str:
    """Return `text` as a browser shows it: runs of white space as one space, none at the ends."""
    return " ".join(text.replace("\x00", "").split())


def fold(text: str) -> str:
    """Return `text` for comparison: lower case, one space, no diacritics on Latin letters.

    Both Romanian spellings (cedilla and comma below) fold to the same, ё to е; other Cyrillic stays as it is.
    """
    # Labels come again and again, whole pages do not: only short texts are remembered.
    return _fold_short(text) if len(text) <= 100 else _fold(text)


def _fold(text: str) -> str:
    composed = unicodedata.normalize("NFKC", collapse(text).casefold()).replace("ё", "е").translate(_UNSEEN)
    return composed if composed.isascii() else collapse("".join(_plain(letter) for letter in composed))


_fold_short = lru_cache(maxsize=8192)(_fold)


@lru_cache(maxsize=1024)
def _plain(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() and base.isalpha() else letter
