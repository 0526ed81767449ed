"""Stored captures made current: transformed, stored as records, written through to the cache."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Connection
from sqlalchemy.exc import DataError

from pipeline.companies import StoredCapture, store_company, transform_capture
from pipeline.transform.merge import NotThisCompany
from warehouse.contract import company_key
from warehouse.evidence import EvidenceDamaged
from warehouse.queries import load_record

Transaction = Callable[[], AbstractContextManager[Connection]]

TRANSFORMED = "transformed"
NOT_TRANSFORMED = "not transformed"
NEWER_IS_CURRENT = "a newer capture is current"
_LONGEST_NOTE = 300


@dataclass(frozen=True)
class Transformation:
    """What became of a capture that was to be transformed."""

    idno: str
    source_data_id: int
    result: str
    name: str = ""
    note: str = ""


def make_current(
    transaction: Transaction, cache: Redis, capture: StoredCapture, *, fresh_seconds: int
) -> Transformation:
    """Read a capture's evidence into the company's current record. What cannot be read is said, not raised."""
    try:
        with transaction() as connection:
            transformed = transform_capture(connection, capture)
            stored = store_company(connection, capture, transformed)
            record = load_record(connection, capture.idno)
    except (NotThisCompany, EvidenceDamaged) as reason:
        return Transformation(capture.idno, capture.source_data_id, NOT_TRANSFORMED, note=str(reason))
    except (ValueError, RecursionError, DataError) as error:  # a page the parser was not ready for
        note = f"{type(error).__name__}: {error}"[:_LONGEST_NOTE]
        return Transformation(capture.idno, capture.source_data_id, NOT_TRANSFORMED, note=note)
    if record is not None:
        cache.set(company_key(capture.idno), record.model_dump_json(), ex=fresh_seconds)
    notes = [*transformed.notes, *(f"readings disagree on {field}" for field in transformed.disagreements)]
    return Transformation(
        capture.idno,
        capture.source_data_id,
        TRANSFORMED if stored else NEWER_IS_CURRENT,
        transformed.facts.name,
        "; ".join(notes),
    )
