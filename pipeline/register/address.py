"""The URL of the site's list of companies."""

from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from pipeline.register.list_api import LIST_PATH
from pipeline.settings import LIVE_SITE
from warehouse.schema.tables import capture_payloads, source_data

LIVE_API = "https://api.openmoney.md"
_CAPTURES_SEARCHED = 1000


class ApiAddressUnknown(RuntimeError):
    """The URL of the site's API is unknown. The error's message says how to configure it."""


def list_url(connection: Connection, *, site_url: str, api_url: str | None) -> str:
    """Return the URL of the list of companies.

    If `api_url` is set, it is the API's URL. Otherwise the live site has a constant URL, and the URL of any other site
    is derived from the payload URLs of the newest captures. Raise ApiAddressUnknown if there are no captures with
    payloads.
    """
    if api_url:
        return f"{api_url.rstrip('/')}{LIST_PATH}"
    if urlsplit(site_url).netloc == urlsplit(LIVE_SITE).netloc:
        return f"{LIVE_API}{LIST_PATH}"
    url = _url_in_captures(connection, site_url)
    if url is None:
        raise ApiAddressUnknown(
            f"the address of the API of {site_url} is unknown: none of the site's captured pages fetched"
            f" {LIST_PATH}/{{idno}}. Set REGISTRU_API_URL, or scrape a company first."
        )
    return url


def _url_in_captures(connection: Connection, site_url: str) -> str | None:
    """Return the payload URL from which the newest captured page got its company, without the IDNO at the URL's end."""
    newest = (
        select(source_data.c.id, source_data.c.idno)
        .where(source_data.c.url.startswith(f"{site_url.rstrip('/')}/", autoescape=True))
        .order_by(source_data.c.id.desc())
        .limit(_CAPTURES_SEARCHED)
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
