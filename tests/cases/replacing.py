"""Replaces what identifies a company by what is made up, in texts, HTML, JSON and facts alike."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from pipeline.transform.source_text import fold
from tests.cases.common_words import LETTERS
from tests.cases.html_text import TextPart, TextSpan, spans_in, with_letters
from tests.cases.identity import CODE_KEYS, EMAIL, HEXADECIMAL, IDNO, PHONE, Identity, is_json
from tests.cases.json_text import Path, Value, changed
from tests.cases.made_up import MadeUp, in_manner_of

_ENTITY = r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
_POSTAL_CODE = r"(?<![^\W_])MD(?:-|\s|&nbsp;){0,2}\d{4}(?!\d)"
_GAP = rf"(?:{_ENTITY}|\W){{0,12}}"
_TOKEN = re.compile(rf"{LETTERS.pattern}|\d+")
_DIGITS = re.compile(r"\d+")
_QUOTED = re.compile(r"%[0-9A-Fa-f]{2}")
_SAFE = "/:?&=#+,;@!$'()*~"
_SPELLINGS = {"a": "aăâ", "i": "iî", "s": "sşș", "t": "tţț"}
_HOUSE_KEYS = frozenset({"street", "streetNumber", "street_number", "apartment", "address"})
_NUMBER_KEYS = frozenset({"_id", "streetNumber", "apartment"})
_COUNTRY = "373"
_NATIONAL_DIGITS = 8
_NO_NUMBER = "1"
"""No telephone number of Moldova begins with it."""
_NO_DOMAIN = "example"
"""The domain that is nobody's."""


