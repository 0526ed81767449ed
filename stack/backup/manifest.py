"""What a backup's manifest says, and whether the backup is what it says."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stack.stack_error import StackError

MANIFEST = "manifest.json"
FORMAT = 1


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableContents(_Stated):
    """A table at the moment of the backup: its rows, and a sum of their hashes, whatever their order."""

    rows: int = Field(ge=0)
    digest: str


class BackupPart(_Stated):
    """One database: its file (made by pg_dump), and what it holds. `revision`: of its migrations."""

    database: str
    file: str = Field(pattern=r"^[a-z]+\.dump$")
    size: int
    sha256: str
    revision: str | None
    snapshot_at: datetime
    tables: dict[str, TableContents]


class Manifest(_Stated):
    """A backup. `site`: whose companies it holds, so that made-up ones never get among real ones."""

    format: Literal[1] = 1
    software: str
    made_at: datetime
    postgres: str
    site: str | None
    parts: tuple[BackupPart, ...]

    def part(self, database: str) -> BackupPart:
        """Return the part of a database. Raises StackError if there is none."""
        for part in self.parts:
            if part.database == database:
                return part
        raise StackError(f"the backup has no part for the database {database}")


def read_manifest(folder: Path) -> Manifest:
    """Return a backup's manifest. Raises StackError saying what is wrong with it."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StackError(f"{folder} is no backup: {MANIFEST} is missing") from None
    except OSError as error:
        raise StackError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'content'}: {each['msg']}" for each in error.errors()[:3]
        )
        raise StackError(f"{path} is broken, or of a version that this one cannot read ({wrong})") from None


def verify(folder: Path) -> Manifest:
    """Return the manifest of a backup that is whole. Raises StackError naming the part that is not."""
    manifest = read_manifest(folder)
    for part in manifest.parts:
        path = folder / part.file
        if not path.is_file():
            raise StackError(f"{path} is missing: the backup has lost its part {part.database}")
        if path.stat().st_size != part.size:
            raise StackError(f"{path} is broken: it has {path.stat().st_size} bytes, not {part.size}")
        if sha256_of(path) != part.sha256:
            raise StackError(f"{path} is broken: its SHA-256 is not {part.sha256}, as when it was made")
    return manifest


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
