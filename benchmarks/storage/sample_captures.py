"""The captures to store: our crawl visits companies twice with Chrome, and the captures are copied for other companies.

In a copy, the IDNO is replaced everywhere, so that pages, data and URLs differ from the original.
"""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from uuid import uuid4

from pipeline.extract.page_capture import Capture, Payload
from standin import running_site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import Crawler, final, settings_for
from tests.stores import running_valkey
from warehouse.contract import Outcome

_TABS = 4
_FIRST_COPY = 100_000
"""Companies with this number (see `make_idno`) and higher numbers are copies."""
_A_DAY = timedelta(days=1)


def visit_twice(companies: int) -> list[tuple[Capture, Capture]]:
    """Visit companies with pages in all layouts; return two captures of each. Nothing changes between the visits."""
    idnos = [make_idno(7 * number) for number in range(companies)]
    with tempfile.TemporaryDirectory() as folder, running_site() as site:
        settings = settings_for(Path(folder) / "work", site.url, tabs=_TABS, visit_timeout_seconds=30)
        with running_valkey(Path(folder)) as redis:
            rounds = []
            for _ in range(2):
                redis.flushdb()  # otherwise the crawl skips companies that were just captured
                rounds.append(final(Crawler(settings, redis).crawl(idnos)))
    pairs = [(rounds[0][idno], rounds[1][idno]) for idno in idnos]
    wrong = [each.idno for pair in pairs for each in pair if each.outcome is not Outcome.OK]
    if wrong:
        raise SystemExit(f"visits failed: {wrong}")
    return pairs


def copies(originals: Sequence[Capture], count: int) -> Iterator[Capture]:
    """Yield `count` captures of other companies, copied from the originals."""
    for number in range(count):
        yield _of_company(originals[number % len(originals)], make_idno(_FIRST_COPY + number))


def unchanged_copy(capture: Capture) -> Capture:
    """Return a later capture of the same company: a day later, with another date in the headers, otherwise equal."""
    date = format_datetime(capture.fetched_at + _A_DAY, usegmt=True)
    headers = {**(capture.response_headers or {}), "date": date}
    payloads = tuple(
        each.model_copy(update={"response_headers": {**each.response_headers, "date": date}})
        for each in capture.payloads
    )
    changed = {"response_headers": headers, "payloads": payloads, "fetched_at": capture.fetched_at + _A_DAY}
    return capture.model_copy(update={"capture_id": uuid4(), **changed})


def bodies(capture: Capture) -> list[bytes]:
    """Return the bodies of a capture: the rendered page, the document as received, and the payloads."""
    return [
        (capture.html or "").encode(),
        capture.document or b"",
        *(each.body or b"" for each in capture.payloads),
    ]


def raw_bytes(capture: Capture) -> int:
    """Return the size of a capture before compression: all bodies, and the headers of all responses."""
    responses = [capture.response_headers or {}, *(each.response_headers for each in capture.payloads)]
    # A header has the form "name: value" with a line break of two bytes.
    headers = sum(len(name) + len(value) + 4 for each in responses for name, value in each.items())
    return sum(map(len, bodies(capture))) + headers


def _of_company(capture: Capture, idno: str) -> Capture:
    old = capture.idno

    def other(text: str) -> str:
        return text.replace(old, idno)

    def bytes_of_other(content: bytes | None) -> bytes | None:
        return content.replace(old.encode(), idno.encode()) if content is not None else None

    return capture.model_copy(
        update={
            "capture_id": uuid4(),
            "idno": idno,
            "url": other(capture.url),
            "final_url": other(capture.final_url) if capture.final_url else None,
            "html": other(capture.html or ""),
            "document": bytes_of_other(capture.document),
            "payloads": tuple(
                Payload(
                    url=other(payload.url),
                    status_code=payload.status_code,
                    response_headers=payload.response_headers,
                    body=bytes_of_other(payload.body),
                )
                for payload in capture.payloads
            ),
        }
    )
