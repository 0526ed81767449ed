"""What is answered about companies besides their records."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from warehouse.records.history import CaptureReference, RecordedChange
from warehouse.records.models import CompanyStatus, Money, Provenance, StatementFigures


class CompanyFound(BaseModel):
    """A company that was looked for by its name."""

    model_config = ConfigDict(from_attributes=True)

    idno: str
    name: str
    legal_form: str | None
    status: CompanyStatus | None
    fetched_at: datetime = Field(description="When the capture was made that its record comes from")


class ChangePage(BaseModel):
    """Changes, the newest first; `next` is the `before_id` with which the older ones go on, null at the end."""

    changes: list[RecordedChange]
    next: int | None


class FieldSource(CaptureReference):
    """Where a field was read: the capture, the reading of it, the text as it stood there, and our version."""

    reading: str = Field(description="`html`: the rendered page; `json`: the data that the page fetched")
    raw: str | None = Field(description="The text that it was read from, as it stands in the capture")
    transform_version: int


class RecordProvenance(BaseModel):
    """Where each field of a company's current record was read."""

    idno: str
    source: Provenance = Field(description="The capture that the record as a whole comes from")
    fields: dict[str, FieldSource] = Field(
        description="By field; a year's statement is `statements/{year}`. A field of which this is not recorded (its"
        " record was made before that was) is left out."
    )
    disagreements: dict[str, Any] = Field(
        description="Fields that the page and its data state differently, with what each says"
    )
    notes: list[str] = Field(description="What was odd in reading the capture")
    unknown: list[str] = Field(description="What the capture holds that we do not know how to read")


class FiledFigures(StatementFigures):
    """The key figures of a year's statement, and what its lines were read from."""

    source_data_id: int
    transform_version: int


class CompanyStatements(BaseModel):
    """The key figures of a company's statements, the newest year first. Amounts are in `currency`, as text."""

    idno: str
    statements: list[FiledFigures]


class Line(BaseModel):
    """A row of a financial statement. Forms: 5 balance sheet, 6 profit and loss, 7 equity, 8 cash flow."""

    model_config = ConfigDict(from_attributes=True)

    form: int
    row: str
    label: str | None
    value: Money


class FiledStatement(BaseModel):
    """A year's financial statement as it was filed, row by row, in the order of form and row.

    `source` is the capture that these lines came from; later ones that say the same do not replace it.
    """

    idno: str
    year: int
    currency: str
    document_type: str | None
    cuiio: str | None
    lines: list[Line]
    source: CaptureReference
    transform_version: int
