"""What the cache holds of a record: only what a program of the same form wrote is answered as it is."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from standin.site_facts import make_idno
from tests.made_up_record import made_up_record
from warehouse.records.models import CompanyRecord
from warehouse.records.record_cache import FORM, pack, unpack

SHAPES = {3: "992a07f1b73310ab"}
"""What a record holds, by the number of the form."""


def test_a_record_comes_out_byte_by_byte_with_the_time_of_its_capture() -> None:
    made = made_up_record(make_idno(8801), datetime.now(UTC))
    held = unpack(pack(made))
    assert held is not None
    assert held.json == made.model_dump_json().encode()
    assert held.fetched_at == made.source.fetched_at.replace(microsecond=0)
    assert CompanyRecord.model_validate_json(held.json) == made


@pytest.mark.parametrize(
    "held",
    [None, b"", b"{}", b"registru/%d soon\n{}" % FORM, b"registru/%d 1\n{}" % (FORM - 1), b"as it was"],
)
def test_what_no_program_of_this_form_wrote_is_nothing(held: bytes | None) -> None:
    assert unpack(held) is None


def test_the_form_gets_another_number_when_a_record_holds_something_else() -> None:
    schema = json.dumps(CompanyRecord.model_json_schema(mode="serialization"), sort_keys=True)
    shape = sha256(schema.encode()).hexdigest()[:16]
    assert SHAPES.get(FORM) == shape, (
        f"raise FORM in warehouse/records/record_cache.py, and note here that it is {shape}"
    )
