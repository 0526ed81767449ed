"""The merge of a capture's two readings (HTML and JSON) into the facts of one company.

The HTML is what a person saw; the JSON is what the page was built from. For each field:

- Both readings have it and mean the same: the JSON's value is used. It is more precise (exact shares, ids, codes, all
  lines of a statement, no line wrapping).
- Both have it, but the values contradict each other: the JSON's value is used and the disagreement is recorded.
- Only one reading has it: that value is used.

The status and the date of registration are exceptions. If the readings contradict each other, or if the page has a text
about the status that is more than "active" and the JSON says "active", the field has no value, and both are recorded as
a disagreement: a company that is being closed must not look like an active one, and one of two dates is wrong.

Both readings must belong to the same company; otherwise `NotThisCompany` is raised.

A derived field is computed from another field: the name of a legal form from its code, the parts of an address from the
address. If the two readings contradict each other on that other field, the HTML's derived value is not used.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.transform.agreement import agree, as_json, is_empty, is_part, same_name
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.json.payloads import read_company, read_filed_statements
from pipeline.transform.json.values import parse_json
from pipeline.transform.reading import DERIVED_FROM, STATEMENTS, Reading, Unread
from pipeline.transform.vocabulary.placeholders import placeholder_reason
from warehouse.records.models import CompanyFacts, CompanyStatus
from warehouse.records.record_diff import FIELDS

_MERGED_FIELDS = (*FIELDS, STATEMENTS)
_RAW_LENGTH = 2000
_MAX_UNREAD = 100
"""Maximum number of unread texts that are kept. A note tells how many more there are."""
_STATUS = "status"
_EXACT = {_STATUS, "registered_on"}
"""Fields whose two values cannot differ only in precision: if they differ, one is wrong, and nothing says which."""


class NotThisCompany(ValueError):
    """Nothing proves that the capture shows the requested company, or it shows another. The message tells which."""


class ReadingKind(StrEnum):
    """The methods of reading a capture."""

    HTML = "html"
    JSON = "json"


@dataclass(frozen=True)
class ReadingSource:
    """The reading that a fact comes from, the raw text that it was read from, and where this text was found.

    `raw` is None for statements, because their source is a whole body. `rule` is None if the reader does not tell.
    """

    reading: str
    raw: str | None
    rule: str | None = None


@dataclass(frozen=True)
class Transformed:
    """A company's facts in one capture, with their provenance and the problems found.

    Attributes:
        facts: The merged facts.
        stated: The fields that the JSON states explicitly, even as absent. (The HTML is never taken to state absence.)
        sources: For each field, where it was read.
        disagreements: For each field on which the readings contradict each other, {html: value, json: value}.
        remarks: For each field, what its texts in both readings say besides the value.
        unread: The texts of both readings that were not understood, each once.
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


def transform(
    *,
    idno: str,
    html: str,
    bodies: list[bytes],
    fetched_at: datetime | None = None,
    look: str | None = None,
) -> Transformed:
    """Transform a capture of the company `idno`.

    Args:
        idno: The IDNO of the company.
        html: The captured page.
        bodies: The captured JSON bodies.
        fetched_at: When the capture was made (None: now). A date later than the next day is not plausible.
        look: What the browser recorded about the look of the page; None for captures without it.

    Raises:
        NotThisCompany: Nothing proves that the capture shows this company.
    """
    contents = [parse_json(body) for body in bodies]
    payload = read_company(contents, idno, fetched_at=fetched_at)
    known_name = payload.name if payload else None
    page = read_html(html, idno, known_name=known_name, fetched_at=fetched_at, look=look)
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
    _refute(merged, page, data)
    unknown = {f"{ReadingKind.HTML}: {label}" for label in page.unknown}
    unknown |= {f"{ReadingKind.JSON}: {key}" for key in data.unknown}
    unread, notes = _unread((*page.unread, *data.unread))
    return Transformed(
        facts=CompanyFacts(idno=idno, **merged.values),
        stated=data.stated,
        sources=merged.sources,
        disagreements=merged.disagreements,
        remarks=_remarks(page, data),
        unread=unread,
        incomplete=page.incomplete - data.stated | data.incomplete,
        unknown=tuple(sorted(unknown)),
        notes=(*page.notes, *data.notes, *notes),
    )


