"""Request and response bodies of API keys."""

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from api.auth.roles import Scope


class NewKey(BaseModel):
    """An API key to create. Its scopes must be scopes of your role.

    If the role changes later, a key can use only those of its scopes that the new role has too.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "nightly", "scopes": ["companies:read"]}]}
    )

    name: str = Field(min_length=1, max_length=100, description="What the key is for")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_at: AwareDatetime | None = Field(
        default=None, description="When the key expires; never by default"
    )

    @field_validator("name")
    @classmethod
    def _is_printable(cls, name: str) -> str:
        if not name.isprintable() or not name.strip():
            raise ValueError("must be printable text")
        return name.strip()


class Key(BaseModel):
    """An API key without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="Accurate to one minute")


class CreatedKey(Key):
    """A new API key. `key` is shown only once and never stored."""

    key: str
