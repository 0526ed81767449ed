"""Replacement of identifying data by fake values, consistently in texts, HTML, JSON and facts."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from pipeline.transform.source_text import fold
from tests.cases.common_words import LETTERS
from tests.cases.html_text import TextPart, TextSpan, decode_letters, spans_in
from tests.cases.identity import CODE_KEYS, EMAIL, HEXADECIMAL, IDNO, PHONE, Identity, is_json
from tests.cases.json_text import JsonValue, Path, replace_values
from tests.cases.made_up import FakeValues, styled_like

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
"""No telephone number of Moldova begins with this digit."""
_NO_DOMAIN = "example"
"""A reserved top-level domain."""


class Replacer:
    """Replaces the identifying data of one capture."""

    def __init__(self, identity: Identity, made_up: FakeValues) -> None:
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
        """Return a text with all identifying data replaced; house numbers only within an address."""
        pieces: list[str] = []
        last = 0
        for address in self._addresses.finditer(text):
            pieces += [self._replace_all(text[last : address.start()]), self._replace_address(address[0])]
            last = address.end()
        return "".join([*pieces, self._replace_all(text[last:])])

    def value(self, path: Path, text: str) -> str:
        """Return the replacement of a text at a path in JSON or in the facts."""
        key = path[-1] if path else ""
        if key == "hash":
            return self._made_up.scrambled(text)
        if text.isdigit() and (key == "_id" or _is_code(path)):
            return self._made_up.digits("row" if key == "_id" else "code", text)
        if key in _HOUSE_KEYS or path[-2:] == ("address", "fullName"):
            return self._replace_address(text)
        return text if key == "lines" or key.startswith("CODE_") else self.text(text)

    def json(self, text: str) -> str:
        """Return a JSON text with its values replaced, and the ids in its keys."""
        return replace_values(text, self._replace_value)

    def _replace_value(self, value: JsonValue) -> str:
        if value.is_key:
            return self._replace_kinds(value.text, ("email", "hexadecimal", "idno"))
        if value.is_string:
            return self.value(value.path, value.text)
        if value.text.isdigit() and (value.key in _NUMBER_KEYS or _is_code(value.path)):
            return self.value(value.path, value.text)
        return (
            value.text
            if value.key.startswith("CODE_")
            else self._replace_kinds(value.text, ("idno", "phone"))
        )

    def html(self, html: str) -> str:
        """Return HTML with its texts, attributes and embedded data replaced."""
        pieces: list[str] = []
        last = 0
        for span in spans_in(html):
            pieces += [html[last : span.start], self._replace_span(span, html[span.start : span.end])]
            last = span.end
        return "".join([*pieces, html[last:]])

    def _replace_span(self, span: TextSpan, text: str) -> str:
        match span.part:
            case TextPart.TECHNICAL:
                return self._replace_kinds(text, ("email", "hexadecimal", "idno"))
            case TextPart.DATA if is_json(text):
                return self.json(text)
            case TextPart.ATTRIBUTE if _QUOTED.search(text):
                plain = unquote(text)
                replaced = self.text(plain)
                return text if replaced == plain else quote(replaced, safe=_SAFE)
            case TextPart.DATA:
                return self.text(text)
        plain = decode_letters(text)
        replaced = self.text(plain)
        return text if replaced == plain else replaced

    def facts(self, content: Any, path: Path = ()) -> Any:
        """Return facts (as JSON) with the same replacements as in the capture."""
        match content:
            case dict():
                return {key: self.facts(value, (*path, key)) for key, value in content.items()}
            case list() if path[-1:] != ("lines",):
                return [self.facts(value, path) for value in content]
            case str():
                return self.value(path, content)
        return content

    def _replace_all(self, text: str) -> str:
        return self._replace_kinds(text, tuple(self._kinds))

    def _replace_address(self, text: str) -> str:
        pieces: list[str] = []
        last = 0
        # Postal codes and ids are not house numbers.
        for found in self._pattern(("entity", "hexadecimal", "idno", "postal", "word")).finditer(text):
            pieces += [self._replace_house_numbers(text[last : found.start()]), self._replace_all(found[0])]
            last = found.end()
        return "".join([*pieces, self._replace_house_numbers(text[last:])])

    def _replace_house_numbers(self, text: str) -> str:
        return _DIGITS.sub(lambda number: self._made_up.digits("house", number[0]), text)

    def _pattern(self, kinds: Iterable[str]) -> re.Pattern[str]:
        return re.compile("|".join(f"(?P<{kind}>{self._kinds[kind]})" for kind in kinds))

    def _replace_kinds(self, text: str, kinds: tuple[str, ...]) -> str:
        return self._pattern(kinds).sub(self._replacement, text)

    def _replacement(self, found: re.Match[str]) -> str:
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
            return styled_like(word, self._replacement_word(key))
        if key in self._joined:
            return styled_like(word, "".join(map(self._replacement_word, self._joined[key])))
        return word

    def _replacement_word(self, word: str) -> str:
        diacritics = self._identity.words.get(word)
        return word if diacritics is None else self._made_up.word(word, diacritics)

    def _email(self, text: str) -> str:
        local, _, domain = text.partition("@")
        name = domain.rpartition(".")[0]
        return f"{self._made_up.scrambled(local)}@{self._made_up.scrambled(name)}.{_NO_DOMAIN}"

    def _phone(self, text: str) -> str:
        digits = "".join(_DIGITS.findall(text))
        kept = len(_COUNTRY) if digits.startswith(_COUNTRY) else 1
        if len(digits) - kept != _NATIONAL_DIGITS and not text.startswith("+"):
            return text
        # A number has the same replacement with and without the country code.
        made = iter(digits[:kept] + _NO_NUMBER + self._made_up.digits("phone", digits[kept:])[1:])
        return _DIGITS.sub(lambda run: "".join(next(made) for _ in run[0]), text)

    @cached_property
    def _addresses(self) -> re.Pattern[str]:
        """A pattern for the addresses and for their endings from any piece on, in any spelling."""
        ends = {
            ",".join(pieces[at:])
            for address in self._identity.addresses
            for pieces in [address.split(",")]
            for at in range(len(pieces))
        }
        telling = [end for end in ends if self._is_identifying(end)]
        loose = sorted(map(_loose_pattern, telling), key=len, reverse=True)
        return re.compile("|".join(rf"(?<!\w){end}(?!\w)" for end in loose) or r"(?!)", re.IGNORECASE)

    def _is_identifying(self, address: str) -> bool:
        has_word = any(fold(word) in self._identity.words for word in LETTERS.findall(address))
        return has_word and _DIGITS.search(address) is not None


def _is_code(path: Path) -> bool:
    return path[-1:] == ("cuiio",) or ("cuatm" in path and path[-1] in CODE_KEYS)


def _loose_pattern(text: str) -> str:
    """Return a pattern for a text in any spelling, with any characters except letters between its words."""
    return _GAP.join(_any_spelling(token) for token in _TOKEN.findall(text))


def _any_spelling(token: str) -> str:
    return "".join(
        f"[{_SPELLINGS[base]}]" if (base := fold(letter)) in _SPELLINGS else re.escape(letter)
        for letter in token
    )
