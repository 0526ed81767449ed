"""Two readings of one capture become the facts of one company.

The rule: the HTML is what a person was shown, the JSON is what the page was made from. Where both state a
fact and mean the same, the JSON's writing is taken (it is the more precise: whole shares, ids, codes, all the lines
of a statement, no wrapping). Where they contradict each other, the JSON's is taken and the disagreement recorded.
Where one is silent, the other speaks. On who the company is they must agree, or there are no facts.

What is only another writing of a fact (a legal form's name, the parts of an address) comes from the reading that the
fact comes from, or from one that means the same.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from pipeline.transform.agreement import agree, is_silent, plain, same_name
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_company, read_filed
from pipeline.transform.json.values import parse_json
from pipeline.transform.reading import Reading
from warehouse.records.models import CompanyFacts

_STATEMENTS = "statements"
_FIELDS = tuple(name for name in CompanyFacts.model_fields if name != "idno")
FOLLOWS = {"legal_form_name": "legal_form", "address_parts": "address"}
"""Fields that are another writing of the one named."""
_RAW_LENGTH = 2000


class NotThisCompany(ValueError):
    """The capture does not prove to be the page of this company; the message says what is missing."""


class ReadingKind(StrEnum):
    """The ways to read a capture."""

    HTML = "html"
    JSON = "json"


@dataclass(frozen=True)
class ReadingSource:
    """Where a fact was read, and the text that stands there (None for statements: it is a whole body)."""

    reading: str
    raw: str | None


@dataclass(frozen=True)
class Transformed:
    """A company's facts and all that is to be told of them.

    `stated` names the fields of which the JSON tells something, be it that there is nothing (the HTML never tells
    that); `sources` says where each fact was read; `disagreements` where the readings contradict each other, as
    field → {html, json}; `unknown` the keys and labels that nobody knows; `notes` why a fact was not taken.
    """

    facts: CompanyFacts
    stated: frozenset[str]
    sources: dict[str, ReadingSource]
    disagreements: dict[str, Any]
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Merged:
    """What has been taken so far."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, ReadingSource] = field(default_factory=dict)
    disagreements: dict[str, Any] = field(default_factory=dict)


def transform(*, idno: str, html: str, bodies: list[bytes]) -> Transformed:
    """Read a capture of the company `idno`. Raises NotThisCompany if it is not proved to be its page."""
    contents = [parse_json(body) for body in bodies]
    page, payload = read_html(html, idno), read_company(contents, idno)
    prove(idno, page, payload)
    return merge(idno, page, _with_filed(payload, read_filed(contents, idno)))


def prove(idno: str, page: Reading, payload: Reading | None) -> None:
    """Raise NotThisCompany unless the page, or the data it got, is this company's and both agree."""
    if page.idno is not None and page.idno != idno:
        raise NotThisCompany(f"the page shows the company {page.idno}")
    if page.name is None:
        raise NotThisCompany("the page shows no company's name")
    if payload is None:
        if page.idno is None:
            raise NotThisCompany("neither the page nor its data shows the IDNO")
    elif not same_name(page.name, payload.name):
        raise NotThisCompany(f"the page shows {page.name!r}, its data is of {payload.name!r}")


def merge(idno: str, page: Reading, payload: Reading | None) -> Transformed:
    """Merge two readings that agree on the company, by the rule at the head of this module."""
    data = payload or Reading()
    merged = _Merged()
    for name in _FIELDS:
        _take(merged, name, page, data)
    unknown = {f"{ReadingKind.HTML}: {label}" for label in page.unknown}
    unknown |= {f"{ReadingKind.JSON}: {key}" for key in data.unknown}
    return Transformed(
        facts=CompanyFacts(idno=idno, **merged.values),
        stated=data.stated,
        sources=merged.sources,
        disagreements=merged.disagreements,
        unknown=tuple(sorted(unknown)),
        notes=(*page.notes, *data.notes),
    )


def _take(merged: _Merged, name: str, page: Reading, data: Reading) -> None:
    html, json = getattr(page, name), getattr(data, name)
    if FOLLOWS.get(name) in merged.disagreements and is_silent(json):
        html = json  # the page's belongs to what was not taken
    kind, reading = (ReadingKind.HTML, page) if is_silent(json) else (ReadingKind.JSON, data)
    value = html if kind is ReadingKind.HTML else json
    merged.values[name] = value
    if not is_silent(value):
        raw = None if name == _STATEMENTS else (reading.raw.get(name) or str(value))[:_RAW_LENGTH]
        merged.sources[name] = ReadingSource(kind, raw)
    if not (is_silent(html) or is_silent(json) or agree(name, html, json)):
        merged.disagreements[name] = {
            ReadingKind.HTML.value: plain(html),
            ReadingKind.JSON.value: plain(json),
        }


def _with_filed(payload: Reading | None, filed: Reading) -> Reading:
    if payload is None:
        return filed
    return replace(
        payload,
        statements=filed.statements,
        stated=payload.stated | filed.stated,
        unknown=(*payload.unknown, *filed.unknown),
        notes=(*payload.notes, *filed.notes),
    )
