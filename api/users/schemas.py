"""What an account takes and shows."""

import re
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, Field, field_validator

from api.auth.passwords import MOST_BYTES

_USERNAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$"


def is_username(text: str) -> bool:
    """Tell whether an account can have this name."""
    return re.fullmatch(_USERNAME, text, re.ASCII) is not None


class Registration(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(pattern=_USERNAME, description="3 to 64 letters, digits and . _ -")
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
