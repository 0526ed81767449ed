"""Exports all evidence on a company to files that others can verify with standard tools.

The export is a WARC file, its CDXJ index, and the checksums of both for `sha256sum --check`.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from warehouse.evidence.capture_evidence import iso
from warehouse.evidence.evidence_errors import NoEvidence, NotWritten
from warehouse.evidence.read import Period, count_captures, load_evidence
from warehouse.evidence.warc import WarcFile
from warehouse.evidence.warc_records import records_of

SUFFIX = ".warc.gz"
_HASHES = (
    "Digests are SHA-256. Each body has been stored under its hash since its capture; all hashes were verified when"
    " this file was written. evidence_sha256 in a metadata record is the hash of the JSON in its member evidence (keys"
    " sorted, no spaces, UTF-8), computed when the capture was stored. It is null for captures older than such hashes."
)
_BODIES = (
    "Responses are as seen by the browser: bodies are decoded (headers of the transfer encoding are renamed to"
    " X-Archive-Orig-*), status lines have the standard phrases, and non-ASCII headers are percent-encoded."
    " WARC-Truncated marks a body that is not stored; the member removed_bodies of the metadata record names bodies"
    " that were removed later. Conversions are pages as rendered by the browser. Metadata records contain"
    " everything that is stored about a capture, with the original headers."
)


@dataclass(frozen=True)
class WrittenFile:
    """An exported file with its size in bytes and its SHA-256."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class EvidenceExport:
    """The result of an export: the numbers of captures and records, and the three files."""

    captures: int
    records: int
    files: tuple[WrittenFile, ...]


def export_evidence(
    connection: Connection, idno: str, output: Path, *, period: Period | None = None, overwrite: bool = False
) -> EvidenceExport:
    """Write all captures of a company to a WARC file, its index and its checksums. Write all files or none.

    Args:
        connection: Reads the warehouse. Use REPEATABLE READ, so that all queries read one state of it.
        idno: The company.
        output: The path of the WARC file, which must end in .warc.gz. The other files are written next to it.
        period: The period of the captures; None for all.
        overwrite: Whether existing files may be replaced.

    Raises:
        NoEvidence: The company has no capture in the period.
        EvidenceDamaged: A capture does not match its hash.
        NotWritten: A file exists or cannot be written.
    """
    period = period or Period()
    paths = _paths(output, overwrite=overwrite)
    captures = count_captures(connection, idno, period)
    if not captures:
        raise NoEvidence(f"no capture of {idno} is stored{_within(period)}")
    try:
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".evidence-") as folder:
            parts = [Path(folder) / path.name for path in paths]
            with parts[0].open("wb") as file:
                warc = _write_warc(connection, idno, file, name=output.name, period=period, captures=captures)
            parts[1].write_text("".join(f"{line}\n" for line in sorted(warc.index)), encoding="utf-8")
            parts[2].write_text(
                "".join(f"{_hash(part)}  {part.name}\n" for part in parts[:2]), encoding="utf-8"
            )
            _publish(parts, paths, overwrite=overwrite)
    except OSError as error:
        raise NotWritten(f"{output}: {error.strerror or error}") from error
    return EvidenceExport(captures, warc.records, tuple(_written(path) for path in paths))


def _paths(output: Path, *, overwrite: bool) -> tuple[Path, Path, Path]:
    if not output.name.endswith(SUFFIX):
        raise NotWritten(f"{output}: the name of the file must end in {SUFFIX}")
    stem = output.name.removesuffix(SUFFIX)
    paths = (output, output.with_name(f"{stem}.cdxj"), output.with_name(f"{stem}.sha256"))
    _refuse_existing(paths, overwrite=overwrite)
    return paths


def _refuse_existing(paths: tuple[Path, ...], *, overwrite: bool) -> None:
    for path in paths:
        if path.exists() and not overwrite:
            raise NotWritten(f"{path} already exists")


def _within(period: Period) -> str:
    since = f" since {iso(period.since)}" if period.since else ""
    until = f" before {iso(period.until)}" if period.until else ""
    return since + until


def _write_warc(
    connection: Connection, idno: str, file: BinaryIO, *, name: str, period: Period, captures: int
) -> WarcFile:
    about = {
        "software": f"Registru {version('registru')} (warcio {version('warcio')})",
        "format": "WARC File Format 1.1",
        "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "description": f"All {captures} captures of the company {idno}{_within(period)}",
        "registru-idno": idno,
        "registru-captures": str(captures),
        "registru-hashes": _HASHES,
        "registru-bodies": _BODIES,
    }
    warc = WarcFile(file, name=name, about=about)
    for capture in load_evidence(connection, idno, period):
        for record in records_of(capture):
            warc.add(record, capture.evidence.fetched_at)
    file.flush()
    os.fsync(file.fileno())
    return warc


def _publish(parts: list[Path], paths: tuple[Path, ...], *, overwrite: bool) -> None:
    _refuse_existing(paths, overwrite=overwrite)
    for part, path in zip(parts, paths, strict=True):
        os.replace(part, path)  # noqa: PTH105 - one atomic call


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(path: Path) -> WrittenFile:
    return WrittenFile(path, path.stat().st_size, _hash(path))
