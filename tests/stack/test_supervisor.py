"""What a process is told arrives as it was said."""

import json

import pytest
from supervisor.datatypes import dict_of_key_value_pairs

from stack.errors import StackError
from stack.supervisor import _environment


@pytest.mark.parametrize(
    "value",
    ["plain", "", "a=b,c d", "50%", json.dumps([{"secret": "x", "retired_at": "2026-01-01T00:00:00+00:00"}]),
     json.dumps(["https://a.example", "https://b.example:8443"]), "it's"],
)  # fmt: skip
def test_a_setting_arrives_whole(value: str) -> None:
    written = _environment({"ONE": value, "TWO": "2"})
    read = dict_of_key_value_pairs(written.replace("%%", "%"))
    assert read == {"ONE": value, "TWO": "2"}


def test_a_setting_that_cannot_be_written_is_refused_by_name() -> None:
    with pytest.raises(StackError, match="ONE"):
        _environment({"ONE": "\"'"})
