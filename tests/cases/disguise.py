"""The disguise of a capture: names, addresses and numbers are replaced so that it is still read the same way."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import unquote

from pipeline.transform.html.visibility import INLINE_TAGS
from pipeline.transform.merge import NotThisCompany
from pipeline.transform.source_text import comparison_key, fold
from tests.cases.case_store import ReadingJson, differences, read_capture
from tests.cases.common_words import LETTERS
from tests.cases.html_text import TextPart, spans_in
from tests.cases.identity import EMAIL, HEXADECIMAL, PHONE, Identity, identity_of, is_json
from tests.cases.json_text import values_in
from tests.cases.made_up import FakeValues, NoCandidateLeft
from tests.cases.replacing import Replacer

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s.\-()]+(?=\d)")
_INLINE_TAG = re.compile(
    rf"</?(?:{'|'.join(sorted(INLINE_TAGS))})\b[^>]*>|<!--.*?-->", re.DOTALL | re.IGNORECASE
)
_TAG = re.compile(r"<[^>]*>")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_LONG_NAME = 8
_NATIONAL_DIGITS = 8


class DisguiseFailed(ValueError):
    """The disguise failed; the message names the field that is read differently, or what is left of the original."""


@dataclass(frozen=True)
class Disguised:
    """The disguised capture, of a company that does not exist."""

    idno: str
    html: str
    bodies: tuple[bytes, ...]


def disguise(idno: str, html: str, bodies: Sequence[bytes]) -> Disguised:
    """Replace everything in a capture that identifies its company.

    The same capture is always disguised in the same way. Amounts and dates are not changed.

    Raises:
        DisguiseFailed: Something of the original is left, or the disguised capture is read differently.
    """
    encodings = [json.detect_encoding(body) for body in bodies]
    texts = [body.decode(name, "surrogateescape") for body, name in zip(bodies, encodings, strict=True)]
    try:
        identity = identity_of(idno, html, bodies, texts)
        replacing = Replacer(identity, FakeValues(_seed(idno, html, bodies), identity.all_words))
        new_texts = [replacing.json(text) if is_json(text) else replacing.text(text) for text in texts]
        disguised = Disguised(
            idno=replacing.text(idno),
            html=replacing.html(html),
            bodies=tuple(t.encode(e, "surrogateescape") for t, e in zip(new_texts, encodings, strict=True)),
        )
    except NotThisCompany as error:
        raise DisguiseFailed(f"the capture cannot be read: {error}") from error
    except NoCandidateLeft as error:
        raise DisguiseFailed(str(error)) from error
    _check_reading(read_capture(idno, html, bodies), disguised, replacing)
    _check_leftovers(identity, html, texts, disguised.html, new_texts)
    return disguised


def words_of_names(idno: str, html: str, bodies: Sequence[bytes]) -> frozenset[str]:
    """Return the folded words of names that the disguise of a capture replaces; raise NotThisCompany."""
    identity = identity_of(idno, html, bodies, [body.decode(errors="replace") for body in bodies])
    words = {fold(word) for name in identity.names for word in LETTERS.findall(name)}
    return frozenset(words & identity.words.keys())


def _seed(idno: str, html: str, bodies: Sequence[bytes]) -> str:
    parts = (idno.encode(), html.encode("utf-8", "surrogatepass"), *bodies)
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()


def _check_reading(original: ReadingJson, disguised: Disguised, replacing: Replacer) -> None:
    expected = {**original, "facts": replacing.facts(original["facts"])}
    expected["unknown"] = sorted(map(replacing.text, original["unknown"]))
    for part in set(original) & {"remarks", "unread"}:
        expected[part] = _replaced(original[part], replacing)
    try:
        actual = read_capture(disguised.idno, disguised.html, disguised.bodies)
    except NotThisCompany as error:
        raise DisguiseFailed(f"the disguised capture cannot be read: {error}") from error
    # Notes quote values and shorten long ones at any character, so that only their beginning can be compared.
    shortened = (
        {**each, "notes": [n.partition(": ")[0] for n in each["notes"]]} for each in (expected, actual)
    )
    for field, (wanted, read_as) in differences(*shortened).items():
        raise DisguiseFailed(f"{field} is read differently: {read_as!r} instead of {wanted!r}")


def _replaced(value: Any, replacing: Replacer) -> Any:
    """Return JSON with all identifying data in its texts replaced."""
    if isinstance(value, dict):
        return {key: _replaced(inner, replacing) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, replacing) for inner in value]
    return replacing.text(value) if isinstance(value, str) else value


def _check_leftovers(
    identity: Identity, html: str, texts: Sequence[str], new_html: str, new_texts: Sequence[str]
) -> None:
    for left in _leftovers(identity, [html, *texts], new_html, new_texts):
        raise DisguiseFailed(f"{left!r} is left of the original")


def _leftovers(
    identity: Identity, originals: Sequence[str], new_html: str, new_texts: Sequence[str]
) -> Iterator[str]:
    visible = "\n".join(_visible_texts(new_html, new_texts))
    # The letters of fake hexadecimal ids are not words.
    words = set(map(fold, LETTERS.findall(HEXADECIMAL.sub(" ", visible))))
    yield from (word for word in identity.words if word in words)
    everything = "\n".join([new_html, *new_texts, visible])
    letters = comparison_key(everything)
    yield from (name for name in identity.own_names if not _is_replaced(name, identity))
    texts = (*identity.names, *identity.addresses)
    yield from (text for text in texts if _is_distinctive(text, identity) and comparison_key(text) in letters)
    digits = _BETWEEN_DIGITS.sub("", everything)
    yield from (idno for idno in identity.idnos if idno in digits)
    folded = everything.lower()
    for original in originals:
        yield from (found for found in HEXADECIMAL.findall(original) if found.lower() in folded)
        yield from (found for found in EMAIL.findall(original) if found.lower() in folded)
        yield from (found for found in PHONE.findall(original) if _is_leftover_phone(found, digits))


def _is_replaced(text: str, identity: Identity) -> bool:
    """Tell whether the disguise changes a text: a name that consists only of common words stays as it is."""
    return any(fold(word) in identity.words for word in LETTERS.findall(text))


def _is_distinctive(text: str, identity: Identity) -> bool:
    """Tell whether a text can be searched without spaces: a single or short word can be part of another word."""
    return " " in text and len(comparison_key(text)) >= _LONG_NAME and _is_replaced(text, identity)


def _is_leftover_phone(phone: str, digits: str) -> bool:
    number = "".join(letter for letter in phone if letter.isdigit())
    return len(number) > _NATIONAL_DIGITS and number[-_NATIONAL_DIGITS:] in digits


def _visible_texts(html: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield the texts, attributes and data values of a capture, without markup, keys and tag names."""
    spans = [(span.part, html[span.start : span.end]) for span in spans_in(html)]
    data = [text for part, text in spans if part is TextPart.DATA]
    yield from (
        unquote(unescape(text)) for part, text in spans if part in (TextPart.TEXT, TextPart.ATTRIBUTE)
    )
    for text in (*texts, *data):
        if is_json(text):
            yield from (value.text for value in values_in(text) if not value.is_key)
        else:
            yield _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), text)
    # A word can be split across inline elements.
    yield unescape(_TAG.sub(" ", _INLINE_TAG.sub("", html)))
