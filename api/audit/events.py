"""Security events, and writing them down."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.metrics.process_metrics import process_metrics
from api.runtime.client_address import RequestClient
from api.services import Services
from api.users_tables import audit_log

_REPEATED_AFTER = timedelta(minutes=1)


class Event(StrEnum):
    """What happened."""

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
    """An account, as the log names it (also when it no longer exists)."""

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
    """Write an event down, in the transaction of what it tells of.

    `detail` never holds a password or a token. A name that nobody has is not written down either: people type
    their passwords into the wrong field.
    """
    process_metrics().security.labels(event).inc()
    await _write(connection, event, client, actor=actor, subject=subject, detail=detail)


async def _write(
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
    services: Services,
    event: Event,
    client: RequestClient,
    *,
    about: str,
    actor: AccountRef | None = None,
    detail: str | None = None,
) -> None:
    """Write down an event that a stranger can repeat at will: the first one a minute `about` the same thing.

    All are counted.
    """
    process_metrics().security.labels(event).inc()
    digest = sha256(f"{event} {about} {client.network}".encode()).hexdigest()[:32]
    if await services.state.set(f"audited:{digest}", "1", ex=_REPEATED_AFTER, nx=True):
        async with services.users.begin() as connection:
            await _write(connection, event, client, actor=actor, detail=detail)
