"""Erases a person's name from the tables of one company's record and from its history."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.records.redaction import (
    ERASED,
    ERASURE_NOTE,
    FIELDS,
    Suppression,
    TextRedaction,
    redact_json,
)

ALLOW = text("SELECT set_config('registru.allows', :what, true)")
"""Lets the owner of an append-only table change it: `what` names the operation and the table."""


def erase_parties(connection: Connection, idno: str, suppression: Suppression) -> tuple[int, frozenset[str]]:
    """Erase the name from the parties of a record. Return the number of changed rows, and the fields they are in."""
    query = text("SELECT relation, position, name, kind, remark FROM company_parties WHERE idno = :idno")
    update = text(
        "UPDATE company_parties SET name = :name, remark = NULL, source_id = CASE WHEN :is_erased THEN NULL"
        " ELSE source_id END, party_idno = CASE WHEN :is_erased THEN NULL ELSE party_idno END"
        " WHERE idno = :idno AND relation = :relation AND position = :position"
    )
    changed = []
    for row in connection.execute(query, {"idno": idno}).all():
        is_erased = row.kind == "person" and suppression.matches(idno, row.name)
        if not is_erased and not (row.remark and suppression.is_named_in(idno, row.remark)):
            continue
        values = {"name": ERASED if is_erased else row.name, "is_erased": is_erased}
        connection.execute(
            update, {**values, "idno": idno, "relation": row.relation, "position": row.position}
        )
        changed.append(f"{row.relation}s")
    return len(changed), frozenset(changed)


def erase_texts(connection: Connection, redaction: TextRedaction) -> int:
    """Remove the texts that a record's head quotes from captures and that name the person.

    Add a note on the erasure to each affected field. Return the number of removed remarks, unread texts and notes.
    """
    head = connection.execute(
        text("SELECT remarks, unread, notes, sources FROM transformed_data WHERE idno = :idno"),
        {"idno": redaction.idno},
    ).one_or_none()
    if head is None:
        return 0
    remarks = redaction.redact_remarks(head.remarks)
    gone = [unread for unread in head.unread if redaction.removes(unread["field"], unread["text"])]
    notes = [note for note in head.notes if not redaction.removes_note(note)]
    quoting = {
        field
        for field in FIELDS
        if field in redaction.fields or redaction.names(head.sources.get(field, {}).get("raw") or "")
    }
    fields = {
        *quoting,
        *(unread["field"] for unread in gone),
        *(field for field, texts in head.remarks.items() if list(remarks.get(field, ())) != texts),
    }
    when = f"{ERASURE_NOTE} on {datetime.now(UTC):%Y-%m-%d}"
    removed = len(gone) + len(head.notes) - len(notes)
    removed += sum(map(len, head.remarks.values())) - sum(map(len, remarks.values()))
    if fields or removed:
        _update_head(
            connection,
            redaction.idno,
            quoting,
            remarks={field: list(texts) for field, texts in remarks.items()},
            unread=[unread for unread in head.unread if unread not in gone],
            notes=[*notes, *(f"{field}: {when}" for field in sorted(fields))],
        )
    return removed


def _update_head(connection: Connection, idno: str, quoting: Collection[str], **columns: Any) -> None:
    """Write columns of a record's head. Remove the raw texts and the disagreements of the fields `quoting`."""
    update = text(
        "UPDATE transformed_data SET remarks = :remarks, unread = :unread, notes = :notes, facts_sha256 = NULL"
        " WHERE idno = :idno"
    ).bindparams(*(bindparam(name, type_=JSONB) for name in columns))
    connection.execute(update, {"idno": idno, **columns})
    for field in quoting:
        connection.execute(
            text(
                "UPDATE transformed_data SET disagreements = disagreements - CAST(:field AS text),"
                " sources = CASE WHEN sources ? CAST(:field AS text)"
                " THEN jsonb_set(sources, ARRAY[CAST(:field AS text), 'raw'], 'null') ELSE sources END"
                " WHERE idno = :idno"
            ),
            {"field": field, "idno": idno},
        )


def erase_history(connection: Connection, redaction: TextRedaction) -> int:
    """Erase the name from the recorded changes. Return the number of changed rows."""
    connection.execute(ALLOW, {"what": "UPDATE company_changes"})
    rows = connection.execute(
        text("SELECT id, old, new FROM company_changes WHERE idno = :idno AND field = ANY(:fields)"),
        {"idno": redaction.idno, "fields": [*FIELDS, "remarks"]},
    ).all()
    changed = 0
    update = text("UPDATE company_changes SET old = :old, new = :new WHERE id = :id").bindparams(
        bindparam("old", type_=JSONB(none_as_null=True)), bindparam("new", type_=JSONB(none_as_null=True))
    )
    for row in rows:
        old, new = (redact_json(value, redaction) for value in (row.old, row.new))
        if (old, new) != (row.old, row.new):
            connection.execute(update, {"old": old, "new": new, "id": row.id})
            changed += 1
    connection.execute(ALLOW, {"what": ""})
    return changed
