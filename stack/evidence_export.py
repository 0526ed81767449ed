"""Evidence from the warehouse of a home into files, read by the role that can change nothing."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from stack import postgres
from stack.home import Home, Running
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.evidence.evidence_errors import EvidenceError
from warehouse.evidence.export import SUFFIX, Exported, export_evidence
from warehouse.evidence.read import Period
from warehouse.schema import database_roles


def export(
    home: Home, idno: str, *, output: Path | None, first: date | None, last: date | None, overwrite: bool
) -> Exported:
    """Write all that is held of a company, captured from the day `first` to the day `last` (in UTC), to files.

    Raises StackError.
    """
    port = Running.of(home).ports["postgres"]
    url = postgres.url(
        port,
        load_or_create(home.secrets),
        role=database_roles.API,
        database=database_roles.WAREHOUSE_DATABASE,
    )
    # One state of the database for the whole of the file.
    engine = create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    path = output or Path(f"evidence-{idno}{SUFFIX}")
    try:
        with engine.connect() as connection:
            return export_evidence(connection, idno, path, period=_period(first, last), overwrite=overwrite)
    except EvidenceError as error:
        raise StackError(str(error)) from error
    except OperationalError as error:
        raise StackError(f"the warehouse does not answer: {error.orig}") from error


def _period(first: date | None, last: date | None) -> Period:
    return Period(
        since=_midnight(first) if first else None,
        until=_midnight(last + timedelta(days=1)) if last else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def told(exported: Exported) -> str:
    """Return what was written, for a person."""
    lines = [
        f"captures: {exported.captures}, records: {exported.records}; every hash was checked and is right"
    ]
    lines += [f"{file.path}  {file.size} bytes  sha256 {file.sha256}" for file in exported.files]
    return "\n".join(lines)
