"""Security events, and recording them in the audit log."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.metrics.process_metrics import process_metrics
from api.runtime.client_address import RequestClient
from api.users_tables import audit_log

_REPEATED_AFTER = timedelta(minutes=1)


class Event(StrEnum):
    """Kind of a security event."""

    REGISTERED = "registered"
    USER_CREATED = "user_created"
    USER_DELETED = "user_deleted"
    ROLE_CHANGED = "role_changed"
    DISABLED = "disabled"
    ENABLED = "enabled"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_THROTTLED = "sign_in_throttled"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event's name
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    KEY_USED = "key_used"
    CREDENTIALS_REFUSED = "credentials_refused"
    ACCESS_REFUSED = "access_refused"
    BATCH_CANCELLED = "batch_cancelled"
    RESTORED = "restored"
    LOG_PRUNED = "log_pruned"
    PERSON_ERASED = "person_erased"


@dataclass(frozen=True)
class AccountRef:
    """An account as the audit log names it, even after the account is deleted."""

    id: UUID
    username: str


async def record_event(
    connection: AsyncConnection,
    event: Event,
    client: RequestClient | None,
    *,
    actor: AccountRef | None = None,
    subject: AccountRef | None = None,
    detail: str | None = None,
) -> None:
    """Record an event in the transaction of the change that it describes.

    Never record a username that belongs to no account: users sometimes type their password into the username field.

    Args:
        connection: A connection in a transaction.
        event: What happened.
        client: The client that sent the request; None if no request caused the event.
        actor: The account that caused the event.
        subject: The account that the event concerns.
        detail: More about the event; never a password or a token.
    """
    process_metrics().security_events.labels(event).inc()
    await _insert(connection, event, client, actor=actor, subject=subject, detail=detail)


async def _insert(
    connection: AsyncConnection,
    event: Event,
    client: RequestClient | None,
    *,
    actor: AccountRef | None,
    subject: AccountRef | None = None,
    detail: str | None,
) -> None:
    await connection.execute(
        insert(audit_log).values(
            event=event,
            actor_id=actor.id if actor else None,
            actor=actor.username if actor else None,
            subject_id=subject.id if subject else None,
            subject=subject.username if subject else None,
            address=client.address if client else None,
            user_agent=client.user_agent if client else None,
            detail=detail,
        )
    )


async def record_event_once_a_minute(
    users: AsyncEngine,
    state: Redis,
    event: Event,
    client: RequestClient,
    *,
    about: str,
    actor: AccountRef | None = None,
    detail: str | None = None,
) -> None:
    """Record an event that any client can cause as often as it likes.

    Two events are repetitions if their kind, their `about` and the client's network are the same. The audit log gets
    only one of several repetitions within a minute; the metric counts all of them.

    Args:
        users: The API's own database.
        state: Redis's state database.
        event: What happened.
        client: The client that sent the request.
        about: What the event concerns, for example a username. It is not recorded.
        actor: The account that caused the event.
        detail: More about the event; never a password or a token.
    """
    process_metrics().security_events.labels(event).inc()
    digest = sha256(f"{event} {about} {client.network}".encode()).hexdigest()[:32]
    if await state.set(f"audited:{digest}", "1", ex=_REPEATED_AFTER, nx=True):
        async with users.begin() as connection:
            await _insert(connection, event, client, actor=actor, detail=detail)
