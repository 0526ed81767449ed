"""The format of records in the cache: a line with the format number and the capture's time, then the response's JSON.

The API parses only the first line. It serves the JSON byte for byte as it was stored.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from warehouse.records.models import CompanyRecord

CACHE_FORMAT = 4
"""The number of the format. Increase it when the fields of a record change: older cached records are then ignored."""

_LINE = re.compile(rb"registru/%d ([0-9]{1,11})\n" % CACHE_FORMAT)


@dataclass(frozen=True)
class CachedRecord:
    """A record's JSON, and the time of its capture, rounded down to the second."""

    fetched_at: datetime
    json: bytes


def company_key(idno: str) -> str:
    """Return the Redis key (cache database) of a company's current record."""
    return f"company:{CACHE_FORMAT}:{idno}"


def pack(record: CompanyRecord) -> bytes:
    """Return the cached form of a record."""
    line = f"registru/{CACHE_FORMAT} {int(record.source.fetched_at.timestamp())}\n"
    return line.encode() + record.model_dump_json().encode()


def unpack(content: bytes | None) -> CachedRecord | None:
    """Return the cached record, or None if the content is missing or has another format."""
    line = _LINE.match(content) if content is not None else None
    if line is None or content is None:
        return None
    return CachedRecord(datetime.fromtimestamp(int(line[1]), UTC), content[line.end() :])
