"""What one way of reading a capture found out about a company."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from warehouse.records.models import Activity, AddressParts, CompanyStatus, Cuatm, Party, Statement


@dataclass(frozen=True)
class Reading:
    """The facts of one reading. None (or an empty tuple) where it found nothing, or nothing certain.

    `stated` names the fields of which the reading tells that they hold this, or nothing; `raw` is what stands in the
    capture for a field; `unknown` are keys or labels that nobody knows; `notes` say why a fact that seemed to be there
    was not taken. Two readings are equal that have the same facts and notes.
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
    unknown: tuple[str, ...] = field(default=(), compare=False)
    notes: tuple[str, ...] = ()
