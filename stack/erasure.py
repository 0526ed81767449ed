"""Erasure on request: of an account holder, and of a person who is named in a company's record.

Both work as the databases' owners, in one transaction a database, and write down who asked whom and why. Neither can
be undone, but by restoring a backup: after a restore, erasures of since then have to be done again.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from uuid import UUID

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from api.auth.cache import account_key, invalidate
from stack.databases import OwnedDatabase
from stack.sealing import seal_bodies
from stack.stack_error import StackError
from warehouse.contract import REQUESTED_BY_TAG
from warehouse.evidence import evidence_sha256
from warehouse.evidence.read import captures_asked_for_by
from warehouse.records.record_cache import company_key
from warehouse.records.redaction import ERASED, FIELDS, Suppression, redacted_json
from warehouse.schema import database_roles
from warehouse.schema.advisory_locks import lock_companies

_IS_ADMIN = text(
    "SELECT count(*) FROM users WHERE lower(username) = lower(:name) AND role = 'admin' AND disabled_at IS NULL"
)
_USER = text("SELECT id, username FROM users WHERE lower(username) = lower(:name)")
_CACHED_WITHIN_SECONDS = 5.0
_ALLOW = text("SELECT set_config('registru.allows', :what, true)")


@dataclass(frozen=True)
class ErasureRequest:
    """Who ordered an erasure (an administrator's name), and why: whose request it is, and its legal basis."""

    ordered_by: str
    reason: str


@dataclass(frozen=True)
class ErasedUser:
    """What became of an account's traces."""

    pseudonym: str
    entries: int
    captures: int
    runs: int


@dataclass(frozen=True)
class ErasedPerson:
    """In how many rows a person is named no longer, how many bodies of captures went, and how many stay as shared."""

    parties: int
    changes: int
    bodies: int = 0
    bytes: int = 0
    shared: int = 0


def _by_name(databases: Sequence[OwnedDatabase]) -> dict[str, OwnedDatabase]:
    return {database.name: database for database in databases}


def _check(databases: Sequence[OwnedDatabase], request: ErasureRequest) -> None:
    """Raise StackError unless an administrator orders it and says why."""
    if not request.reason.strip():
        raise StackError("--reason is empty: write whose request it is, of when, and its legal basis")
    with _by_name(databases)[database_roles.USERS_DATABASE].engine().connect() as connection:
        if not connection.scalar(_IS_ADMIN, {"name": request.ordered_by}):
            raise StackError(f"--by {request.ordered_by}: there is no administrator of that name")


def erase_user(
    databases: Sequence[OwnedDatabase], state_url: str, username: str, request: ErasureRequest
) -> ErasedUser:
    """Delete an account with all it has, and put a made-up name in its place wherever its name has to stay.

    Raises StackError. What is done in other databases first can be done again if a later one fails.
    """
    _check(databases, request)
    users = _by_name(databases)[database_roles.USERS_DATABASE].engine()
    with users.connect() as connection:
        user = connection.execute(_USER, {"name": username}).one_or_none()
        if user is None:
            raise StackError(f"there is no account {username}")
    if username.lower() == request.ordered_by.lower():
        raise StackError(
            f"--by {request.ordered_by}: let another administrator order it, who stays, and whose name can stay"
        )
    pseudonym = f"erased-{secrets.token_hex(6)}"
    captures, runs = _rename(databases, user.username, pseudonym)
    with users.begin() as connection:
        asyncio.run(_distrust(state_url, user.id))
        entries = connection.execute(
            text("SELECT erase_person(:id, :pseudonym, :by, :reason)"),
            {
                "id": user.id,
                "pseudonym": pseudonym,
                "by": request.ordered_by,
                "reason": request.reason,
            },
        ).scalar_one()
    # Once more: until now the account could ask for companies.
    more_captures, more_runs = _rename(databases, user.username, pseudonym)
    return ErasedUser(pseudonym, entries, captures + more_captures, runs + more_runs)


def _rename(databases: Sequence[OwnedDatabase], name: str, pseudonym: str) -> tuple[int, int]:
    """Put a pseudonym in the place of a name outside the API's own database; return on how many captures and runs."""
    by_name = _by_name(databases)
    with by_name[database_roles.WAREHOUSE_DATABASE].engine().begin() as connection:
        captures = _rename_requester(connection, name, pseudonym)
    with by_name[database_roles.DAGSTER_DATABASE].engine().begin() as connection:
        return captures, _rename_in_runs(connection, name, pseudonym)


async def _distrust(state_url: str, user_id: UUID) -> None:
    """Have the API ask PostgreSQL about an account that it may remember."""
    async with AsyncRedis.from_url(state_url) as state:
        await invalidate(state, account_key(user_id))


def _rename_requester(connection: Connection, name: str, pseudonym: str) -> int:
    """Put a pseudonym on the captures that somebody asked for. The hash that each had is kept beside its new one."""
    connection.execute(_ALLOW, {"what": "UPDATE source_data"})
    renamed = 0
    for source_data_id, evidence in list(captures_asked_for_by(connection, name)):
        names = _without(evidence.requested_by or "", name, pseudonym)
        anonymous = evidence.model_copy(update={"requested_by": names})
        connection.execute(
            text(
                "UPDATE source_data SET requested_by = :pseudonym, first_evidence_sha256 ="
                " coalesce(first_evidence_sha256, evidence_sha256), evidence_sha256 = CASE WHEN evidence_sha256 IS NULL"
                " THEN NULL ELSE :sha256 END WHERE id = :id"
            ),
            {"pseudonym": names, "sha256": evidence_sha256(anonymous), "id": source_data_id},
        )
        renamed += 1
    connection.execute(_ALLOW, {"what": ""})
    return renamed


def _without(names: str, name: str, pseudonym: str) -> str:
    """Put a pseudonym in the place of a name among those who asked together."""
    return ", ".join(pseudonym if each == name else each for each in names.split(", "))


_BOOKS = (
    ("runs", "run_id", "run_body", "run_tags", "run_id"),
    ("bulk_actions", "key", "body", "backfill_tags", "backfill_id"),
)
"""Where Dagster keeps tags: in the JSON of runs and of backfills, and in a table of tags each."""


def _rename_in_runs(connection: Connection, name: str, pseudonym: str) -> int:
    """Do the same in Dagster's books; return in how many of them."""
    return sum(_rename_in_books(connection, book, name, pseudonym) for book in _BOOKS)


def _rename_in_books(connection: Connection, book: tuple[str, ...], name: str, pseudonym: str) -> int:
    table, key, body, tags, tagged = book
    found = text(
        f"SELECT DISTINCT value FROM {tags} WHERE key = :tag AND :name = ANY(string_to_array(value, ', '))"
    )
    renamed = 0
    for names in connection.execute(found, {"tag": REQUESTED_BY_TAG, "name": name}).scalars().all():
        others = _without(names, name, pseudonym)
        values = {
            "tag": REQUESTED_BY_TAG,
            "names": names,
            "others": others,
            "old": f"{json.dumps(REQUESTED_BY_TAG)}: {json.dumps(names)}",
            "new": f"{json.dumps(REQUESTED_BY_TAG)}: {json.dumps(others)}",
        }
        renamed += connection.execute(
            text(
                f"UPDATE {table} SET {body} = replace({body}, :old, :new) WHERE {key} IN"
                f" (SELECT {tagged} FROM {tags} WHERE key = :tag AND value = :names)"
            ),
            values,
        ).rowcount
        connection.execute(
            text(f"UPDATE {tags} SET value = :others WHERE key = :tag AND value = :names"), values
        )
    return renamed


def erase_person(
    databases: Sequence[OwnedDatabase],
    cache_url: str,
    *,
    idno: str,
    name: str,
    request: ErasureRequest,
    evidence: bool = False,
) -> ErasedPerson:
    """Take a person's name out of a company's record, its history and the cache, and keep it out from now on.

    With `evidence` the contents of captures that hold it go, too. Raises StackError if nothing holds the name.
    """
    _check(databases, request)
    suppression = Suppression.of(idno, name)
    by_name = _by_name(databases)
    with by_name[database_roles.WAREHOUSE_DATABASE].engine().begin() as connection:
        lock_companies(connection, [idno])
        erased = ErasedPerson(
            _erase_parties(connection, idno, suppression),
            _erase_history(connection, idno, suppression),
            *(astuple(seal_bodies(connection, idno, name)) if evidence else ()),
        )
        if erased == ErasedPerson(0, 0):
            raise StackError(f"nothing that is held of {idno} names {name!r}; nothing was done")
        _suppress(connection, idno, suppression, erased, request)
        # Within the transaction too: where the cache cannot be told, nothing is done.
        _forget(cache_url, idno)
    # What somebody has put there meanwhile; who read the old record just before has written it by then.
    time.sleep(_CACHED_WITHIN_SECONDS)
    _forget(cache_url, idno)
    with by_name[database_roles.USERS_DATABASE].engine().begin() as connection:
        connection.execute(
            text("INSERT INTO audit_log (event, detail) VALUES ('person_erased', :detail)"),
            {"detail": f"in the record of {idno}; ordered by {request.ordered_by}: {request.reason}"},
        )
    return erased


def _forget(cache_url: str, idno: str) -> None:
    with Redis.from_url(cache_url) as cache:
        cache.delete(company_key(idno))


def _erase_parties(connection: Connection, idno: str, suppression: Suppression) -> int:
    named = [
        row
        for row in connection.execute(
            text(
                "SELECT relation, position, name FROM company_parties WHERE idno = :idno AND kind = 'person'"
            ),
            {"idno": idno},
        )
        if suppression.fits(idno, row.name)
    ]
    for row in named:
        connection.execute(
            text(
                "UPDATE company_parties SET name = :erased, source_id = NULL, party_idno = NULL"
                " WHERE idno = :idno AND relation = :relation AND position = :position"
            ),
            {"erased": ERASED, "idno": idno, "relation": row.relation, "position": row.position},
        )
    for field in FIELDS:
        if any(f"{row.relation}s" == field for row in named):
            _erase_quotes(connection, idno, field)
    return len(named)


def _erase_quotes(connection: Connection, idno: str, field: str) -> None:
    """Take out of a record's head what quotes a list of persons, and say why."""
    note = f"{field}: a person's name was erased on request on {datetime.now(UTC):%Y-%m-%d}"
    connection.execute(
        text(
            "UPDATE transformed_data SET disagreements = disagreements - CAST(:field AS text),"
            " sources = CASE WHEN sources ? CAST(:field AS text)"
            " THEN jsonb_set(sources, ARRAY[CAST(:field AS text), 'raw'], 'null') ELSE sources END,"
            " notes = notes || to_jsonb(CAST(:note AS text)), facts_sha256 = NULL WHERE idno = :idno"
        ),
        {"field": field, "note": note, "idno": idno},
    )


def _erase_history(connection: Connection, idno: str, suppression: Suppression) -> int:
    connection.execute(_ALLOW, {"what": "UPDATE company_changes"})
    rows = connection.execute(
        text("SELECT id, old, new FROM company_changes WHERE idno = :idno AND field = ANY(:fields)"),
        {"idno": idno, "fields": list(FIELDS)},
    ).all()
    changed = 0
    update = text("UPDATE company_changes SET old = :old, new = :new WHERE id = :id").bindparams(
        bindparam("old", type_=JSONB(none_as_null=True)), bindparam("new", type_=JSONB(none_as_null=True))
    )
    for row in rows:
        old, new = (redacted_json(value, idno, [suppression]) for value in (row.old, row.new))
        if (old, new) != (row.old, row.new):
            connection.execute(update, {"old": old, "new": new, "id": row.id})
            changed += 1
    connection.execute(_ALLOW, {"what": ""})
    return changed


def _suppress(
    connection: Connection, idno: str, suppression: Suppression, erased: ErasedPerson, request: ErasureRequest
) -> None:
    connection.execute(
        text("INSERT INTO suppressions (idno, salt, name_sha256) VALUES (:idno, :salt, :sha256)"),
        {"idno": idno, "salt": suppression.salt, "sha256": suppression.name_sha256},
    )
    connection.execute(
        text(
            "INSERT INTO removals (because, bodies, bytes, idno, removed_by, detail)"
            " VALUES ('erasure', :bodies, :bytes, :idno, :by, :detail)"
        ),
        {
            "bodies": erased.bodies,
            "bytes": erased.bytes,
            "idno": idno,
            "by": request.ordered_by,
            "detail": f"a person's name, in {erased.parties} parties and {erased.changes} changes: {request.reason}",
        },
    )
