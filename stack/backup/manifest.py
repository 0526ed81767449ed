"""The manifest of a backup, and the check of a backup's files against it."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stack.stack_error import StackError

MANIFEST = "manifest.json"
FORMAT = 1


class _ManifestModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableContents(_ManifestModel):
    """A table's number of rows and the digest of all rows, which does not depend on their order."""

    rows: int = Field(ge=0)
    digest: str


class BackupPart(_ManifestModel):
    """One database of a backup: its dump file and its contents. `revision` is its newest migration."""

    database: str
    file: str = Field(pattern=r"^[a-z]+\.dump$")
    size: int
    sha256: str
    revision: str | None
    snapshot_at: datetime
    tables: dict[str, TableContents]


class Manifest(_ManifestModel):
    """The description of a backup.

    `site` is the site whose companies the backup holds, so that made-up companies are never mixed with real ones.
    """

    format: Literal[1] = 1
    software: str
    made_at: datetime
    postgres: str
    site: str | None
    parts: tuple[BackupPart, ...]

    def part(self, database: str) -> BackupPart:
        """Return the part of the backup that holds this database. Raises StackError if there is none."""
        for part in self.parts:
            if part.database == database:
                return part
        raise StackError(f"the backup does not contain database {database}")


def read_manifest(folder: Path) -> Manifest:
    """Return a backup's manifest. Raises StackError if it is missing or malformed."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StackError(f"{folder} is not a backup: {MANIFEST} is missing") from None
    except OSError as error:
        raise StackError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'content'}: {each['msg']}" for each in error.errors()[:3]
        )
        raise StackError(
            f"{path} is damaged, or of a format that this version cannot read ({problems})"
        ) from None


def verify(folder: Path) -> Manifest:
    """Check a backup's files against its manifest and return the manifest.

    Raises StackError, naming the file that is missing or damaged.
    """
    manifest = read_manifest(folder)
    for part in manifest.parts:
        path = folder / part.file
        if not path.is_file():
            raise StackError(f"{path} is missing: the backup lacks database {part.database}")
        if path.stat().st_size != part.size:
            raise StackError(f"{path} is damaged: it has {path.stat().st_size} bytes instead of {part.size}")
        if sha256_of(path) != part.sha256:
            raise StackError(f"{path} is damaged: its SHA-256 is not {part.sha256}, which the manifest names")
    return manifest


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
