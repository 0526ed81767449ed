"""Companies' records in the cache: as the answer's JSON, behind a line that tells whether it may be answered as it is.

Whoever serves one reads that line alone; the JSON goes out byte by byte as the writer made it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from warehouse.records.models import CompanyRecord

FORM = 3
"""The number grows with what a record holds: one that an older program wrote lacks what it did not know of."""

_LINE = re.compile(rb"registru/%d ([0-9]{1,11})\n" % FORM)


@dataclass(frozen=True)
class CachedRecord:
    """A record's JSON, and when its capture was made (to the second, rounded down)."""

    fetched_at: datetime
    json: bytes


def company_key(idno: str) -> str:
    """Redis key (cache database) of a company's current record."""
    return f"company:{FORM}:{idno}"


def pack(record: CompanyRecord) -> bytes:
    """Return what the cache holds of a record."""
    line = f"registru/{FORM} {int(record.source.fetched_at.timestamp())}\n"
    return line.encode() + record.model_dump_json().encode()


def unpack(held: bytes | None) -> CachedRecord | None:
    """Return what the cache holds; None for nothing, and for what no program of this form wrote."""
    line = _LINE.match(held) if held is not None else None
    if line is None or held is None:
        return None
    return CachedRecord(datetime.fromtimestamp(int(line[1]), UTC), held[line.end() :])
