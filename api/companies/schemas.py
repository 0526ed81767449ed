"""Response bodies of the endpoints below /companies/, except the record itself."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from warehouse.records.history import CaptureReference, RecordedChange
from warehouse.records.models import CompanyStatus, Money, Provenance, StatementFigures, UnreadText


class CompanyFound(BaseModel):
    """A company in the result of a search by name."""

    model_config = ConfigDict(from_attributes=True)

    idno: str
    name: str
    legal_form: str | None
    status: CompanyStatus | None
    fetched_at: datetime = Field(description="Time of the capture from which its record was made")


class ChangePage(BaseModel):
    """Changes, newest first. `next` is the `before_id` of the next page; null on the last page."""

    changes: list[RecordedChange]
    next: int | None


class FieldSource(CaptureReference):
    """The provenance of a field: the capture, the reading with its rule, the original text, the transform version."""

    reading: str = Field(
        description="`html`: read from the rendered page; `json`: read from the data that the page fetched"
    )
    rule: str | None = Field(
        description="Where the reading found the text: a label, the heading, or a key of the JSON; null if unknown",
        examples=["label «Adresa»", "key companies.address.fullName"],
    )
    raw: str | None = Field(description="The original text in the capture")
    transform_version: int


class RecordProvenance(BaseModel):
    """The provenance of each field of a company's current record."""

    idno: str
    source: Provenance = Field(description="The capture from which the record as a whole was made")
    fields: dict[str, FieldSource] = Field(
        description="Provenance by field; a year's statement is the field `statements/{year}`. A field is left out if"
        " its record was made before provenance was recorded."
    )
    disagreements: dict[str, Any] = Field(
        description="Fields for which the HTML of the page and the JSON data differ, with both values"
    )
    remarks: dict[str, tuple[str, ...]] = Field(
        description="For each field, the parts of its text that the value does not contain, as the source writes them",
        examples=[{"status": ["radiată la 01.02.2024"]}],
    )
    unread: list[UnreadText] = Field(
        description="Texts of the newest capture in the place of a value that the parser did not understand. The value"
        " of such a field is missing, or comes from the other reading or an earlier capture"
    )
    incomplete_lists: tuple[str, ...] = Field(
        description="The lists of the record that contain only a part of what exists", examples=[["founders"]]
    )
    notes: list[str] = Field(description="Anomalies that the parser found in the capture")
    unknown: list[str] = Field(description="Content of the capture that the parser does not recognize")


class FiledFigures(StatementFigures):
    """The key figures of a year's statement, with the capture of its lines and the version that read them."""

    source_data_id: int
    transform_version: int


class CompanyStatements(BaseModel):
    """The key figures of a company's statements, newest year first. Amounts are in `currency`, as text."""

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
    """A year's financial statement as filed, sorted by form and row.

    `source` is the capture from which these lines were read. A later capture with the same lines does not replace it.
    """

    idno: str
    year: int
    currency: str
    document_type: str | None
    cuiio: str | None
    lines: list[Line]
    source: CaptureReference
    transform_version: int
