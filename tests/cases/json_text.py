"""Replacement of single values in a JSON text; everything between them stays byte for byte the same."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Path = tuple[str, ...]
"""The keys that lead to a value, without list indexes."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}\[\],:]', re.DOTALL)


@dataclass(frozen=True)
class JsonValue:
    """A text, number or key of a JSON text, with its position; numbers as they are written."""

    path: Path
    text: str
    is_string: bool
    is_key: bool
    start: int
    end: int

    @property
    def key(self) -> str:
        """The key of the value or of the list that contains it; empty outside objects."""
        return self.path[-1] if self.path else ""


def values_in(text: str) -> Iterator[JsonValue]:
    """Yield the texts, numbers and keys of a JSON text, in order; a malformed text is read as far as possible."""
    containers: list[str] = []
    path: list[str | None] = []
    awaits_key = False
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[" as opened:
                containers.append(opened)
                path.append(None)
                awaits_key = opened == "{"
            case "}" | "]":
                if containers:
                    containers.pop()
                    path.pop()
                awaits_key = False
            case ",":
                awaits_key = bool(containers) and containers[-1] == "{"
            case ":":
                awaits_key = False
            case literal:
                value = _decoded(literal)
                if awaits_key:
                    path[-1] = value
                keys = tuple(key for key in path if key is not None)
                yield JsonValue(keys, value, literal[0] == '"', awaits_key, token.start(), token.end())


def replace_values(text: str, change: Callable[[JsonValue], str]) -> str:
    """Return a JSON text with each value and key replaced by the result of `change`."""
    pieces: list[str] = []
    last = 0
    for value in values_in(text):
        new = change(value)
        if new == value.text:
            continue
        literal = text[value.start : value.end]
        written = json.dumps(new, ensure_ascii=literal.isascii()) if value.is_string else new
        pieces += [text[last : value.start], written]
        last = value.end
    return "".join([*pieces, text[last:]])


def _decoded(literal: str) -> str:
    if literal[0] != '"':
        return literal
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return literal[1:-1]
