"""The records both sides handle: a company as we know it, and where each came from."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

from warehouse.contract import Outcome, RunResult

Share = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


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


class CompanyFacts(BaseModel):
    """What a capture says of a company. A fact that it does not state is None, a list empty."""

    model_config = ConfigDict(frozen=True)

    idno: str
    name: str
    legal_form: str | None = None
    status: CompanyStatus | None = None
    registered_on: date | None = None
    address: str | None = None
    founders: tuple[Party, ...] = ()
    administrators: tuple[Party, ...] = ()


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


class CompanyRecord(CompanyFacts):
    """A company's current record with its provenance."""

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
