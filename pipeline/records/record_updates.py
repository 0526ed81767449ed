"""Transforms stored captures into companies' records. A capture that cannot be read is put into quarantine."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from redis import Redis
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from pipeline.records.capture_store import (
    CaptureContents,
    StoredCapture,
    delete_pending,
    earlier_captures,
    good_captures,
    load_contents,
)
from pipeline.records.quarantine import (
    Refusal,
    Tolerance,
    add_to_quarantine,
    quarantined,
    remove_from_quarantine,
)
from pipeline.records.record_store import (
    ChangeEntry,
    Head,
    RecordUpdate,
    facts_sha256,
    load_heads,
    store_records,
)
from pipeline.records.suppression import without_suppressed
from pipeline.records.warehouse_engine import Transaction
from pipeline.transform import version
from pipeline.transform.carry_forward import CaptureReading, ResolvedFacts, resolve_facts, states_all_fields
from pipeline.transform.merge import NotThisCompany, transform
from pipeline.transform.reading import Unread
from telemetry import traces
from warehouse.records.facts import load_facts
from warehouse.records.models import Cause, CompanyFacts, QuarantineReason
from warehouse.records.queries import load_record
from warehouse.records.record_cache import company_key, pack
from warehouse.records.record_diff import Difference, differences
from warehouse.records.redaction import load_suppressions
from warehouse.schema.advisory_locks import lock_companies

logger = logging.getLogger(__name__)


class TransformResult(StrEnum):
    """The result of an attempt to transform a capture."""

    TRANSFORMED = "transformed"
    NOT_TRANSFORMED = "not transformed"
    NEWER_IS_CURRENT = "a newer capture is current"
    NO_GOOD_CAPTURE = "no good capture"


@dataclass(frozen=True)
class Transformation:
    """The result for one capture.

    `note` says why the capture was not transformed or, if it was, on which fields its readings disagree. `changes`
    counts the changes of the record, and `source_changes` those of them whose cause is `source`.
    """

    idno: str
    source_data_id: int
    result: TransformResult
    name: str = ""
    note: str = ""
    changes: int = 0
    source_changes: int = 0
    unknown: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


def update_record(
    transaction: Transaction, cache: Redis, capture: StoredCapture, *, fresh_seconds: int
) -> Transformation:
    """Transform a capture into its company's record and write the record to the cache.

    If the capture cannot be read, raise no exception. The result then says why.
    """
    [done] = update_records(transaction, [capture])
    if done.result is not TransformResult.NOT_TRANSFORMED:
        with transaction() as connection:
            record = load_record(connection, capture.idno)
        if record is not None:
            with traces.span("cache", idno=capture.idno):
                cache.set(company_key(capture.idno), pack(record), ex=fresh_seconds)
    return done


def update_records(
    transaction: Transaction, captures: Sequence[StoredCapture], *, tolerance: Tolerance | None = None
) -> list[Transformation]:
    """Transform captures into their companies' records, in one transaction. Put captures that fail into quarantine.

    Args:
        transaction: Opens a transaction in the warehouse.
        captures: At most one capture of each company.
        tolerance: How many captures may fail; None for any number. Captures already in quarantine do not count.

    Raises:
        TooManyRefused: More captures failed than `tolerance` allows. Nothing is stored in this case.
    """
    with transaction() as connection:
        idnos = [capture.idno for capture in captures]
        lock_companies(connection, idnos)
        heads = load_heads(connection, idnos)
        outdated = [capture for capture in captures if _is_outdated(capture, heads.get(capture.idno))]
        todo = [capture for capture in captures if capture not in outdated]
        readings = _resolve(connection, todo)
        updates = _record_updates(connection, todo, heads, readings)
        refused = {key: reading for key, reading in readings.items() if isinstance(reading, Refusal)}
        refused |= _store(connection, updates)
        if tolerance is not None:
            _check_tolerance(connection, todo, refused, tolerance)
        _update_quarantine(connection, todo, refused)
        delete_pending(connection, captures)
    stored = {update.capture.source_data_id: update for update in updates}
    return [
        *(
            Transformation(capture.idno, capture.source_data_id, TransformResult.NEWER_IS_CURRENT)
            for capture in outdated
        ),
        *(_transformation(capture, readings[capture.source_data_id], refused, stored) for capture in todo),
    ]


def _is_outdated(capture: StoredCapture, head: Head | None) -> bool:
    return head is not None and head.fetched_at > capture.fetched_at


def _check_tolerance(
    connection: Connection,
    captures: Sequence[StoredCapture],
    refused: Mapping[int, Refusal],
    tolerance: Tolerance,
) -> None:
    known = quarantined(connection, captures)
    new = [refusal for source_data_id, refusal in refused.items() if source_data_id not in known]
    if new:
        tolerance.check(refused=len(new), tried=len(captures), example=new[-1].detail)


def _update_quarantine(
    connection: Connection, captures: Sequence[StoredCapture], refused: Mapping[int, Refusal]
) -> None:
    refusals = [
        (capture, refused[capture.source_data_id])
        for capture in captures
        if capture.source_data_id in refused
    ]
    add_to_quarantine(connection, refusals)
    remove_from_quarantine(
        connection, [capture for capture in captures if capture.source_data_id not in refused]
    )


def _resolve(connection: Connection, captures: Sequence[StoredCapture]) -> dict[int, ResolvedFacts | Refusal]:
    """Return, by `source_data_id`, the facts that each capture yields, or why the capture could not be read.

    Earlier captures supply the fields that a capture does not state.
    """
    readings = _read_all(connection, captures)
    incomplete = [
        capture
        for capture in captures
        if isinstance(reading := readings[capture.source_data_id], CaptureReading)
        and not states_all_fields(reading.transformed)
    ]
    earlier = earlier_captures(connection, incomplete)
    suppressed = load_suppressions(connection, [capture.idno for capture in captures])
    resolved = {
        source_data_id: reading
        if isinstance(reading, Refusal)
        else resolve_facts(reading, _read_earlier(connection, earlier.get(source_data_id, ())))
        for source_data_id, reading in readings.items()
    }
    return {
        source_data_id: without_suppressed(reading, suppressed[reading.facts.idno])
        if isinstance(reading, ResolvedFacts) and reading.facts.idno in suppressed
        else reading
        for source_data_id, reading in resolved.items()
    }


def _read_earlier(connection: Connection, captures: Sequence[StoredCapture]) -> list[CaptureReading]:
    readings = _read_all(connection, captures).values() if captures else ()
    return [reading for reading in readings if isinstance(reading, CaptureReading)]


def _read_all(
    connection: Connection, captures: Sequence[StoredCapture]
) -> dict[int, CaptureReading | Refusal]:
    """Return, by `source_data_id`, what was read from each capture alone, or why the capture could not be read."""
    contents = load_contents(connection, captures)
    return {capture.source_data_id: _read(capture, contents[capture.source_data_id]) for capture in captures}


def _read(capture: StoredCapture, contents: CaptureContents) -> CaptureReading | Refusal:
    if contents.damaged:
        return Refusal(QuarantineReason.EVIDENCE_DAMAGED, contents.damaged)
    if contents.removed:
        return Refusal(QuarantineReason.EVIDENCE_REMOVED, contents.removed)
    try:
        transformed = transform(
            idno=capture.idno,
            html=contents.html.decode("utf-8"),
            bodies=list(contents.bodies),
            fetched_at=capture.fetched_at,
            look=contents.look.decode("utf-8") if contents.look is not None else None,
        )
    except NotThisCompany as reason:
        return Refusal(QuarantineReason.NOT_THIS_COMPANY, str(reason))
    except Exception as error:  # a page that the parser does not expect must not stop all other captures
        about = {"idno": capture.idno, "source_data_id": capture.source_data_id}
        logger.exception("the parser failed on a capture", extra=about)
        return Refusal(QuarantineReason.NOT_READABLE, f"{type(error).__name__}: {error}")
    return CaptureReading(capture.source_data_id, transformed)


def _record_updates(
    connection: Connection,
    captures: Iterable[StoredCapture],
    heads: Mapping[str, Head],
    readings: Mapping[int, ResolvedFacts | Refusal],
) -> list[RecordUpdate]:
    """Return the records to store. Leave out a record that this version has already read from the same capture."""
    read = [
        (capture, reading, facts_sha256(reading.facts))
        for capture in captures
        if isinstance(reading := readings[capture.source_data_id], ResolvedFacts)
    ]
    changed = [
        capture.idno
        for capture, _, sha256 in read
        if capture.idno in heads and sha256 != heads[capture.idno].facts_sha256
    ]
    present = load_facts(connection, changed) if changed else {}
    reread = _reread(
        connection,
        [heads[idno] for idno in changed],
        excluded={capture.source_data_id for capture, _, _ in read},
    )
    updates = []
    for capture, resolved, sha256 in read:
        head, old = heads.get(capture.idno), present.get(capture.idno)
        if head is not None and old is None and _is_same(head, capture):
            continue
        found = tuple(differences(old, resolved.facts)) if old is not None else ()
        history = (
            tuple(_history(capture, resolved.facts, found, head, old, reread.get(head.source_data_id)))
            if head is not None and old is not None and found
            else ()
        )
        updates.append(RecordUpdate(capture, resolved, sha256, head is None, found, history))
    return updates


def _is_same(head: Head, capture: StoredCapture) -> bool:
    return (head.source_data_id, head.transform_version) == (
        capture.source_data_id,
        version.TRANSFORM_VERSION,
    )


def _reread(
    connection: Connection, heads: Iterable[Head], *, excluded: set[int]
) -> dict[int, ResolvedFacts | Refusal]:
    """Read the captures of present records again if an older transform version read them.

    The results show which changes were caused by the parser and which by the source.

    Args:
        connection: A connection to the warehouse.
        heads: The heads of records whose facts have changed.
        excluded: The `source_data_id`s of captures that this version has just read.
    """
    again = [
        head.source_data_id
        for head in heads
        if head.transform_version != version.TRANSFORM_VERSION and head.source_data_id not in excluded
    ]
    return _resolve(connection, good_captures(connection, again)) if again else {}


def _history(
    capture: StoredCapture,
    new: CompanyFacts,
    found: Sequence[Difference],
    head: Head,
    old: CompanyFacts,
    reread: ResolvedFacts | Refusal | None,
) -> Iterator[ChangeEntry]:
    """Yield the changes with their causes. Changes with the cause `parser` come before those with the cause `source`.

    Args:
        capture: The capture that the new record comes from.
        new: The facts of the new record.
        found: The differences between the present and the new record.
        head: The head of the present record.
        old: The facts of the present record.
        reread: What this transform version reads from the capture of the present record; None if that capture was not
            read again.
    """
    if not isinstance(reread, ResolvedFacts):
        # The source is the cause only if the same transform version read two different captures. If another version
        # read the older capture and it cannot be read again, the cause is unknown. Then the parser counts as the cause,
        # so that no change is attributed to the source that it may not have made.
        is_source = (
            head.transform_version == version.TRANSFORM_VERSION
            and capture.source_data_id != head.source_data_id
        )
        for difference in found:
            yield _entry(difference, Cause.SOURCE if is_source else Cause.PARSER, capture, head)
        return
    old_capture = StoredCapture(head.source_data_id, capture.idno, head.fetched_at, "")
    for difference in differences(old, reread.facts):
        yield _entry(difference, Cause.PARSER, old_capture, head)
    reread_head = Head(head.source_data_id, head.fetched_at, version.TRANSFORM_VERSION, None)
    for difference in differences(reread.facts, new):
        yield _entry(difference, Cause.SOURCE, capture, reread_head)


def _entry(difference: Difference, cause: Cause, capture: StoredCapture, head: Head) -> ChangeEntry:
    return ChangeEntry(
        difference, cause, capture, version.TRANSFORM_VERSION, head.source_data_id, head.transform_version
    )


def _store(connection: Connection, updates: Sequence[RecordUpdate]) -> dict[int, Refusal]:
    """Store records. If the database rejects some, store the others.

    Return the reason for each rejected record, by the `source_data_id` of its capture.
    """
    try:
        with connection.begin_nested():
            store_records(connection, updates)
    except (DataError, IntegrityError) as error:
        if len(updates) > 1:
            return {key: refusal for one in updates for key, refusal in _store(connection, [one]).items()}
        detail = str(error.orig).partition("\n")[0]
        return {updates[0].capture.source_data_id: Refusal(QuarantineReason.NOT_STORABLE, detail)}
    return {}


def _transformation(
    capture: StoredCapture,
    reading: ResolvedFacts | Refusal,
    refused: Mapping[int, Refusal],
    stored: Mapping[int, RecordUpdate],
) -> Transformation:
    idno, source_data_id = capture.idno, capture.source_data_id
    if refusal := refused.get(source_data_id):
        return Transformation(idno, source_data_id, TransformResult.NOT_TRANSFORMED, note=refusal.detail)
    assert isinstance(reading, ResolvedFacts)
    update = stored.get(source_data_id)
    notes = [*reading.notes, *(f"readings disagree on {field}" for field in reading.disagreements)]
    return Transformation(
        idno,
        source_data_id,
        TransformResult.TRANSFORMED,
        reading.facts.name,
        "; ".join(notes),
        changes=len(update.differences) if update else 0,
        source_changes=sum(entry.cause is Cause.SOURCE for entry in update.history) if update else 0,
        unknown=reading.unknown,
        unread=reading.unread,
    )
