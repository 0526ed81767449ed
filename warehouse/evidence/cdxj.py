"""Lines of a CDXJ index. Each contains a sortable URL, a time, and the record's place in the WARC file."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

_PORTS = {"http": 80, "https": 443}


def surt(url: str) -> str:
    """Return the sort key of a URL (SURT): md,openmoney)/companies/1 for https://openmoney.md/companies/1."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        return url
    host = (parts.hostname or "").removeprefix("www.")
    is_address = host.replace(".", "").isdigit() or ":" in host
    reversed_host = host if is_address else ",".join(reversed(host.split(".")))
    port = f":{parts.port}" if parts.port not in (None, _PORTS[parts.scheme]) else ""
    query = urlencode(sorted(parse_qsl(parts.query.lower(), keep_blank_values=True)))
    return f"{reversed_host}{port}){parts.path.lower() or '/'}{f'?{query}' if query else ''}"


def line(url: str, moment: datetime, fields: dict[str, str]) -> str:
    """Return a line of the index, without the line end."""
    timestamp = moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    return f"{surt(url).replace(' ', '%20')} {timestamp} {json.dumps({'url': url, **fields}, ensure_ascii=False)}"
