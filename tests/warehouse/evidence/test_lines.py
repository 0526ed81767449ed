"""What goes into the lines of a WARC file and of its index."""

from typing import Any

import pytest

from warehouse.evidence.cdxj import surt
from warehouse.evidence.warc_headers import as_pairs, of_body, status_line


@pytest.mark.parametrize(
    "kept",
    [
        {"Set-Cookie": "a=1\nb=2", "Server": "x"},
        [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], ["Server", "x"]],
        [{"name": "Set-Cookie", "value": "a=1\nb=2"}, {"name": "Server", "value": "x"}],
    ],
)
def test_headers_are_read_in_whatever_form_they_were_kept(kept: Any) -> None:
    assert as_pairs(kept) == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Server", "x")]


def test_a_header_cannot_break_out_of_its_line() -> None:
    kept = [["a", "1\r\x00 2"], [":status", "200"], ["b\r\nc", "x"], ["", "y"]]
    assert as_pairs(kept) == [("a", "1  2")]
    assert as_pairs(None) == as_pairs({}) == []


def test_headers_of_the_wire_are_renamed_and_the_length_is_given_of_what_is_held() -> None:
    kept = {"Transfer-Encoding": "chunked", "Content-Length": "9"}
    renamed = [("X-Archive-Orig-Transfer-Encoding", "chunked"), ("X-Archive-Orig-Content-Length", "9")]
    assert of_body(kept, None) == renamed
    assert of_body(kept, b"abc") == [*renamed, ("Content-Length", "3")]


@pytest.mark.parametrize(("code", "line"), [(404, "404 Not Found"), (520, "520")])
def test_a_status_has_its_phrase_if_there_is_one(code: int, line: str) -> None:
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
def test_urls_are_sorted_by_host_from_the_right(url: str, key: str) -> None:
    assert surt(url) == key