class Replacing:
    """The replacements of one capture."""

    def __init__(self, identity: Identity, made_up: MadeUp) -> None:
        self._identity = identity
        self._made_up = made_up
        joined = {tuple(w for w in map(fold, LETTERS.findall(name)) if w) for name in identity.names}
        self._joined = {"".join(words): words for words in joined if len(words) > 1}
        codes = sorted(identity.codes, key=len, reverse=True)
        self._kinds = {
            "entity": _ENTITY,
            "email": EMAIL.pattern,
            "hexadecimal": f"(?i:{HEXADECIMAL.pattern})",
            "idno": IDNO.pattern,
            "code": rf"(?<![\d.,])(?:{'|'.join(codes)})(?![.,]?\d)" if codes else r"(?!)",
            "phone": PHONE.pattern,
            "postal": _POSTAL_CODE,
            "word": LETTERS.pattern,
        }

    def text(self, text: str) -> str:
        """Return a text with everything in it replaced; the numbers of a house only inside its address."""
        pieces: list[str] = []
        last = 0
        for address in self._addresses.finditer(text):
            pieces += [self._all(text[last : address.start()]), self._with_house(address[0])]
            last = address.end()
        return "".join([*pieces, self._all(text[last:])])

    def value(self, path: Path, text: str) -> str:
        """Return what a text at a place in JSON, or in the facts, becomes."""
        key = path[-1] if path else ""
        if key == "hash":
            return self._made_up.scrambled(text)
        if text.isdigit() and (key == "_id" or _is_code(path)):
            return self._made_up.digits("row" if key == "_id" else "code", text)
        if key in _HOUSE_KEYS or path[-2:] == ("address", "fullName"):
            return self._with_house(text)
        return text if key == "lines" or key.startswith("CODE_") else self.text(text)

    def json(self, text: str) -> str:
        """Return a JSON text with its values, and the ids in its keys, replaced."""
        return changed(text, self._changed_value)

    def _changed_value(self, value: Value) -> str:
        if value.is_key:
            return self._some(value.text, ("email", "hexadecimal", "idno"))
        if value.is_string:
            return self.value(value.path, value.text)
        if value.text.isdigit() and (value.key in _NUMBER_KEYS or _is_code(value.path)):
            return self.value(value.path, value.text)
        return value.text if value.key.startswith("CODE_") else self._some(value.text, ("idno", "phone"))

    def html(self, html: str) -> str:
        """Return HTML with its texts, attributes and embedded data replaced."""
        pieces: list[str] = []
        last = 0
        for span in spans_in(html):
            pieces += [html[last : span.start], self._span(span, html[span.start : span.end])]
            last = span.end
        return "".join([*pieces, html[last:]])

    def _span(self, span: TextSpan, text: str) -> str:
        match span.part:
            case TextPart.TECHNICAL:
                return self._some(text, ("email", "hexadecimal", "idno"))
            case TextPart.DATA if is_json(text):
                return self.json(text)
            case TextPart.ATTRIBUTE if _QUOTED.search(text):
                plain = unquote(text)
                replaced = self.text(plain)
                return text if replaced == plain else quote(replaced, safe=_SAFE)
            case TextPart.DATA:
                return self.text(text)
        plain = with_letters(text)
        replaced = self.text(plain)
        return text if replaced == plain else replaced

    def facts(self, content: Any, path: Path = ()) -> Any:
        """Return facts as JSON with everything replaced as it is in the capture."""
        match content:
            case dict():
                return {key: self.facts(value, (*path, key)) for key, value in content.items()}
            case list() if path[-1:] != ("lines",):
                return [self.facts(value, path) for value in content]
            case str():
                return self.value(path, content)
        return content

    def _all(self, text: str) -> str:
        return self._some(text, tuple(self._kinds))

    def _with_house(self, text: str) -> str:
        pieces: list[str] = []
        last = 0
        # A postal code and other ids are numbers of their own.
        for found in self._pattern(("entity", "hexadecimal", "idno", "postal", "word")).finditer(text):
            pieces += [self._houses(text[last : found.start()]), self._all(found[0])]
            last = found.end()
        return "".join([*pieces, self._houses(text[last:])])

    def _houses(self, text: str) -> str:
        return _DIGITS.sub(lambda number: self._made_up.digits("house", number[0]), text)

    def _pattern(self, kinds: Iterable[str]) -> re.Pattern[str]:
        return re.compile("|".join(f"(?P<{kind}>{self._kinds[kind]})" for kind in kinds))

    def _some(self, text: str, kinds: tuple[str, ...]) -> str:
        return self._pattern(kinds).sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        text = found[0]
        match found.lastgroup:
            case "email":
                return self._email(text.lower())
            case "hexadecimal":
                return self._made_up.hexadecimal(text)
            case "idno":
                return self._made_up.idno(text, self._identity.idnos)
            case "code":
                return self._made_up.digits("code", text)
            case "phone":
                return self._phone(text)
            case "postal":
                return text[:-4] + self._made_up.digits("postal", text[-4:])
            case "word":
                return self._word(text)
        return text

    def _word(self, word: str) -> str:
        key = fold(word)
        if key in self._identity.words:
            return in_manner_of(word, self._made(key))
        if key in self._joined:
            return in_manner_of(word, "".join(map(self._made, self._joined[key])))
        return word

    def _made(self, word: str) -> str:
        marked = self._identity.words.get(word)
        return word if marked is None else self._made_up.word(word, marked)

    def _email(self, text: str) -> str:
        local, _, domain = text.partition("@")
        name = domain.rpartition(".")[0]
        return f"{self._made_up.scrambled(local)}@{self._made_up.scrambled(name)}.{_NO_DOMAIN}"

    def _phone(self, text: str) -> str:
        digits = "".join(_DIGITS.findall(text))
        kept = len(_COUNTRY) if digits.startswith(_COUNTRY) else 1
        if len(digits) - kept != _NATIONAL_DIGITS and not text.startswith("+"):
            return text
        # The same number is the same with the country's code and without it.
        made = iter(digits[:kept] + _NO_NUMBER + self._made_up.digits("phone", digits[kept:])[1:])
        return _DIGITS.sub(lambda run: "".join(next(made) for _ in run[0]), text)

    @cached_property
    def _addresses(self) -> re.Pattern[str]:
        """The addresses, and their ends from the street on, however they are spelled."""
        ends = {
            ",".join(pieces[at:])
            for address in self._identity.addresses
            for pieces in [address.split(",")]
            for at in range(len(pieces))
        }
        telling = [end for end in ends if self._tells(end)]
        loose = sorted(map(_loosely, telling), key=len, reverse=True)
        return re.compile("|".join(rf"(?<!\w){end}(?!\w)" for end in loose) or r"(?!)", re.IGNORECASE)

    def _tells(self, address: str) -> bool:
        has_word = any(fold(word) in self._identity.words for word in LETTERS.findall(address))
        return has_word and _DIGITS.search(address) is not None


def _is_code(path: Path) -> bool:
    return path[-1:] == ("cuiio",) or ("cuatm" in path and path[-1] in CODE_KEYS)


def _loosely(text: str) -> str:
    """A pattern for a text in any spelling and with anything but words between its words."""
    return _GAP.join(_any_spelling(token) for token in _TOKEN.findall(text))


def _any_spelling(token: str) -> str:
    return "".join(
        f"[{_SPELLINGS[base]}]" if (base := fold(letter)) in _SPELLINGS else re.escape(letter)
        for letter in token
    )
