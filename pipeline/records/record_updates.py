"""Stored captures made current: read, stored as records with their history, or set aside with the reason."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

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
from pipeline.records.quarantine import Refusal, Tolerance, known_refusals, release, set_aside
from pipeline.records.record_store import (
    Head,
    NewRecord,
    Recorded,
    facts_sha256,
    load_heads,
    store_records,
)
from pipeline.records.suppression import without_suppressed
from pipeline.transform import version
from pipeline.transform.carry_forward import CaptureReading, ResolvedFacts, resolve_facts, states_all_fields
from pipeline.transform.merge import NotThisCompany, transform
from telemetry import traces
from warehouse.records.facts import load_facts
from warehouse.records.models import Cause, CompanyFacts, QuarantineReason
from warehouse.records.queries import load_record
from warehouse.records.record_cache import company_key, pack
from warehouse.records.record_diff import Difference, differences
from warehouse.records.redaction import load_suppressions
from warehouse.schema.advisory_locks import lock_companies

Transaction = Callable[[], AbstractContextManager[Connection]]

TRANSFORMED = "transformed"
NOT_TRANSFORMED = "not transformed"
NEWER_IS_CURRENT = "a newer capture is current"


@dataclass(frozen=True)
class Transformation:
    """What became of a capture that was to be transformed. `note`: why not, or what its reading came across."""

    idno: str
    source_data_id: int
    result: str
    name: str = ""
    note: str = ""
    changes: int = 0
    news: int = 0
    unknown: tuple[str, ...] = ()


def make_current(
    transaction: Transaction, cache: Redis, capture: StoredCapture, *, fresh_seconds: int
) -> Transformation:
    """Make a capture its company's current record, in the cache too. What cannot be read is said, not raised."""
    [done] = make_all_current(transaction, [capture])
    if done.result != NOT_TRANSFORMED:
        with transaction() as connection:
            record = load_record(connection, capture.idno)
        if record is not None:
            with traces.span("cache", idno=capture.idno):
                cache.set(company_key(capture.idno), pack(record), ex=fresh_seconds)
    return done


def make_all_current(
    transaction: Transaction, captures: Sequence[StoredCapture], *, tolerance: Tolerance | None = None
) -> list[Transformation]:
    """Make captures, one a company, their companies' current records; one that cannot be read is set aside.

    Raises TooManyRefused if more of them than `tolerance` allows cannot be read that could be before; then nothing
    is stored.
    """
    with transaction() as connection:
        lock_companies(connection, [capture.idno for capture in captures])
        heads = load_heads(connection, [capture.idno for capture in captures])
        newer = [each for each in captures if _is_newer(heads.get(each.idno), each)]
        todo = [each for each in captures if each not in newer]
        readings = _read(connection, todo)
        refused = {
            each.source_data_id: reading
            for each in todo
            if isinstance(reading := readings[each.source_data_id], Refusal)
        }
        records = _new_records(connection, todo, heads, readings)
        refused |= _store(connection, records)
        if tolerance is not None:  # what it raises undoes all
            _check(connection, todo, refused, tolerance)
        set_aside(
            connection,
            [(each, refused[each.source_data_id]) for each in todo if each.source_data_id in refused],
        )
        delete_pending(connection, captures)
        release(connection, [each for each in todo if each.source_data_id not in refused])
    stored = {record.capture.source_data_id: record for record in records}
    return [
        *(Transformation(each.idno, each.source_data_id, NEWER_IS_CURRENT) for each in newer),
        *(_told(each, readings[each.source_data_id], refused, stored) for each in todo),
    ]


def _is_newer(head: Head | None, capture: StoredCapture) -> bool:
    return head is not None and head.fetched_at > capture.fetched_at


def _check(
    connection: Connection,
    captures: Sequence[StoredCapture],
    refused: Mapping[int, Refusal],
    tolerance: Tolerance,
) -> None:
    known = known_refusals(connection, captures)
    news = [refusal for source_data_id, refusal in refused.items() if source_data_id not in known]
    if news:
        tolerance.check(refused=len(news), tried=len(captures), example=news[-1].detail)


def _read(connection: Connection, captures: Sequence[StoredCapture]) -> dict[int, ResolvedFacts | Refusal]:
    """Return each company's facts as of these captures, or why they could not be read."""
    read = _read_each(connection, captures)
    unsettled = [
        each
        for each in captures
        if isinstance(reading := read[each.source_data_id], CaptureReading)
        and not states_all_fields(reading.transformed)
    ]
    earlier = earlier_captures(connection, unsettled)
    suppressed = load_suppressions(connection, [each.idno for each in captures])
    settled = {
        source_data_id: reading
        if isinstance(reading, Refusal)
        else resolve_facts(reading, _read_earlier(connection, earlier.get(source_data_id, ())))
        for source_data_id, reading in read.items()
    }
    return {
        source_data_id: without_suppressed(reading, suppressed[reading.facts.idno])
        if isinstance(reading, ResolvedFacts) and reading.facts.idno in suppressed
        else reading
        for source_data_id, reading in settled.items()
    }


def _read_earlier(connection: Connection, captures: Sequence[StoredCapture]) -> list[CaptureReading]:
    read = _read_each(connection, captures).values() if captures else ()
    return [reading for reading in read if isinstance(reading, CaptureReading)]


def _read_each(
    connection: Connection, captures: Sequence[StoredCapture]
) -> dict[int, CaptureReading | Refusal]:
    """Return what each of these captures says by itself, or why it could not be read."""
    contents = load_contents(connection, captures)
    return {each.source_data_id: _read_one(each, contents[each.source_data_id]) for each in captures}


