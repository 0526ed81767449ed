"""The models of company records, changes, provenance and quarantine, which pipeline and API share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from warehouse.contract import Outcome, RunResult
from warehouse.folding import fold

Share = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
Money = Annotated[Decimal, PlainSerializer(str, return_type=str, when_used="json")]
"""An amount of money. JSON represents it as a string, so that no digit is lost."""


class CompanyStatus(StrEnum):
    """Whether the register lists the company as active."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class PartyKind(StrEnum):
    """The kind of a party: a person or a company."""

    PERSON = "person"
    COMPANY = "company"


class Relation(StrEnum):
    """The relation of a party to the company."""

    FOUNDER = "founder"
    ADMINISTRATOR = "administrator"


class Party(BaseModel):
    """A founder or administrator.

    `share` is in per cent. `remark` is what the source says about the party besides the other fields, as written: a
    range of shares, a contributed amount, a date. `source_id` is the party's id at the source; a person's id is a hash
    of the name, so namesakes have the same id.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: PartyKind
    share: Share | None = None
    role: str | None = None
    idno: str | None = None
    source_id: str | None = None
    remark: str | None = None


class AddressParts(BaseModel):
    """The parts of an address, as the source has them. `district` is the source's code of a sector or district."""

    model_config = ConfigDict(frozen=True)

    postal_code: str | None = None
    city: str | None = None
    district: str | None = None
    street: str | None = None
    street_number: str | None = None
    apartment: str | None = None


class Cuatm(BaseModel):
    """A unit of CUATM, the classification of administrative units. `code` is its statistical code."""

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    name: str | None = None
    kind: str | None = None


class Activity(BaseModel):
    """A line of business. `code` is its number at the source."""

    model_config = ConfigDict(frozen=True)

    name: str
    code: str | None = None


class StatementLine(NamedTuple):
    """A line of a financial statement: the form (5 to 8), the row code in that form, the amount and the label."""

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
"""The key figures, as (form, row) in openmoney's forms: 5 is the balance sheet, 6 is profit and loss."""

KEY_FIGURE_LABELS: dict[str, str] = {
    "revenue": "Venituri din vânzări",
    "cost_of_sales": "Costul vânzărilor",
    "gross_profit": "Profit brut (pierdere brută)",
    "net_profit": "Profit net (pierdere netă)",
    "total_assets": "Total active",
    "equity": "Total capital propriu",
    "current_liabilities": "Total datorii curente",
    "cash": "Numerar și documente bănești",
}
"""The labels of the key figures on the forms. A line that was read from a page has the label of its form."""
_FULL_FORMS = frozenset({"rsf1"})
"""The document types whose row numbers are those of `KEY_FIGURES`. Abbreviated forms number their rows differently."""

_EXPECTED_LABELS: dict[str, re.Pattern[str]] = {
    "revenue": re.compile(r"venituri(?:le)? din v[ai]nzari\W*(?:total)?"),
    "cost_of_sales": re.compile(r"costul v[ai]nzarilor\W*(?:total)?"),
    "gross_profit": re.compile(r"profit(?:ul)? brut\W*(?:pierdere(?:a)? bruta)?\W*"),
    "net_profit": re.compile(
        r"profit(?:ul)? net\W*(?:pierdere(?:a)? neta)?\W*(?:(?:al?|a) perioadei de gestiune)?"
    ),
    "total_assets": re.compile(r"total(?:ul)? active(?:lor)?"),
    "equity": re.compile(r"total(?:ul)? capital(?:ului)? propriu(?:lui)?"),
    "current_liabilities": re.compile(r"total(?:ul)? datorii(?:lor)? curente"),
    "cash": re.compile(r"numerar(?:ul)?(?: si documente(?:le)? banesti)?"),
}
"""The folded labels of the key figures. They are checked, because a document of another type may use the same row
code for another figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The financial statement of a year, as filed. Its lines are unique and ordered by (form, row)."""

    year: int
    currency: str = "MDL"
    document_type: str | None = None
    cuiio: str | None = None
    lines: tuple[StatementLine, ...] = ()

    def figures(self) -> dict[str, Decimal]:
        """Return the statement's key figures by name.

        A key figure is found by the label of its line. A line without a label counts only if the document type is known
        to number its rows as `KEY_FIGURES` does.
        """
        by_form: dict[int, list[StatementLine]] = {}
        for line in self.lines:
            by_form.setdefault(line.form, []).append(line)
        found = (
            (name, self._figure(name, by_form.get(form, ()), row))
            for name, (form, row) in KEY_FIGURES.items()
        )
        return {name: value for name, value in found if value is not None}

    def _figure(self, name: str, lines: Sequence[StatementLine], row: str) -> Decimal | None:
        labelled = {line.value for line in lines if line.label and _is_label_of(line.label, name)}
        if labelled:
            return labelled.pop() if len(labelled) == 1 else None
        is_full = (self.document_type or "").casefold() in _FULL_FORMS
        return next((line.value for line in lines if is_full and line.row == row and not line.label), None)


