"""Where the site's API is, when nobody says so."""

from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from pipeline.register.list_api import LIST_PATH
from pipeline.settings import LIVE_SITE
from warehouse.schema.tables import capture_payloads, source_data

LIVE_API = "https://api.openmoney.md"
_CAPTURES_LOOKED_AT = 1000


class ApiUnknown(RuntimeError):
    """Nothing says where the site's API is; the message says what does."""


def list_url(connection: Connection, *, site_url: str, api_url: str | None) -> str:
    """Return the address of the list of companies. Raises ApiUnknown."""
    if api_url:
        return f"{api_url.rstrip('/')}{LIST_PATH}"
    if urlsplit(site_url).netloc == urlsplit(LIVE_SITE).netloc:
        return f"{LIVE_API}{LIST_PATH}"
    found = _seen_in_captures(connection, site_url)
    if found is None:
        raise ApiUnknown(
            f"where the API of {site_url} is cannot be told: no page captured there fetched"
            f" {LIST_PATH}/{{idno}}. Name it in REGISTRU_API_URL, or scrape a company first."
        )
    return found


def _seen_in_captures(connection: Connection, site_url: str) -> str | None:
    """What the newest capture's page asked for its company, without the company."""
    newest = (
        select(source_data.c.id, source_data.c.idno)
        .where(source_data.c.url.startswith(f"{site_url.rstrip('/')}/", autoescape=True))
        .order_by(source_data.c.id.desc())
        .limit(_CAPTURES_LOOKED_AT)
        .subquery()
    )
    url: str | None = connection.scalar(
        select(capture_payloads.c.url)
        .join(newest, newest.c.id == capture_payloads.c.source_data_id)
        .where(capture_payloads.c.url.endswith(f"{LIST_PATH}/" + newest.c.idno))
        .order_by(newest.c.id.desc())
        .limit(1)
    )
    return url.rsplit("/", 1)[0] if url else None
