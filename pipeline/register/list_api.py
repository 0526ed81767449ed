"""The site's own list of companies, `/api/companies?page=&size=`, page by page."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx

from pipeline.register.listing import Evidence, ListPage, RawRow, WalkedPage, add_row

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


class Http(Protocol):
    """What is needed of an HTTP client; politeness and retries are its own."""

    def get(self, url: str) -> httpx.Response:
        """Fetch a page."""


class NotTheList(RuntimeError):
    """What came is no page of the list. It is kept, so that one can look at it."""

    def __init__(self, reason: str, evidence: Evidence) -> None:
        super().__init__(f"{evidence.url}: {reason}")
        self.evidence = evidence


def walk_list(http: Http, list_url: str, *, page: int, size: int) -> Iterator[WalkedPage]:
    """Yield the pages of the list from page `page` on, in pages of `size`, or smaller where the server wants it.

    Raises NotTheList, and what `http` raises.
    """
    while True:
        evidence = _fetch(http, f"{list_url}?{urlencode({'page': page, 'size': size})}")
        if evidence.status_code in _SIZE_REFUSED and size > _SMALLEST_PAGE:
            smaller = max(size // 2, _SMALLEST_PAGE)
            page, size = page * size // smaller, smaller
            continue
        listing = _checked(evidence)
        total = listing.total or 0
        if page == 0 and 0 < listing.rows < min(size, total):
            size = listing.rows  # the server gives no more at a time, without a word
        is_last = listing.rows == 0 or (page + 1) * size >= total
        yield WalkedPage(page, size, is_last, listing, evidence)
        if is_last:
            return
        page += 1


def read_page(content: bytes) -> ListPage:
    """Read a page's body. Raises ValueError, saying what is not as it should be."""
    body = json.loads(content)
    if not isinstance(body, dict) or not {"data", "totalItemCount"} <= body.keys():
        raise ValueError("no object with data and totalItemCount")
    rows, total = body["data"], body["totalItemCount"]
    if not isinstance(rows, list) or isinstance(total, bool) or not isinstance(total, int):
        raise ValueError("data is no list, or totalItemCount no whole number")
    listing = ListPage(total=total)
    for number, row in enumerate(rows, start=1):
        add_row(listing, _raw(number, row))
        listing.unknown_fields |= row.keys() - _FIELDS
    if rows and not listing.companies:
        raise ValueError(f"none of {len(rows)} rows has an IDNO; the first: {listing.refused[0].reason}")
    return listing


def _raw(number: int, row: Any) -> RawRow:
    if not isinstance(row, dict) or not {"idno", "fullName"} <= row.keys():
        raise ValueError(f"row {number} is no object with idno and fullName")
    return RawRow(
        row=number,
        idno=row["idno"],
        name=row["fullName"],
        legal_form=row.get("type"),
        is_active=row.get("isActive"),
        registered_on=row.get("registeredAt"),
    )


def _fetch(http: Http, url: str) -> Evidence:
    response = http.get(url)
    return Evidence(
        url=url,
        status_code=response.status_code,
        content=response.content,
        content_type=response.headers.get("Content-Type", "application/octet-stream"),
        fetched_at=datetime.now(UTC),
    )


def _checked(evidence: Evidence) -> ListPage:
    if evidence.status_code != httpx.codes.OK:
        raise NotTheList(f"answered {evidence.status_code}", evidence)
    try:
        return read_page(evidence.content)
    except (ValueError, RecursionError) as reason:  # ValueError: no JSON, no UTF-8 too
        raise NotTheList(f"no page of the list: {reason}", evidence) from reason
