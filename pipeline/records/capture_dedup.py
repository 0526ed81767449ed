"""Deduplication: a capture does not store again what an earlier capture of the same company has stored.

If a company's data has not changed, the page's requests get the same answers: the same bodies from the same URLs, with
headers that differ in a date or a number. The row of the new capture then names the earlier capture and contains only
the headers that differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from warehouse.contract import Outcome
from warehouse.evidence import CaptureEvidence, PayloadEvidence
from warehouse.schema.tables import source_data, source_payloads

Headers = dict[str, Any]


@dataclass(frozen=True)
class SameAnswers:
    """The first capture with the same answers, and the headers of the new capture that differ from it.

    `changed_headers` contains first the headers of the document that differ, then those of each payload.
    """

    same_as: int
    changed_headers: list[Headers]


@dataclass(frozen=True)
class _FirstCapture:
    id: int
    response_headers: Headers | None


def find_same_answers(connection: Connection, evidence: CaptureEvidence) -> SameAnswers | None:
    """Compare a new capture with the company's newest good one.

    Return None if the answers differ, if the company has no good capture, if the new capture is not good, or if it has
    no payloads.
    """
    if evidence.outcome is not Outcome.OK or not evidence.payloads:
        return None
    first = _first_of_newest(connection, evidence.idno)
    if first is None:
        return None
    stored = _payloads(connection, first.id)
    if [_answer(payload) for payload in stored] != [_answer(payload) for payload in evidence.payloads]:
        return None
    pairs = [
        (first.response_headers, evidence.response_headers),
        *(
            (old.response_headers, new.response_headers)
            for old, new in zip(stored, evidence.payloads, strict=True)
        ),
    ]
    changed = [_changed(old, new) for old, new in pairs]
    comparable = [headers for headers in changed if headers is not None]
    return SameAnswers(first.id, comparable) if len(comparable) == len(changed) else None


def _first_of_newest(connection: Connection, idno: str) -> _FirstCapture | None:
    """Return the earlier capture that the company's newest good capture names as the one with the same answers.

    If it names none, return the newest good capture itself. If there is no good capture, return None.
    """
    newest = (
        select(func.coalesce(source_data.c.same_as, source_data.c.id))
        .where(source_data.c.idno == idno, source_data.c.outcome == Outcome.OK)
        .order_by(source_data.c.id.desc())
        .limit(1)
    )
    query = select(source_data.c.id, source_data.c.response_headers).where(
        source_data.c.id == newest.scalar_subquery()
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _FirstCapture(row.id, row.response_headers)


def _payloads(connection: Connection, source_data_id: int) -> Sequence[PayloadEvidence]:
    query = (
        select(source_payloads)
        .where(source_payloads.c.source_data_id == source_data_id)
        .order_by(source_payloads.c.position)
    )
    return [
        PayloadEvidence(**{field: row[field] for field in PayloadEvidence.model_fields})
        for row in connection.execute(query).mappings()
    ]


def _answer(payload: PayloadEvidence) -> tuple[int, str, int | None, str | None]:
    return payload.position, payload.url, payload.status_code, payload.sha256


def _changed(old: Headers | None, new: Headers | None) -> Headers | None:
    """Return the headers in `new` whose values differ. Return None if `old` and `new` have different header names."""
    if not isinstance(old, dict) or not isinstance(new, dict) or old.keys() != new.keys():
        return None
    return {name: value for name, value in new.items() if value != old[name]}
