"""What signing in takes and gives."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.auth.repository import SessionKind
from api.auth.roles import Role, Scope


class Credentials(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)


class RefreshRequest(BaseModel):
    """The refresh token that came last."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(min_length=1, max_length=2048)


class NewPassword(BaseModel):
    """The password so far, and the one from now on."""

    model_config = ConfigDict(extra="forbid")

    current_password: str = Field(min_length=1, max_length=256)
    new_password: str = Field(max_length=256)


class Token(BaseModel):
    """An access token (`expires_in` seconds), and the token that gets the next one, once."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int
    refresh_token: str
    scope: str = Field(description="What the account's role may do, separated by spaces")


class Session(BaseModel):
    """One sign-in. `current` is the one that asks."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: SessionKind
    created_at: datetime
    last_used_at: datetime = Field(description="To within five minutes")
    expires_at: datetime
    address: str | None
    user_agent: str | None
    current: bool = False


class Verified(BaseModel):
    """Who is calling, for other services."""

    user_id: UUID
    username: str
    role: Role
    scopes: Annotated[list[Scope], Field(description="What this caller may do, by role and by API key")]
    session_id: UUID | None = Field(description="The session, if it is one")
    key_id: UUID | None = Field(description="The API key, if it is one")
