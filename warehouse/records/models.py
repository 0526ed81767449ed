"""The records both sides handle: a company as we know it, and where each came from."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, PlainSerializer

from warehouse.contract import Outcome, RunResult
from warehouse.folding import fold

Share = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
Money = Annotated[Decimal, PlainSerializer(str, return_type=str, when_used="json")]
"""An amount in the currency named beside it; in JSON a string, for no digit of it may be lost."""


class CompanyStatus(StrEnum):
    """Whether the register holds the company as existing."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class PartyKind(StrEnum):
    """What a founder or administrator is."""

    PERSON = "person"
    COMPANY = "company"


class Relation(StrEnum):
    """What a party is to a company."""

    FOUNDER = "founder"
    ADMINISTRATOR = "administrator"


class Party(BaseModel):
    """A founder or administrator. `share` is in per cent; `source_id` is the source's stable id."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: PartyKind
    share: Share | None = None
    role: str | None = None
    idno: str | None = None
    source_id: str | None = None


class AddressParts(BaseModel):
    """An address in parts, as the source has them (`district` is its code of a sector or district)."""

    model_config = ConfigDict(frozen=True)

    postal_code: str | None = None
    city: str | None = None
    district: str | None = None
    street: str | None = None
    street_number: str | None = None
    apartment: str | None = None


class Cuatm(BaseModel):
    """A place in CUATM, the classifier of administrative units; `code` is its statistical code."""

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    name: str | None = None
    kind: str | None = None


class Activity(BaseModel):
    """A line of business. `code` is the source's number for it."""

    model_config = ConfigDict(frozen=True)

    name: str
    code: str | None = None


class StatementLine(NamedTuple):
    """A row of a financial statement: the form (5 to 8), the row's code in it, its label, its amount."""

    form: int
    row: str
    value: Decimal
    label: str | None = None


KEY_FIGURES: dict[str, tuple[int, str]] = {
    "revenue": (6, "010"),
    "cost_of_sales": (6, "020"),
    "gross_profit": (6, "030"),
    "net_profit": (6, "180"),
    "total_assets": (5, "430"),
    "equity": (5, "620"),
    "current_liabilities": (5, "820"),
    "cash": (5, "410"),
}
"""The rows that matter most, as (form, row). Source: openmoney's forms, 5 the balance sheet, 6 profit and loss."""

_EXPECTED_LABELS: dict[str, re.Pattern[str]] = {
    "revenue": re.compile(r"venituri(?:le)? din v[ai]nzari\W*(?:total)?"),
    "cost_of_sales": re.compile(r"costul v[ai]nzarilor\W*(?:total)?"),
    "gross_profit": re.compile(r"profit(?:ul)? brut\W*(?:\W*pierdere(?:a)? bruta)?"),
    "net_profit": re.compile(
        r"profit(?:ul)? net\W*(?:pierdere(?:a)? neta)?\W*(?:(?:al?|a) perioadei de gestiune)?"
    ),
    "total_assets": re.compile(r"total(?:ul)? active(?:lor)?"),
    "equity": re.compile(r"total(?:ul)? capital(?:ului)? propriu(?:lui)?"),
    "current_liabilities": re.compile(r"total(?:ul)? datorii(?:lor)? curente"),
    "cash": re.compile(r"numerar(?:ul)?(?: si documente(?:le)? banesti)?"),
}
"""What the rows are called, folded: another type of document may give a row's number to something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A year's financial statement as it was filed. Lines are in the order of (form, row), each once."""

    year: int
    currency: str = "MDL"
    document_type: str | None = None
    cuiio: str | None = None
    lines: tuple[StatementLine, ...] = ()

    def figures(self) -> dict[str, Decimal]:
        """Return the key figures that the statement holds, by name; no row that is called something else."""
        lines = {(line.form, line.row): line for line in self.lines}
        return {
            name: lines[code].value
            for name, code in KEY_FIGURES.items()
            if code in lines and _is_called(lines[code].label, name)
        }


@lru_cache(maxsize=1024)  # the forms' rows are the same for all
def _is_called(label: str | None, figure: str) -> bool:
    """Tell whether a row's label, if it has one, is that of a key figure."""
    return label is None or _EXPECTED_LABELS[figure].fullmatch(fold(label).strip(" .,:;")) is not None


class StatementFigures(BaseModel):
    """The key figures of a year's financial statement, in `currency`. One that was not filed is None."""

    model_config = ConfigDict(frozen=True)

    year: int
    currency: str
    document_type: str | None = None
    revenue: Money | None = None
    cost_of_sales: Money | None = None
    gross_profit: Money | None = None
    net_profit: Money | None = None
    total_assets: Money | None = None
    equity: Money | None = None
    current_liabilities: Money | None = None
    cash: Money | None = None


class CompanyProfile(BaseModel):
    """What is known of a company but its statements. A fact that is not stated is None, a list empty."""

    model_config = ConfigDict(frozen=True)

    idno: str
    name: str
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


class CompanyFacts(CompanyProfile):
    """What a capture says of a company, its statements line by line, the newest year first."""

    statements: tuple[Statement, ...] = ()


class Cause(StrEnum):
    """Why a record changed."""

    SOURCE = "source"
    """The source says something else: news."""
    PARSER = "parser"
    """We read the same capture otherwise: no news."""


class Change(BaseModel):
    """One change of a company's record, from one capture (as a version read it) to another.

    `field` is a field of the record, or `statements/{year}`; `old` and `new` are its values as JSON, None where
    there was none. Of a statement that changed they hold the differing rows only. `observed_at` is when the capture
    was made, `recorded_at` when the record changed.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    field: str
    old: Any
    new: Any
    cause: Cause
    observed_at: datetime
    recorded_at: datetime
    source_data_id: int
    transform_version: int
    previous_source_data_id: int
    previous_version: int


class QuarantineReason(StrEnum):
    """Why a good capture could not be transformed."""

    NOT_THIS_COMPANY = "not_this_company"
    EVIDENCE_DAMAGED = "evidence_damaged"
    EVIDENCE_REMOVED = "evidence_removed"
    NOT_READABLE = "not_readable"
    NOT_STORABLE = "not_storable"


class QuarantinedCapture(BaseModel):
    """A good capture that could not be transformed, and why."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    source_data_id: int
    idno: str
    reason: QuarantineReason
    detail: str
    raw_html_sha256: str
    transform_version: int
    tries: int
    first_tried_at: datetime
    last_tried_at: datetime


class FieldProvenance(BaseModel):
    """Where one field of a record was read: in which capture, by which reading, from what text."""

    model_config = ConfigDict(frozen=True)

    source_data_id: int
    reading: str
    raw: str | None = None


class Provenance(BaseModel):
    """Where a record's facts came from: the capture, and the transformation that read it."""

    model_config = ConfigDict(frozen=True)

    source_data_id: int
    url: str
    final_url: str | None
    status_code: int | None
    fetched_at: datetime
    raw_html_sha256: str
    run_id: str
    transform_version: int
    transformed_at: datetime


class CompanyRecord(CompanyProfile):
    """A company's current record with its provenance."""

    statements: tuple[StatementFigures, ...] = ()
    source: Provenance


class CompanyResult(BaseModel):
    """What a run came to for one of its companies: its result, and the capture that counts."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    run_id: str
    idno: str
    result: RunResult
    attempts: int
    deferred_until: datetime | None
    reason: str | None
    outcome: Outcome | None
    error: str | None
    is_transformed: bool
