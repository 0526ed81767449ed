"""The merge of a capture's two readings (HTML and JSON) into the facts of one company.

The HTML is what a person saw; the JSON is what the page was built from. For each field:

- Both readings have it and mean the same: the JSON's value is used. It is more precise (exact shares, ids, codes, all
  lines of a statement, no line wrapping).
- Both have it, but the values contradict each other: the JSON's value is used and the disagreement is recorded.
- Only one reading has it: that value is used.

Both readings must belong to the same company; otherwise `NotThisCompany` is raised.

A derived field is computed from another field: the name of a legal form from its code, the parts of an address from the
address. If the two readings contradict each other on that other field, the HTML's derived value is not used.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from pipeline.transform.agreement import agree, as_json, is_empty, same_name
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_company, read_filed_statements
from pipeline.transform.json.values import parse_json
from pipeline.transform.reading import STATEMENTS, Reading, Unread
from warehouse.records.models import CompanyFacts

_MERGED_FIELDS = tuple(name for name in CompanyFacts.model_fields if name != "idno")
DERIVED_FROM = {"legal_form_name": "legal_form", "address_parts": "address"}
"""For each derived field, the field that it is derived from."""
_RAW_LENGTH = 2000


class NotThisCompany(ValueError):
    """Nothing proves that the capture shows the requested company, or it shows another. The message tells which."""


class ReadingKind(StrEnum):
    """The methods of reading a capture."""

    HTML = "html"
    JSON = "json"


@dataclass(frozen=True)
class ReadingSource:
    """The reading that a fact comes from, and the raw text that it was read from.

    `raw` is None for statements, because their source is a whole body.
    """

    reading: str
    raw: str | None


@dataclass(frozen=True)
class Transformed:
    """A company's facts in one capture, with their provenance and the problems found.

    Attributes:
        facts: The merged facts.
        stated: The fields that the JSON states explicitly, even as absent. (The HTML is never taken to state absence.)
        sources: For each field, where it was read.
        disagreements: For each field on which the readings contradict each other, {html: value, json: value}.
        remarks: For each field, what its text says besides the value.
        unread: The texts of both readings that were not understood.
        incomplete: The lists that the page shows to be truncated and that the JSON does not state.
        unknown: Labels of the page and keys of the JSON that the readers do not know.
        notes: Other anomalies.
    """

    facts: CompanyFacts
    stated: frozenset[str]
    sources: dict[str, ReadingSource]
    disagreements: dict[str, Any]
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    incomplete: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Merged:
    """The result of the merge so far."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, ReadingSource] = field(default_factory=dict)
    disagreements: dict[str, Any] = field(default_factory=dict)


def transform(*, idno: str, html: str, bodies: list[bytes]) -> Transformed:
    """Transform a capture of the company `idno`; `bodies` are the captured JSON bodies.

    Raise NotThisCompany if nothing proves that the capture shows this company.
    """
    contents = [parse_json(body) for body in bodies]
    page, payload = read_html(html, idno), read_company(contents, idno)
    check_company(idno, page, payload)
    return merge(idno, page, _with_statements(payload, read_filed_statements(contents, idno)))


def check_company(idno: str, page: Reading, payload: Reading | None) -> None:
    """Raise NotThisCompany unless a capture belongs to the company `idno`.

    The page or its payload must show the IDNO, and both must show the same company.
    """
    if page.idno is not None and page.idno != idno:
        raise NotThisCompany(f"the page shows the company {page.idno}")
    if page.name is None:
        raise NotThisCompany("the page shows no company name")
    if payload is None:
        if page.idno is None:
            raise NotThisCompany("neither the page nor its JSON contains the IDNO")
    elif not same_name(page.name, payload.name):
        raise NotThisCompany(f"the page shows {page.name!r}, but its JSON belongs to {payload.name!r}")


def merge(idno: str, page: Reading, payload: Reading | None) -> Transformed:
    """Merge two readings of the same company by the rules in this module's docstring."""
    data = payload or Reading()
    merged = _Merged()
    for name in _MERGED_FIELDS:
        _merge_field(merged, name, page, data)
    unknown = {f"{ReadingKind.HTML}: {label}" for label in page.unknown}
    unknown |= {f"{ReadingKind.JSON}: {key}" for key in data.unknown}
    return Transformed(
        facts=CompanyFacts(idno=idno, **merged.values),
        stated=data.stated,
        sources=merged.sources,
        disagreements=merged.disagreements,
        remarks={**page.remarks, **data.remarks},
        unread=(*page.unread, *data.unread),
        incomplete=(page.incomplete - data.stated) | data.incomplete,
        unknown=tuple(sorted(unknown)),
        notes=(*page.notes, *data.notes),
    )


def _merge_field(merged: _Merged, name: str, page: Reading, data: Reading) -> None:
    html, json = getattr(page, name), getattr(data, name)
    if DERIVED_FROM.get(name) in merged.disagreements and is_empty(json):
        html = json  # the HTML's value was derived from a text that is not used
    kind, reading = (ReadingKind.HTML, page) if is_empty(json) else (ReadingKind.JSON, data)
    value = html if kind is ReadingKind.HTML else json
    merged.values[name] = value
    if not is_empty(value):
        raw = None if name == STATEMENTS else (reading.raw.get(name) or str(value))[:_RAW_LENGTH]
        merged.sources[name] = ReadingSource(kind, raw)
    if name in page.incomplete | data.incomplete:
        return  # a part of a list does not contradict the list
    if not (is_empty(html) or is_empty(json) or agree(name, html, json)):
        merged.disagreements[name] = {
            ReadingKind.HTML.value: as_json(html),
            ReadingKind.JSON.value: as_json(json),
        }


def _with_statements(payload: Reading | None, filed: Reading) -> Reading:
    if payload is None:
        return filed
    return replace(
        payload,
        statements=filed.statements,
        stated=payload.stated | filed.stated,
        unread=(*payload.unread, *filed.unread),
        unknown=(*payload.unknown, *filed.unknown),
        notes=(*payload.notes, *filed.notes),
    )
