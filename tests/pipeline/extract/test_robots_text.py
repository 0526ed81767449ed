"""robots.txt as servers write it: byte-order marks, other encodings, line ends, and legal oddities (RFC 9309)."""

import json

import pytest

from pipeline.extract.robots import _HostRules, decode

URL = "https://site.example/companies/1003600069773"
FORBIDDEN = "User-agent: *\nDisallow: /\n"


def _allows(content: bytes, url: str = URL) -> bool:
    stored = json.dumps({"status": 200, "text": decode(content)})
    return bool(_HostRules.parse(stored).rules.can_fetch(url, "Registru"))


@pytest.mark.parametrize(
    "content",
    [
        FORBIDDEN.encode(),
        b"\xef\xbb\xbf" + FORBIDDEN.encode(),
        b"\xef\xbb\xbf\xef\xbb\xbf" + FORBIDDEN.encode(),
        b"\xef\xbb\xbfDisallow: /",
        b"\xef\xbb\xbf\r\n\r\nUser-agent: *\r\nDisallow: /\r\n",
        b"# rules\n\xef\xbb\xbfUser-agent: *\nDisallow: /",
        FORBIDDEN.encode("utf-16"),
        b"\xfe\xff" + FORBIDDEN.encode("utf-16-be"),
        FORBIDDEN.encode("utf-16-le"),
        FORBIDDEN.encode("utf-16-be"),
        FORBIDDEN.encode("utf-32"),
        FORBIDDEN.replace("\n", "\r").encode(),
        FORBIDDEN.replace("\n", "\r\n").encode(),
        b"USER-AGENT:*\nDISALLOW:/",
        b"user-agent : *\n\n\tdisallow : /  # all of it",
        b"User-agent: *\n# \xff\xfe\xe0\nDisallow: /",
        b"User-agent: Registru\nDisallow: /\n\nUser-agent: *\nDisallow:",
        b"User-agent: rEGISTRU/2.1 (+https://example.org)\nDisallow: /\n\nUser-agent: *\nAllow: /",
        b"User-agent: Other\nUser-agent: Registru\nDisallow: /",
        b"User-agent: *\nSitemap: https://site.example/map.xml\nDisallow: /",
        b"User-agent: *\nCrawl-delay: 1\nDisallow: /",
        b"User-agent: *\nDisallow: /x\n\nUser-agent: *\nDisallow: /",
        b"User-agent: *\nDisallow: /compani%65s/",
        b"User-agent: *\nDisallow: *",
        b"User-agent: *\nDisallow: /*/1003600069773$",
        b"User-agent: *\nAllow: /companies\nDisallow: /companies/",
        b"Disallow: /\nUser-agent: Other\nDisallow: /x",
        b"Allow: /\nDisallow: /\nUser-agent: *\nCrawl-delay: 1",
    ],
)
def test_a_robots_txt_that_disallows_the_page_forbids_it_in_every_form(content: bytes) -> None:
    assert not _allows(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbfUser-agent: *\nDisallow:",
        b"\xef\xbb\xbfUser-agent: Other\nDisallow: /",
        "User-agent: *\nDisallow: /search".encode("utf-16"),
        b"User-agent: Registru-news\nDisallow: /",
        b"User-agent: *\nDisallow: /\n\nUser-agent: Registru\nAllow: /",
        b"User-agent: *\nDisallow: /\nAllow: /companies/",
        b"User-agent: *\n# Disallow: /",
        b"<!doctype html><title>App</title><app-root></app-root>",
        b"\x00",
        b"\xff\xfe\x00",
    ],
)
def test_a_robots_txt_that_does_not_disallow_the_page_allows_it(content: bytes) -> None:
    assert _allows(content)


def test_rules_that_an_earlier_version_cached_with_a_byte_order_mark_forbid() -> None:
    stored = json.dumps({"status": 200, "text": "\ufeff" + FORBIDDEN})
    assert not _HostRules.parse(stored).rules.can_fetch(URL, "Registru")
