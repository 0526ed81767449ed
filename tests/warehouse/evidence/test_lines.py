"""Headers, status lines and URLs in a WARC file and its index."""

from typing import Any

import pytest

from warehouse.evidence.cdxj import surt
from warehouse.evidence.warc_headers import header_pairs, headers_for_body, status_line


@pytest.mark.parametrize(
    "kept",
    [
        {"Set-Cookie": "a=1\nb=2", "Server": "x"},
        [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], ["Server", "x"]],
        [{"name": "Set-Cookie", "value": "a=1\nb=2"}, {"name": "Server", "value": "x"}],
    ],
)
def test_headers_are_read_in_every_stored_format(kept: Any) -> None:
    assert header_pairs(kept) == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Server", "x")]


def test_header_cannot_inject_another_line() -> None:
    kept = [["a", "1\r\x00 2"], [":status", "200"], ["b\r\nc", "x"], ["", "y"]]
    assert header_pairs(kept) == [("a", "1  2")]
    assert header_pairs(None) == header_pairs({}) == []


def test_transfer_headers_are_renamed_and_the_length_is_computed() -> None:
    kept = {"Transfer-Encoding": "chunked", "Content-Length": "9"}
    renamed = [("X-Archive-Orig-Transfer-Encoding", "chunked"), ("X-Archive-Orig-Content-Length", "9")]
    assert headers_for_body(kept, None) == renamed
    assert headers_for_body(kept, b"abc") == [*renamed, ("Content-Length", "3")]


@pytest.mark.parametrize(("code", "line"), [(404, "404 Not Found"), (520, "520")])
def test_status_has_its_phrase_if_there_is_one(code: int, line: str) -> None:
    assert status_line(code) == line


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://openmoney.md/companies/1", "md,openmoney)/companies/1"),
        ("https://www.OpenMoney.md:443/Companies/1?b=2&A=1", "md,openmoney)/companies/1?a=1&b=2"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000)/"),
        ("https://api.openmoney.md/x?q", "md,openmoney,api)/x?q="),
        ("urn:view:https://openmoney.md/", "urn:view:https://openmoney.md/"),
    ],
)
def test_sort_key_starts_with_the_reversed_host(url: str, key: str) -> None:
    assert surt(url) == key
