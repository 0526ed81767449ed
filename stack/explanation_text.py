"""The text that `registru explain` prints: one block for each field, at most 100 columns wide."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.explanation import Explanation, FieldExplanation
from stack.printable import printable

WIDTH = 100
_MAX_TEXT = 400
"""Maximum number of characters of a quoted text that are shown."""
_Line = tuple[str, str]
"""A line of the output: a name for the left column, and a text for the right one."""


def text_of(explanation: Explanation) -> str:
    """Return an explanation as text, without control characters."""
    source = explanation.source
    head = [
        ("company", explanation.idno),
        (
            "capture",
            f"{source.source_data_id}, fetched at {source.fetched_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        ),
        ("page", source.final_url or source.url),
        ("version", f"transform version {source.transform_version}"),
    ]
    anomalies = [
        *(("note", note) for note in explanation.notes),
        *(("unknown", unknown) for unknown in explanation.unknown),
    ]
    blocks = [head, *(list(_field_lines(field)) for field in explanation.fields), anomalies]
    return "\n\n".join(_block(lines) for lines in blocks if lines)


def _block(lines: Iterable[_Line]) -> str:
    """Lay out lines in two columns, and wrap the right one."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=24, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in lines:
        grid.add_row(Text(printable(name)), Text(printable(text)))
    console = Console(file=StringIO(), width=WIDTH, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _field_lines(field: FieldExplanation) -> Iterator[_Line]:
    values = list(_values(field.field, field.value))
    yield field.field, values[0] if values else "(none)"
    yield from (("", value) for value in values[1:])
    if source := field.source:
        yield "  rule", f"{source.reading}: {source.rule or 'not recorded'}"
        if source.raw is not None:
            yield "  text", _quoted(source.raw)
        if field.is_earlier:
            yield "  from", f"the earlier capture {source.source_data_id} of {source.fetched_at:%Y-%m-%d}"
    yield from (("  remark", _quoted(remark)) for remark in field.remarks)
    yield from (("  unread", f"{_quoted(unread.text)}: {unread.reason}") for unread in field.unread)
    if field.is_incomplete:
        yield "  incomplete", "the list contains only a part of what exists"
    if isinstance(field.disagreement, Mapping):
        for reading, value in field.disagreement.items():
            yield "  disagreement", f"{reading}: {_quoted(_as_text(value))}"


def _quoted(text: str) -> str:
    if len(text) <= _MAX_TEXT:
        return f"«{text}»"
    return f"«{text[:_MAX_TEXT]}…» ({len(text)} characters; --json prints all)"


def _values(field: str, value: Any) -> Iterator[str]:
    """Yield the lines that show the value of a field; none if there is no value."""
    if isinstance(value, list):
        yield from (_entry(entry) for entry in value)
    elif isinstance(value, Mapping):
        yield ", ".join(f"{name} {_as_text(part)}" for name, part in value.items() if part is not None)
    elif value is not None:
        yield _as_text(value)


def _entry(entry: Mapping[str, Any]) -> str:
    """Return a party or an activity as one line.

    {"name": "MODELEANU ION", "kind": "person", "share": 50.0, "idno": None} → "MODELEANU ION; kind person; share 50.0"
    """
    others = (
        f"{name} {_as_text(value)}" for name, value in entry.items() if name != "name" and value is not None
    )
    return "; ".join((str(entry["name"]), *others))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
