"""Pages of the quarantine, read from the warehouse."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from api.quarantine.schemas import QuarantinePage
from warehouse.records.models import QuarantinedCapture
from warehouse.schema.tables import quarantine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class QuarantinePosition:
    """Where a capture stands in the list: the time of the last attempt to transform it, and its id."""

    last_tried_at: datetime
    source_data_id: int

    @classmethod
    def parse(cls, text: str) -> "QuarantinePosition":
        """Parse the text that `str` returns for a position."""
        microseconds, _, source_data_id = text.partition("-")
        return cls(_EPOCH + timedelta(microseconds=int(microseconds)), int(source_data_id))

    def __str__(self) -> str:
        return f"{(self.last_tried_at - _EPOCH) // timedelta(microseconds=1)}-{self.source_data_id}"


async def load_page(
    connection: AsyncConnection, *, limit: int, after: QuarantinePosition | None
) -> QuarantinePage:
    """Return at most `limit` captures, the most recently tried first; with `after`, those that follow that capture."""
    column = quarantine.c
    order = (column.last_tried_at, column.source_data_id)
    query = select(quarantine).order_by(*(key.desc() for key in order)).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(*order) < (after.last_tried_at, after.source_data_id))
    captures = [QuarantinedCapture.model_validate(row) for row in await connection.execute(query)]
    total = await connection.scalar(select(func.count()).select_from(quarantine))
    page = captures[:limit]
    next_position = None
    if len(captures) > limit:
        next_position = str(QuarantinePosition(page[-1].last_tried_at, page[-1].source_data_id))
    return QuarantinePage(captures=page, total=total or 0, next=next_position)
