"""Request and response bodies of authentication."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.auth.repository import SessionKind
from api.auth.roles import Role, Scope


class Credentials(BaseModel):
    """A username and a password."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)


class RefreshRequest(BaseModel):
    """The latest refresh token of a session."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(min_length=1, max_length=2048)


class NewPassword(BaseModel):
    """The current password and the new one."""

    model_config = ConfigDict(extra="forbid")

    current_password: str = Field(min_length=1, max_length=256)
    new_password: str = Field(max_length=256)


class Token(BaseModel):
    """An access token, valid for `expires_in` seconds, and a refresh token, which gets new tokens once."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int
    refresh_token: str
    scope: str = Field(description="The scopes of the account's role, separated by spaces")


class Session(BaseModel):
    """One sign-in. `current` is true for the session that sends the request."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: SessionKind
    created_at: datetime
    last_used_at: datetime = Field(description="Accurate to five minutes")
    expires_at: datetime
    address: str | None
    user_agent: str | None
    current: bool = False


class Verified(BaseModel):
    """The verified caller, for the gateway and other services."""

    user_id: UUID
    username: str
    role: Role
    scopes: Annotated[
        list[Scope],
        Field(description="The scopes of the role; with an API key, only those that the key has too"),
    ]
    session_id: UUID | None = Field(description="The session, if the caller uses one")
    key_id: UUID | None = Field(description="The API key, if the caller uses one")
