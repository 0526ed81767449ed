"""The result of reading one capture by one method (HTML or JSON)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from warehouse.records.models import Activity, AddressParts, CompanyStatus, Cuatm, Party, Statement

STATEMENTS = "statements"
"""The name of the field that contains the financial statements, in readings, facts and provenance."""
DERIVED_FROM = {"legal_form_name": "legal_form", "address_parts": "address"}
"""For each derived field, the field that it is derived from. Both have the same rule."""
STATEMENT_YEARS = range(1990, 2101)
"""The years that a statement can be for; a number outside this range is not read as a year."""
_QUOTED_CHARACTERS = 80


@dataclass(frozen=True)
class Unread:
    """A text that stands in the place of a field's value and was not understood, so that the field has no value.

    Attributes:
        field: The name of the field.
        text: The text, as the capture shows it.
        reason: Why it is not a value.
    """

    field: str
    text: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """The facts that one method (HTML or JSON) read from a capture.

    A field for which it read nothing certain is None or an empty tuple. Two readings are equal if they have the same
    facts and notes.

    Attributes:
        stated: The fields whose value the source states explicitly. An empty value of such a field means that the
            company has none, not that the field could not be read.
        raw: For each field, the text in the capture that it was read from.
        rules: For each field, where its text was found: a label, the heading, a key of the JSON.
        remarks: For each field, the parts of its text that are not the value but are understood, as written:
            "radiată la 01.02.2024" after a status.
        unread: The texts that stand in the place of a value and were not understood.
        incomplete: The lists (founders, administrators, activities) that the page itself shows to be truncated.
        unknown: Keys and labels that the reader does not know.
        notes: Other anomalies, such as labels with two different values.
    """

    idno: str | None = None
    name: str | None = None
    legal_form: str | None = None
    legal_form_name: str | None = None
    status: CompanyStatus | None = None
    registered_on: date | None = None
    address: str | None = None
    address_parts: AddressParts | None = None
    cuatm: Cuatm | None = None
    founders: tuple[Party, ...] = ()
    administrators: tuple[Party, ...] = ()
    licensed_activities: tuple[Activity, ...] = ()
    unlicensed_activities: tuple[Activity, ...] = ()
    statements: tuple[Statement, ...] = ()
    stated: frozenset[str] = field(default=frozenset(), compare=False)
    raw: Mapping[str, str] = field(default_factory=dict, compare=False)
    rules: Mapping[str, str] = field(default_factory=dict, compare=False)
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    incomplete: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = field(default=(), compare=False)
    notes: tuple[str, ...] = ()


def abbreviate(value: Any) -> str:
    """Return `repr(value)`, shortened to fit into a note."""
    text = repr(str(value) if isinstance(value, Decimal) else value)
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"
