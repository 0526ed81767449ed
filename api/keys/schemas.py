"""What an API key takes and shows."""

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from api.auth.roles import Scope


class NewKey(BaseModel):
    """An API key to be made. Scopes are those of the account at most; the role still counts at each use."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "nightly", "scopes": ["companies:read"]}]}
    )

    name: str = Field(min_length=1, max_length=100, description="What it is for")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_at: AwareDatetime | None = Field(default=None, description="When it ends by itself")

    @field_validator("name")
    @classmethod
    def _can_be_stored(cls, name: str) -> str:
        if not name.isprintable() or not name.strip():
            raise ValueError("has to be printable text")
        return name.strip()


class Key(BaseModel):
    """An API key, without what proves it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To within a minute")


class CreatedKey(Key):
    """A new API key. `key` is shown this once and stored nowhere."""

    key: str
