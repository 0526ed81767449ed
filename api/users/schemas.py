"""Request and response bodies of accounts."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, ValidationInfo, field_validator

from api.auth.passwords import LEAST_CHARACTERS, MOST_BYTES, check_password
from api.auth.roles import Role

_USERNAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$"


def is_username(text: str) -> bool:
    """Return whether a text is allowed as a username."""
    return re.fullmatch(_USERNAME, text, re.ASCII) is not None


def _has_no_nul(email: str) -> str:
    if "\x00" in email:
        raise ValueError("must not contain the character NUL")
    return email


Email = Annotated[EmailStr, AfterValidator(_has_no_nul)]


class Registration(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(pattern=_USERNAME, description="3 to 64 letters, digits and . _ -")
    email: Email | None = None
    password: str = Field(
        description=f"At least {LEAST_CHARACTERS} characters, at most {MOST_BYTES} bytes; common passwords are refused",
        json_schema_extra={"minLength": LEAST_CHARACTERS, "maxLength": MOST_BYTES, "format": "password"},
    )

    @field_validator("password")
    @classmethod
    def _satisfies_policy(cls, password: str, info: ValidationInfo) -> str:
        return check_password(password, names=(info.data.get("username"), info.data.get("email")))


class NewUser(Registration):
    """An account that an admin creates for another person."""

    role: Role = Role.STANDARD


class UserChange(BaseModel):
    """Changes to an account. Fields that the body omits stay unchanged."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    disabled: bool | None = None
    password: str | None = Field(
        default=None, description="A new password", json_schema_extra={"format": "password"}
    )

    @field_validator("password")
    @classmethod
    def _satisfies_policy(cls, password: str | None) -> str | None:
        return password if password is None else check_password(password)


class User(BaseModel):
    """An account as its owner and admins see it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    username: str
    email: str | None
    role: Role
    created_at: datetime
    disabled_at: datetime | None


class UserPage(BaseModel):
    """One page of accounts, and the number of all matching accounts."""

    users: list[User]
    total: int
