"""The quarantine in the warehouse, page by page."""

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
    """A place in the order of the quarantine: of the capture there, when it was last tried, and its id."""

    last_tried_at: datetime
    source_data_id: int

    @classmethod
    def parse(cls, text: str) -> "QuarantinePosition":
        """Return the place that `str` wrote."""
        microseconds, _, source_data_id = text.partition("-")
        return cls(_EPOCH + timedelta(microseconds=int(microseconds)), int(source_data_id))

    def __str__(self) -> str:
        return f"{(self.last_tried_at - _EPOCH) // timedelta(microseconds=1)}-{self.source_data_id}"


async def load_page(
    connection: AsyncConnection, *, limit: int, after: QuarantinePosition | None
) -> QuarantinePage:
    """Return what is in quarantine, the one tried last first, after a place."""
    column = quarantine.c
    order = (column.last_tried_at, column.source_data_id)
    query = select(quarantine).order_by(*(each.desc() for each in order)).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(*order) < (after.last_tried_at, after.source_data_id))
    found = [QuarantinedCapture.model_validate(row) for row in await connection.execute(query)]
    total = await connection.scalar(select(func.count()).select_from(quarantine))
    page, last = found[:limit], found[:limit][-1:]
    is_last = len(found) <= limit
    places = [str(QuarantinePosition(each.last_tried_at, each.source_data_id)) for each in last]
    return QuarantinePage(captures=page, total=total or 0, next=None if is_last else places[0])
