"""Reader of the site's own list of companies, `/api/companies?page=&size=`."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx

from pipeline.register.listing import ParsedRows, RawRow, ReceivedPage, SweepPage, add_row, as_flag

LIST_PATH = "/api/companies"
PAGE_SIZE = 1000
_SMALLEST_PAGE = 20
_SIZE_REFUSED = (
    httpx.codes.BAD_REQUEST,
    httpx.codes.REQUEST_ENTITY_TOO_LARGE,
    httpx.codes.UNPROCESSABLE_ENTITY,
)
_FIELDS = frozenset(
    {"fullName", "id", "type", "idno", "isActive", "registeredAt", "beneficialOwners", "amount"}
)
"""The fields of a row. `amount` and `beneficialOwners` are ignored: the site's amounts are partly sums with IDNOs."""


class HttpClient(Protocol):
    """An HTTP client. It must throttle and retry, because this module does neither."""

    def get(self, url: str) -> httpx.Response:
        """Fetch a URL."""


class NotAListPage(RuntimeError):
    """The response is not a page of the list. `received` contains the response, so that the caller can store it."""

    def __init__(self, reason: str, received: ReceivedPage) -> None:
        super().__init__(f"{received.url}: {reason}")
        self.received = received


def walk_list(http: HttpClient, list_url: str, *, page: int, size: int) -> Iterator[SweepPage]:
    """Yield the pages of the list, starting at a page number.

    The page size is reduced if the server rejects it as too large or returns fewer rows than requested.

    Args:
        http: The client that fetches the pages.
        list_url: The URL of the list.
        page: The number of the first page to fetch; the list starts with page 0.
        size: The number of companies to request per page.

    Raises:
        NotAListPage: A response is not a page of the list.
    """
    while True:
        received = _fetch(http, f"{list_url}?{urlencode({'page': page, 'size': size})}")
        if received.status_code in _SIZE_REFUSED and size > _SMALLEST_PAGE:
            smaller = max(size // 2, _SMALLEST_PAGE)
            page, size = page * size // smaller, smaller
            continue
        parsed = _parse_response(received)
        total = parsed.total or 0
        if page == 0 and 0 < parsed.row_count < min(size, total):
            size = parsed.row_count  # the server silently limits the page size
        is_last = parsed.row_count == 0 or (page + 1) * size >= total
        yield SweepPage(page, size, is_last, parsed, received)
        if is_last:
            return
        page += 1


def read_page(content: bytes) -> ParsedRows:
    """Parse a page's body. Raise ValueError if it is not a page of the list."""
    body = json.loads(content)
    if not isinstance(body, dict) or not {"data", "totalItemCount"} <= body.keys():
        raise ValueError("not an object with data and totalItemCount")
    rows, total = body["data"], body["totalItemCount"]
    if not isinstance(rows, list) or isinstance(total, bool) or not isinstance(total, int):
        raise ValueError("data is not a list, or totalItemCount is not a whole number")
    if rows and not any(isinstance(row, dict) and {"idno", "fullName"} & row.keys() for row in rows):
        raise ValueError(f"none of the {len(rows)} rows is an object with idno or fullName")
    parsed = ParsedRows(total=total)
    known: set[str] = set()
    for number, row in enumerate(rows, start=1):
        _add(parsed, number, row, known)
    return parsed


def _add(parsed: ParsedRows, number: int, row: Any, known: set[str]) -> None:
    if not isinstance(row, dict):
        parsed.reject(number, row, "the row is not an object")
        return
    parsed.unknown_fields |= row.keys() - _FIELDS
    if "idno" not in row:
        parsed.reject(number, row.get("fullName"), "the row has no field idno")
        return
    raw = RawRow(
        row=number,
        idno=row["idno"],
        name=row.get("fullName"),
        legal_form=row.get("type"),
        activity=row.get("isActive"),
        registered_on=row.get("registeredAt"),
        read_activity=as_flag,
    )
    add_row(parsed, raw, known)


def _fetch(http: HttpClient, url: str) -> ReceivedPage:
    response = http.get(url)
    return ReceivedPage(
        url=url,
        status_code=response.status_code,
        content=response.content,
        content_type=response.headers.get("Content-Type", "application/octet-stream"),
        fetched_at=datetime.now(UTC),
    )


def _parse_response(received: ReceivedPage) -> ParsedRows:
    if received.status_code != httpx.codes.OK:
        raise NotAListPage(f"answered with status {received.status_code}", received)
    try:
        return read_page(received.content)
    except (ValueError, RecursionError) as reason:  # ValueError is also raised for malformed JSON and UTF-8
        raise NotAListPage(f"not a page of the list: {reason}", received) from reason
