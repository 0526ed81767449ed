"""The browser's session cookie, and the check that a request with a cookie comes from this site's own pages."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from api.problems import Forbidden

_SESSION = "registru_session"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def cookie_name(request: Request, name: str = _SESSION) -> str:
    """Return a cookie's name. Over TLS it gets a prefix, so that other hosts of the domain cannot set the cookie."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def session_cookie(request: Request) -> str | None:
    """Return the session cookie without checking which site made the browser send the request."""
    return request.cookies.get(cookie_name(request))


def own_cookie(request: Request) -> str | None:
    """Return the session cookie. Raises Forbidden if another site made the browser send the request."""
    cookie = session_cookie(request)
    if cookie is not None and not is_from_own_page(request):
        raise Forbidden("the session cookie is accepted only from this site's own pages")
    return cookie


def set_session_cookie(request: Request, response: Response, value: str, *, seconds: int) -> None:
    """Set the session cookie."""
    set_cookie(request, response, _SESSION, value, seconds=seconds, same_site="lax")


def drop_session_cookie(request: Request, response: Response) -> None:
    """Delete the session cookie."""
    set_cookie(request, response, _SESSION, "", seconds=0, same_site="lax")


def set_cookie(
    request: Request, response: Response, name: str, value: str, *, seconds: int | None, same_site: str
) -> None:
    """Set a cookie that scripts cannot read. If the request came over TLS, the cookie is never sent without TLS.

    Args:
        request: The request that is answered. If it came over TLS, the cookie gets a prefix and the Secure flag.
        response: The response that gets the cookie.
        name: The cookie's name without the prefix.
        value: The cookie's value.
        seconds: Lifetime; None for a cookie that ends with the browser session.
        same_site: The SameSite attribute, `lax` or `strict`.
    """
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite=same_site,  # type: ignore[arg-type]
    )


def is_from_own_page(request: Request) -> bool:
    """Return whether a browser's request comes from this site's own pages, or opens a page with GET or HEAD.

    `SameSite` alone is not enough: another port or a sibling host counts as the same site. Browsers name the origin of
    a request in Origin (always for POST and WebSocket) and in Sec-Fetch-Site.
    """
    headers, method = request.headers, request.headers.get("x-forwarded-method", request.method)
    origin = headers.get("origin")
    if origin is not None:
        own = _host(f"{request.url.scheme}://{_requested_host(headers)}")
        return own is not None and _host(origin) == own
    navigates = method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
    return navigates or headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _requested_host(headers: Headers) -> str:
    return headers.get("x-forwarded-host", headers.get("host", ""))


def _host(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
