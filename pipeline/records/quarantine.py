"""The table `quarantine`: good captures that could not be transformed, with the reason."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from pipeline.records.capture_store import StoredCapture
from pipeline.transform import version
from warehouse.records.models import QuarantineReason
from warehouse.schema.tables import quarantine

_MAX_DETAIL = 500


class TooManyRefused(Exception):
    """So many captures of a batch could not be transformed that the parser itself is probably wrong."""


@dataclass(frozen=True)
class Refusal:
    """Why a capture could not be transformed."""

    reason: QuarantineReason
    detail: str


@dataclass(frozen=True)
class Tolerance:
    """How many captures of a batch may be refused: `per_cent` of the batch or `at_least`, whichever is more."""

    per_cent: float = 5.0
    at_least: int = 10

    def check(self, *, refused: int, tried: int, example: str) -> None:
        """Raise TooManyRefused if more captures were refused than are tolerated.

        Args:
            refused: The number of refused captures. Captures that were in quarantine before the batch do not count.
            tried: The number of captures in the batch.
            example: The detail of one refusal, for the error's message.
        """
        if refused > max(self.at_least, tried * self.per_cent / 100):
            raise TooManyRefused(
                f"{refused} of {tried} captures could not be transformed; {self.per_cent:g} per cent or"
                f" {self.at_least} captures are tolerated (REGISTRU_QUARANTINE_PER_CENT). The last one: {example}"
            )


def quarantined(connection: Connection, captures: Sequence[StoredCapture]) -> set[int]:
    """Return the `source_data_id` of each of these captures that is in quarantine."""
    query = select(quarantine.c.source_data_id).where(
        quarantine.c.source_data_id.in_([capture.source_data_id for capture in captures])
    )
    return set(connection.scalars(query))


def add_to_quarantine(connection: Connection, refusals: Sequence[tuple[StoredCapture, Refusal]]) -> None:
    """Store captures that this transform version could not transform, each with the reason."""
    if not refusals:
        return
    now = datetime.now(UTC)
    rows = [
        {
            "source_data_id": capture.source_data_id,
            "idno": capture.idno,
            "reason": refusal.reason,
            "detail": refusal.detail[:_MAX_DETAIL].replace("\x00", ""),
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


def remove_from_quarantine(connection: Connection, captures: Collection[StoredCapture]) -> None:
    """Remove captures that have been transformed, and all older captures of the same companies."""
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
