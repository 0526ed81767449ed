"""What an account takes and shows."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, Field, field_validator

from api.auth.passwords import MOST_BYTES


class Registration(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    email: EmailStr | None = None
    password: str = Field(min_length=8, description=f"8 characters or more, at most {MOST_BYTES} bytes")

    @field_validator("password")
    @classmethod
    def _fits_bcrypt(cls, password: str) -> str:
        if len(password.encode()) > MOST_BYTES:
            raise ValueError(f"has {len(password.encode())} bytes, at most {MOST_BYTES} are allowed")
        if "\x00" in password:
            raise ValueError("must not contain the character NUL")
        return password


class User(BaseModel):
    """An account, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    username: str
    email: str | None
    created_at: datetime
