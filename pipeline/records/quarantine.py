"""The table `quarantine`: good captures that could not be transformed, and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.records.capture_store import StoredCapture
from pipeline.transform import version
from warehouse.records.models import QuarantineReason
from warehouse.schema.tables import quarantine

_LONGEST_DETAIL = 500


class TooManyRefused(Exception):
    """So many captures could not be transformed that the reading itself is in doubt: nothing of them is stored."""


@dataclass(frozen=True)
class Refusal:
    """Why a capture could not be transformed."""

    reason: QuarantineReason
    detail: str


@dataclass(frozen=True)
class Tolerance:
    """How many of the captures tried may be refused: `at_least` in any case, beyond that `per_cent` of them."""

    per_cent: float = 5.0
    at_least: int = 10

    def check(self, *, refused: int, tried: int, example: str) -> None:
        """Raise TooManyRefused if more were refused than are tolerated; known refusals are not to be counted."""
        if refused > max(self.at_least, tried * self.per_cent / 100):
            raise TooManyRefused(
                f"{refused} of {tried} captures could not be transformed, {self.per_cent:g} per cent (or"
                f" {self.at_least}) are tolerated (REGISTRU_QUARANTINE_PER_CENT); the last: {example}"
            )


def known_refusals(connection: Connection, captures: Sequence[StoredCapture]) -> set[int]:
    """Return which of these captures are in quarantine."""
    query = select(quarantine.c.source_data_id).where(
        quarantine.c.source_data_id.in_([capture.source_data_id for capture in captures])
    )
    return set(connection.scalars(query))


def set_aside(connection: Connection, refusals: Sequence[tuple[StoredCapture, Refusal]]) -> None:
    """Write down what could not be transformed by this version, and why."""
    if not refusals:
        return
    now = datetime.now(UTC)
    rows = [
        {
            "source_data_id": capture.source_data_id,
            "idno": capture.idno,
            "reason": refusal.reason,
            "detail": refusal.detail[:_LONGEST_DETAIL].replace("\x00", ""),
            "raw_html_sha256": capture.raw_html_sha256,
            "transform_version": version.TRANSFORM_VERSION,
            "tries": 1,
            "first_tried_at": now,
            "last_tried_at": now,
        }
        for capture, refusal in refusals
    ]
    statement = upsert(quarantine).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[quarantine.c.source_data_id],
            set_={
                **{
                    name: statement.excluded[name]
                    for name in ("reason", "detail", "transform_version", "last_tried_at")
                },
                "tries": quarantine.c.tries + 1,
            },
        )
    )


def release(connection: Connection, captures: Collection[StoredCapture]) -> None:
    """Take out what has been transformed, and what is older than that."""
    if captures:
        connection.execute(
            delete(quarantine).where(
                or_(
                    *(
                        and_(
                            quarantine.c.idno == capture.idno,
                            quarantine.c.source_data_id <= capture.source_data_id,
                        )
                        for capture in captures
                    )
                )
            )
        )
