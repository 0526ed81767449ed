"""JSON changed value by value, byte for byte the same in between."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Path = tuple[str, ...]
"""The keys that lead to a value; lists add nothing."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}\[\],:]', re.DOTALL)


@dataclass(frozen=True)
class Value:
    """A text, or a number as it is written, in JSON: where it stands, and whether it is a key."""

    path: Path
    text: str
    is_string: bool
    is_key: bool
    start: int
    end: int

    @property
    def key(self) -> str:
        """The key that it stands at, or in a list at; none of a body that is no object."""
        return self.path[-1] if self.path else ""


def values_in(text: str) -> Iterator[Value]:
    """Yield the texts, numbers and keys of a JSON text in order; what is broken is read as far as it goes."""
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
                yield Value(keys, value, literal[0] == '"', awaits_key, token.start(), token.end())


def changed(text: str, change: Callable[[Value], str]) -> str:
    """Return a JSON text with its values and keys changed."""
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
