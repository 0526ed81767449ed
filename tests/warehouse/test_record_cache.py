"""Only records in the current cache format are served from the cache."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from standin.site_facts import make_idno
from tests.made_up_record import made_up_record
from warehouse.records.models import CompanyRecord
from warehouse.records.record_cache import CACHE_FORMAT, pack, unpack

SHAPES = {3: "aef48c78ea79697b", 4: "971ab084d942bf9b"}
"""The hash of a record's schema, by the number of the format."""


def test_cached_record_is_returned_byte_by_byte_with_its_capture_time() -> None:
    made = made_up_record(make_idno(8801), datetime.now(UTC))
    cached = unpack(pack(made))
    assert cached is not None
    assert cached.json == made.model_dump_json().encode()
    assert cached.fetched_at == made.source.fetched_at.replace(microsecond=0)
    assert CompanyRecord.model_validate_json(cached.json) == made


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{}",
        b"registru/%d soon\n{}" % CACHE_FORMAT,
        b"registru/%d 1\n{}" % (CACHE_FORMAT - 1),
        b"as it was",
    ],
)
def test_content_of_another_format_is_ignored(content: bytes | None) -> None:
    assert unpack(content) is None


def without_descriptions(schema: Any) -> Any:
    """Return a JSON schema without its texts, which change nothing about the cached form."""
    if isinstance(schema, list):
        return [without_descriptions(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # A description is a text; a property of that name would be an object.
    return {
        key: without_descriptions(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str))
    }


def test_changed_record_schema_needs_a_new_format_number() -> None:
    schema = without_descriptions(CompanyRecord.model_json_schema(mode="serialization"))
    shape = sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:16]
    assert SHAPES.get(CACHE_FORMAT) == shape, (
        f"increase CACHE_FORMAT in warehouse/records/record_cache.py, and add {shape} to SHAPES"
    )