def _read_one(capture: StoredCapture, contents: CaptureContents) -> CaptureReading | Refusal:
    if contents.damaged:
        return Refusal(QuarantineReason.EVIDENCE_DAMAGED, contents.damaged)
    if contents.removed:
        return Refusal(QuarantineReason.EVIDENCE_REMOVED, contents.removed)
    try:
        transformed = transform(
            idno=capture.idno, html=contents.html.decode("utf-8"), bodies=list(contents.bodies)
        )
    except NotThisCompany as reason:
        return Refusal(QuarantineReason.NOT_THIS_COMPANY, str(reason))
    except Exception as error:  # a page that the reading was not ready for: one must not stop all others
        return Refusal(QuarantineReason.NOT_READABLE, f"{type(error).__name__}: {error}")
    return CaptureReading(capture.source_data_id, transformed)


def _new_records(
    connection: Connection,
    captures: Iterable[StoredCapture],
    heads: Mapping[str, Head],
    readings: Mapping[int, ResolvedFacts | Refusal],
) -> list[NewRecord]:
    """Return what is to be stored: nothing of a company whose record is this capture's, read so already."""
    good = [
        (each, reading, facts_sha256(reading.facts))
        for each in captures
        if isinstance(reading := readings[each.source_data_id], ResolvedFacts)
    ]
    changed = [
        each.idno
        for each, _, sha256 in good
        if each.idno in heads and sha256 != heads[each.idno].facts_sha256
    ]
    held = load_facts(connection, changed) if changed else {}
    between = _read_again(connection, [heads[idno] for idno in changed], good)
    records = []
    for capture, settled, sha256 in good:
        head, old = heads.get(capture.idno), held.get(capture.idno)
        if head is not None and old is None and _is_same(head, capture):
            continue
        found = tuple(differences(old, settled.facts)) if old is not None else ()
        history = (
            tuple(_history(capture, settled.facts, found, head, old, between.get(head.source_data_id)))
            if head is not None and old is not None and found
            else ()
        )
        records.append(NewRecord(capture, settled, sha256, head is None, found, history))
    return records


def _is_same(head: Head, capture: StoredCapture) -> bool:
    return (head.source_data_id, head.transform_version) == (
        capture.source_data_id,
        version.TRANSFORM_VERSION,
    )


def _read_again(
    connection: Connection,
    heads: Iterable[Head],
    good: Iterable[tuple[StoredCapture, ResolvedFacts, str]],
) -> dict[int, ResolvedFacts | Refusal]:
    """Read the captures of records that an older version read, and that are to be replaced by newer captures'.

    What this version reads out of them tells what is news from what is only our better reading.
    """
    own = {capture.source_data_id for capture, _, _ in good}
    again = [
        head.source_data_id
        for head in heads
        if head.transform_version != version.TRANSFORM_VERSION and head.source_data_id not in own
    ]
    return _read(connection, good_captures(connection, again)) if again else {}


def _history(
    capture: StoredCapture,
    new: CompanyFacts,
    found: Sequence[Difference],
    head: Head,
    old: CompanyFacts,
    between: ResolvedFacts | Refusal | None,
) -> Iterable[Recorded]:
    """Yield the changes with their causes, the parser's before the source's.

    `between` is what this version reads out of the capture that it replaces; None where it need not be known.
    """
    if not isinstance(between, ResolvedFacts):
        # Where the older capture cannot be read any more, the two causes cannot be told apart: that is no news.
        is_news = (
            head.transform_version == version.TRANSFORM_VERSION
            and capture.source_data_id != head.source_data_id
        )
        for difference in found:
            yield _recorded(difference, Cause.SOURCE if is_news else Cause.PARSER, capture, head)
        return
    reread = StoredCapture(head.source_data_id, capture.idno, head.fetched_at, "")
    for difference in differences(old, between.facts):
        yield _recorded(difference, Cause.PARSER, reread, head)
    reread_head = Head(head.source_data_id, head.fetched_at, version.TRANSFORM_VERSION, None)
    for difference in differences(between.facts, new):
        yield _recorded(difference, Cause.SOURCE, capture, reread_head)


def _recorded(difference: Difference, cause: Cause, capture: StoredCapture, head: Head) -> Recorded:
    return Recorded(
        difference, cause, capture, version.TRANSFORM_VERSION, head.source_data_id, head.transform_version
    )


def _store(connection: Connection, records: Sequence[NewRecord]) -> dict[int, Refusal]:
    """Store records; return which ones the tables refuse, and why. One bad record does not sink the rest."""
    try:
        with connection.begin_nested():
            store_records(connection, records)
    except (DataError, IntegrityError) as error:
        if len(records) > 1:
            return {key: why for record in records for key, why in _store(connection, [record]).items()}
        detail = str(error.orig).partition("\n")[0]
        return {records[0].capture.source_data_id: Refusal(QuarantineReason.NOT_STORABLE, detail)}
    return {}


def _told(
    capture: StoredCapture,
    reading: ResolvedFacts | Refusal,
    refused: Mapping[int, Refusal],
    stored: Mapping[int, NewRecord],
) -> Transformation:
    idno, source_data_id = capture.idno, capture.source_data_id
    if refusal := refused.get(source_data_id):
        return Transformation(idno, source_data_id, NOT_TRANSFORMED, note=refusal.detail)
    assert isinstance(reading, ResolvedFacts)
    record = stored.get(source_data_id)
    notes = [*reading.notes, *(f"readings disagree on {field}" for field in reading.disagreements)]
    return Transformation(
        idno,
        source_data_id,
        TRANSFORMED,
        reading.facts.name,
        "; ".join(notes),
        changes=len(record.differences) if record else 0,
        news=sum(each.cause is Cause.SOURCE for each in record.history) if record else 0,
        unknown=reading.unknown,
    )