def _rule(reading: Reading, name: str) -> str | None:
    return reading.rules.get(DERIVED_FROM.get(name, name))


def _remarks(page: Reading, data: Reading) -> dict[str, tuple[str, ...]]:
    """Return the remarks of both readings by field, each once."""
    fields = sorted(page.remarks.keys() | data.remarks.keys())
    both = {field: (*page.remarks.get(field, ()), *data.remarks.get(field, ())) for field in fields}
    return {field: tuple(dict.fromkeys(map(_storable, texts))) for field, texts in both.items() if texts}


def _unread(texts: Iterable[Unread]) -> tuple[tuple[Unread, ...], tuple[str, ...]]:
    """Return the unread texts, each once and at most _MAX_UNREAD, and a note if there are more."""
    distinct = tuple(dict.fromkeys(replace(unread, text=_storable(unread.text)) for unread in texts))
    more = len(distinct) - _MAX_UNREAD
    return distinct[:_MAX_UNREAD], ((f"{more} more texts are unread",) if more > 0 else ())


def _storable(text: str) -> str:
    """Return a quoted text, shortened, without the characters that PostgreSQL cannot store."""
    return text[:_RAW_LENGTH].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _merge_field(merged: _Merged, name: str, page: Reading, data: Reading) -> None:
    html, json = getattr(page, name), getattr(data, name)
    if DERIVED_FROM.get(name) in merged.disagreements and is_empty(json):
        html = json  # the HTML's value was derived from a text that is not used
    kind, reading = (ReadingKind.HTML, page) if is_empty(json) else (ReadingKind.JSON, data)
    value = html if kind is ReadingKind.HTML else json
    merged.values[name] = value
    if not is_empty(value):
        raw = None if name == STATEMENTS else (reading.raw.get(name) or str(value))[:_RAW_LENGTH]
        merged.sources[name] = ReadingSource(kind, raw, _rule(reading, name))
    is_truncated = name in page.incomplete and name in data.stated
    if is_truncated and not is_empty(json) and is_part(html, json):
        return  # the page shows the beginning of the list
    if name in data.incomplete:
        return  # a part of a list does not contradict the list
    if not (is_empty(html) or is_empty(json) or agree(name, html, json)):
        merged.disagreements[name] = {
            ReadingKind.HTML.value: as_json(html),
            ReadingKind.JSON.value: as_json(json),
        }


def _refute(merged: _Merged, page: Reading, data: Reading) -> None:
    """Leave the status and the date of registration without a value if the page contradicts the JSON.

    The page says "Activă (în lichidare)", the JSON says true → no status
    The page says 05.06.2014, the JSON says 2014-05-06 → no date
    """
    if data.status is CompanyStatus.ACTIVE and (doubts := _doubts_of_status(page)):
        merged.disagreements[_STATUS] = {
            ReadingKind.HTML.value: doubts,
            ReadingKind.JSON.value: as_json(data.status),
        }
    for name in _EXACT & merged.disagreements.keys():
        merged.values[name] = None
        merged.sources.pop(name, None)


def _doubts_of_status(page: Reading) -> str | None:
    """Return the texts about the status that the page shows and that are not understood as "active" or "inactive"."""
    texts = [unread.text for unread in page.unread if unread.field == _STATUS]
    return " | ".join(text for text in texts if placeholder_reason(text) is None) or None


def _with_statements(payload: Reading | None, filed: Reading) -> Reading:
    if payload is None:
        return filed
    return replace(
        payload,
        statements=filed.statements,
        stated=payload.stated | filed.stated,
        rules={**payload.rules, **filed.rules},
        remarks={**payload.remarks, **filed.remarks},
        unread=(*payload.unread, *filed.unread),
        unknown=(*payload.unknown, *filed.unknown),
        notes=(*payload.notes, *filed.notes),
    )