@lru_cache(maxsize=1024)  # most statements have the same labels
def _is_label_of(label: str, figure: str) -> bool:
    """Return whether a label is that of a key figure."""
    return _EXPECTED_LABELS[figure].fullmatch(fold(label).strip(" .,:;")) is not None


class StatementFigures(BaseModel):
    """The key figures of a year's financial statement, in `currency`. A figure that was not filed is None."""

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
    """The facts of a company without its statements. A fact that the source does not state is None or an empty list.

    `remarks` and `incomplete_lists` are not facts of their own: they limit what the other fields say.
    """

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
    remarks: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="For each field, the parts of its text that the value does not contain, as the source writes them."
        " A field can have remarks without a value",
        examples=[{"status": ["radiată la 01.02.2024"]}],
    )
    incomplete_lists: tuple[str, ...] = Field(
        default=(),
        description="The lists that contain only a part of what exists: the page shows a truncated list, or the"
        " register does not publish it (the founders of a joint-stock company)",
        examples=[["founders"]],
    )


LIMITS = ("remarks", "incomplete_lists")
"""The fields of CompanyProfile that limit what the other fields say."""


class CompanyFacts(CompanyProfile):
    """All facts of a company. Its statements are complete, newest year first."""

    statements: tuple[Statement, ...] = ()


class Cause(StrEnum):
    """The cause of a change."""

    SOURCE = "source"
    """The source states something else."""
    PARSER = "parser"
    """A newer transform version reads the same capture differently. The source has not changed."""


class Change(BaseModel):
    """A change of one field of a company's record, between two captures or two transform versions.

    `field` is a field of the record, or `statements/{year}`. `old` and `new` are the field's values as JSON, or None if
    there was none. For a changed statement they hold only the lines that differ. `observed_at` is the time of the
    capture, `recorded_at` the time when the record changed.
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
    """The reason why a good capture could not be transformed."""

    NOT_THIS_COMPANY = "not_this_company"
    EVIDENCE_DAMAGED = "evidence_damaged"
    EVIDENCE_REMOVED = "evidence_removed"
    NOT_READABLE = "not_readable"
    NOT_STORABLE = "not_storable"


class QuarantinedCapture(BaseModel):
    """A good capture that could not be transformed, with the reason."""

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
    """The provenance of one field: its capture, the method that read it (`reading`), and the source text (`raw`).

    `rule` tells where in the capture the method found the text: a label, the heading, a key of the JSON.
    """

    model_config = ConfigDict(frozen=True)

    source_data_id: int
    reading: str
    raw: str | None = None
    rule: str | None = None


class UnreadText(BaseModel):
    """A text in the place of a field's value that was not understood, so that it is not in the record."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="The field", examples=["address"])
    text: str = Field(description="The text in the capture", examples=["Conectați-vă pentru a vedea adresa"])
    reason: str = Field(description="Why the text is not a value of the field", examples=["a placeholder"])


class Provenance(BaseModel):
    """The provenance of a record: its capture, and the transformation that read it."""

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
    """The result of a run for one of its companies.

    `outcome` and `error` belong to the capture that the result names. `is_transformed` tells whether the company's
    record was read from that capture or a newer one.
    """

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
