"""What one way of reading a capture found out about a company."""

from dataclasses import dataclass, field
from datetime import date

from warehouse.records import CompanyStatus, Party


@dataclass(frozen=True)
class Reading:
    """The facts of one reading. None (or an empty tuple) where it found nothing, or nothing certain.

    `notes` say why a fact that seemed to be there was not taken.
    """

    idno: str | None = None
    name: str | None = None
    legal_form: str | None = None
    status: CompanyStatus | None = None
    registered_on: date | None = None
    address: str | None = None
    founders: tuple[Party, ...] = ()
    administrators: tuple[Party, ...] = ()
    notes: tuple[str, ...] = field(default=())
