"""Erasure on request: of an account holder, or of a person named in a company's record.

Both erasures work in the roles that own the databases, and store who ordered them and why. A backup still contains the
data that was erased after it was made. After a restore, repeat the erasures that are newer than the backup.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from uuid import UUID

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from sqlalchemy import Connection, text

from api.auth.cache import account_key, invalidate
from stack.databases import OwnedDatabase
from stack.record_erasure import ALLOW, erase_history, erase_parties, erase_texts
from stack.sealing import seal_bodies
from stack.stack_error import StackError
from warehouse.contract import REQUESTED_BY_TAG
from warehouse.evidence import evidence_sha256
from warehouse.evidence.read import captures_requested_by
from warehouse.records.record_cache import company_key
from warehouse.records.redaction import Suppression, TextRedaction
from warehouse.schema import database_roles
from warehouse.schema.advisory_locks import lock_companies

_IS_ADMIN = text(
    "SELECT count(*) FROM users WHERE lower(username) = lower(:name) AND role = 'admin' AND disabled_at IS NULL"
)
_USER = text("SELECT id, username FROM users WHERE lower(username) = lower(:name)")
_CACHED_WITHIN_SECONDS = 5.0


@dataclass(frozen=True)
class ErasureRequest:
    """The administrator who orders an erasure, and the reason: the requester, the date and the legal basis."""

    ordered_by: str
    reason: str


@dataclass(frozen=True)
class ErasedUser:
    """The pseudonym of an erased account, and the numbers of audit log entries, captures and runs that contain it."""

    pseudonym: str
    entries: int
    captures: int
    runs: int


@dataclass(frozen=True)
class ErasedPerson:
    """What an erasure changed.

    `parties` and `changes` count the rows that no longer name the person. `texts` counts the removed remarks, unread
    texts and notes of the record. `bodies` and `bytes` are the number and the size of the removed bodies. `shared`
    counts bodies that contain the name but are kept, because captures of other companies use them.
    """

    parties: int
    changes: int
    texts: int = 0
    bodies: int = 0
    bytes: int = 0
    shared: int = 0


def _by_name(databases: Sequence[OwnedDatabase]) -> dict[str, OwnedDatabase]:
    return {database.name: database for database in databases}


def _check(databases: Sequence[OwnedDatabase], request: ErasureRequest) -> None:
    """Raise StackError unless an administrator orders the erasure and gives a reason."""
    if not request.reason.strip():
        raise StackError("--reason is empty; give the requester, the date and the legal basis of the request")
    with _by_name(databases)[database_roles.USERS_DATABASE].engine().connect() as connection:
        if not connection.scalar(_IS_ADMIN, {"name": request.ordered_by}):
            raise StackError(f"--by {request.ordered_by}: no active administrator has that name")


def erase_user(
    databases: Sequence[OwnedDatabase], state_url: str, username: str, request: ErasureRequest
) -> ErasedUser:
    """Delete an account with its data. Replace the username with a pseudonym in the audit log, in captures and in runs.

    The username is replaced in the other databases before the account is deleted. If the replacement fails, the account
    still exists, and the erasure can be run again.

    Args:
        databases: The three databases, in their owners' roles.
        state_url: The Redis URL of the state database, from which the cached account is removed.
        username: The account to erase.
        request: Who ordered the erasure and why.

    Raises:
        StackError: The account does not exist, no administrator orders the erasure, or administrators order the
            erasure of their own account.
    """
    _check(databases, request)
    users = _by_name(databases)[database_roles.USERS_DATABASE].engine()
    with users.connect() as connection:
        user = connection.execute(_USER, {"name": username}).one_or_none()
        if user is None:
            raise StackError(f"no account is named {username}")
    if username.lower() == request.ordered_by.lower():
        raise StackError(
            f"--by {request.ordered_by}: administrators cannot erase themselves; another administrator has to order it"
        )
    pseudonym = f"erased-{secrets.token_hex(6)}"
    captures, runs = _rename(databases, user.username, pseudonym)
    with users.begin() as connection:
        asyncio.run(_discard_cached_account(state_url, user.id))
        entries = connection.execute(
            text("SELECT erase_person(:id, :pseudonym, :by, :reason)"),
            {
                "id": user.id,
                "pseudonym": pseudonym,
                "by": request.ordered_by,
                "reason": request.reason,
            },
        ).scalar_one()
    # Rename again, because the account could request companies until it was deleted.
    more_captures, more_runs = _rename(databases, user.username, pseudonym)
    return ErasedUser(pseudonym, entries, captures + more_captures, runs + more_runs)


def _rename(databases: Sequence[OwnedDatabase], name: str, pseudonym: str) -> tuple[int, int]:
    """Replace a name with a pseudonym in the warehouse and in Dagster's database.

    Return the number of changed captures and runs.
    """
    by_name = _by_name(databases)
    with by_name[database_roles.WAREHOUSE_DATABASE].engine().begin() as connection:
        captures = _rename_requester(connection, name, pseudonym)
    with by_name[database_roles.DAGSTER_DATABASE].engine().begin() as connection:
        return captures, _rename_in_runs(connection, name, pseudonym)


async def _discard_cached_account(state_url: str, user_id: UUID) -> None:
    """Make the API discard its cached copy of an account."""
    async with AsyncRedis.from_url(state_url) as state:
        await invalidate(state, account_key(user_id))


def _rename_requester(connection: Connection, name: str, pseudonym: str) -> int:
    """Replace a requester's name in captures, and return the number of these captures.

    The evidence hash of each changed capture is computed again. The first hash stays in `first_evidence_sha256`.
    """
    connection.execute(ALLOW, {"what": "UPDATE source_data"})
    renamed = 0
    for source_data_id, evidence in list(captures_requested_by(connection, name)):
        names = _replace_requester(evidence.requested_by or "", name, pseudonym)
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
    connection.execute(ALLOW, {"what": ""})
    return renamed


def _replace_requester(names: str, name: str, pseudonym: str) -> str:
    """Return a list of requesters, separated by commas, with a name replaced by a pseudonym."""
    return ", ".join(pseudonym if requester == name else requester for requester in names.split(", "))


_TAGGED_TABLES = (
    ("runs", "run_id", "run_body", "run_tags", "run_id"),
    ("bulk_actions", "key", "body", "backfill_tags", "backfill_id"),
)
"""Where Dagster stores tags of runs and of backfills: (table, key, JSON column, table of tags, its foreign key)."""


def _rename_in_runs(connection: Connection, name: str, pseudonym: str) -> int:
    """Replace a requester's name in Dagster's tags. Return the number of changed runs and backfills."""
    return sum(_rename_in_table(connection, tagged, name, pseudonym) for tagged in _TAGGED_TABLES)


def _rename_in_table(connection: Connection, tagged: tuple[str, ...], name: str, pseudonym: str) -> int:
    table, key, body, tags, foreign_key = tagged
    values_with_name = text(
        f"SELECT DISTINCT value FROM {tags} WHERE key = :tag AND :name = ANY(string_to_array(value, ', '))"
    )
    renamed = 0
    for names in (
        connection.execute(values_with_name, {"tag": REQUESTED_BY_TAG, "name": name}).scalars().all()
    ):
        others = _replace_requester(names, name, pseudonym)
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
                f" (SELECT {foreign_key} FROM {tags} WHERE key = :tag AND value = :names)"
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
    """Remove a person's name from a company's record, history and cached record.

    A suppression is stored, so that later transformations do not write the name to the record again.

    Args:
        databases: The three databases, in their owners' roles.
        cache_url: The Redis URL of the cache.
        idno: The company.
        name: The person's name as the record has it; the order of its words and their case do not matter.
        request: Who ordered the erasure and why.
        evidence: Whether the content of captures that contain the name is removed too.

    Raises:
        StackError: No stored data of the company contains the name, no administrator orders the erasure, or with
            `evidence` the newest good capture contains the name. Nothing is changed then.
    """
    _check(databases, request)
    suppression = Suppression.of(idno, name)
    by_name = _by_name(databases)
    with by_name[database_roles.WAREHOUSE_DATABASE].engine().begin() as connection:
        lock_companies(connection, [idno])
        parties, fields = erase_parties(connection, idno, suppression)
        redaction = TextRedaction(idno, [suppression], fields)
        erased = ErasedPerson(
            parties,
            erase_history(connection, redaction),
            erase_texts(connection, redaction),
            *(astuple(seal_bodies(connection, idno, name)) if evidence else ()),
        )
        if erased == ErasedPerson(0, 0):
            raise StackError(f"no stored data of {idno} contains the name {name!r}; nothing was changed")
        _suppress(connection, idno, suppression, erased, request)
        # Within the transaction, so that nothing is changed if the cache cannot be reached.
        _delete_from_cache(cache_url, idno)
    # A process that read the old record before the commit may still store it in the cache. After this wait, none does.
    time.sleep(_CACHED_WITHIN_SECONDS)
    _delete_from_cache(cache_url, idno)
    with by_name[database_roles.USERS_DATABASE].engine().begin() as connection:
        connection.execute(
            text("INSERT INTO audit_log (event, detail) VALUES ('person_erased', :detail)"),
            {"detail": f"in the record of {idno}; ordered by {request.ordered_by}: {request.reason}"},
        )
    return erased


def _delete_from_cache(cache_url: str, idno: str) -> None:
    with Redis.from_url(cache_url) as cache:
        cache.delete(company_key(idno))


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
            "detail": f"a person's name, in {erased.parties} parties, {erased.changes} changes and {erased.texts}"
            f" texts: {request.reason}",
        },
    )
