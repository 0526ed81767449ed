"""The browser's cookies: the session's, and whether a request that carries them comes from our own pages."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from api.problems import Forbidden

_SESSION = "registru_session"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def cookie_name(request: Request, name: str = _SESSION) -> str:
    """Return a cookie's name; behind TLS with the prefix that keeps other hosts of the domain from setting it."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def session_cookie(request: Request) -> str | None:
    """Return the session's cookie, whoever made the browser send it."""
    return request.cookies.get(cookie_name(request))


def own_cookie(request: Request) -> str | None:
    """Return the session's cookie. Raises Forbidden if another site made the browser send it."""
    cookie = session_cookie(request)
    if cookie is not None and not is_from_own_page(request):
        raise Forbidden("another site's page may not use your sign-in")
    return cookie


def set_session_cookie(request: Request, response: Response, value: str, *, seconds: int) -> None:
    """Give the browser its session."""
    set_cookie(request, response, _SESSION, value, seconds=seconds, same_site="lax")


def drop_session_cookie(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    set_cookie(request, response, _SESSION, "", seconds=0, same_site="lax")


def set_cookie(
    request: Request, response: Response, name: str, value: str, *, seconds: int | None, same_site: str
) -> None:
    """Set a cookie that no script can read, and that goes over TLS only if we are behind it."""
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
    """Tell whether a browser's request comes from our own pages, or from the user's own hand.

    `SameSite` alone does not tell: another port or a sibling host is the same site. Browsers say where a request
    comes from in Origin (always for POST and WebSocket) and in Sec-Fetch-Site.
    """
    headers, method = request.headers, request.headers.get("x-forwarded-method", request.method)
    origin = headers.get("origin")
    if origin is not None:
        own = _host(f"{request.url.scheme}://{_asked_host(headers)}")
        return own is not None and _host(origin) == own
    navigates = method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
    return navigates or headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _asked_host(headers: Headers) -> str:
    return headers.get("x-forwarded-host", headers.get("host", ""))


def _host(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
