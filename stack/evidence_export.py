"""Exports evidence from a home's warehouse to files, in a database role that can only read."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from stack import postgres
from stack.home import Home, RunningPlatform
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.evidence.evidence_errors import EvidenceError
from warehouse.evidence.export import SUFFIX, EvidenceExport, export_evidence
from warehouse.evidence.read import Period
from warehouse.schema import database_roles


def export(
    home: Home, idno: str, *, output: Path | None, first: date | None, last: date | None, overwrite: bool
) -> EvidenceExport:
    """Write all captures of a company to files.

    Args:
        home: The home, where the platform has to run.
        idno: The company.
        output: The path of the WARC file; None for `evidence-IDNO.warc.gz` in the working folder.
        first: Export only captures from this day (UTC) on; None for no limit.
        last: Export only captures up to and including this day (UTC); None for no limit.
        overwrite: Whether existing files may be replaced.

    Raises:
        StackError: The platform does not run, there is no capture, evidence is damaged, or a file cannot be written.
    """
    port = RunningPlatform.of(home).ports["postgres"]
    url = postgres.url(
        port,
        load_or_create(home.secrets),
        role=database_roles.API,
        database=database_roles.WAREHOUSE_DATABASE,
    )
    # With REPEATABLE READ, the whole export reads one state of the database.
    engine = create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    path = output or Path(f"evidence-{idno}{SUFFIX}")
    try:
        with engine.connect() as connection:
            return export_evidence(connection, idno, path, period=_period(first, last), overwrite=overwrite)
    except EvidenceError as error:
        raise StackError(str(error)) from error
    except OperationalError as error:
        raise StackError(f"the warehouse cannot be reached: {error.orig}") from error


def _period(first: date | None, last: date | None) -> Period:
    return Period(
        since=_midnight(first) if first else None,
        until=_midnight(last + timedelta(days=1)) if last else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def summary(exported: EvidenceExport) -> str:
    """Return a readable list of the files that were written."""
    lines = [f"captures: {exported.captures}, records: {exported.records}; every hash was verified"]
    lines += [f"{file.path}  {file.size} bytes  sha256 {file.sha256}" for file in exported.files]
    return "\n".join(lines)
