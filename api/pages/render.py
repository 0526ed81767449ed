"""Renders the pages; everything that comes from a request is escaped."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from api.auth.roles import Role

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
_STYLE = (Path(__file__).parent / "templates" / "style.css").read_text()
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    # No scripts, nothing from other sites, forms to this site only, no framing.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    # A page is isolated from the page that opened it, and is not cached for another user.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Cookie",
    # With no-referrer, browsers would send the form with `Origin: null`, so its origin could not be checked.
    "Referrer-Policy": "same-origin",
}
_PERMISSIONS = {
    Role.ADMIN: "manages accounts and has every permission",
    Role.STANDARD: "requests companies and launches runs in Dagster",
    Role.READONLY: "reads company records and opens Dagster read-only",
}


def sign_in_page(
    *, csrf: str, next_path: str, username: str = "", message: str | None = None, status: int = 200
) -> HTMLResponse:
    """Return the sign-in form.

    Args:
        csrf: The token that the form sends back.
        next_path: The path to open after the sign-in.
        username: The name that is already filled in.
        message: Why the last attempt failed; None for the first attempt.
        status: The HTTP status of the page.
    """
    return _page("sign_in.html", status, csrf=csrf, next_path=next_path, username=username, message=message)


def signed_in_page(*, csrf: str, username: str, role: Role) -> HTMLResponse:
    """Return the page of a signed-in user, with links to the platform's parts and a sign-out button."""
    return _page(
        "signed_in.html", 200, csrf=csrf, username=username, role=role, permissions=_PERMISSIONS[role]
    )


def message_page(message: str, *, status: int) -> HTMLResponse:
    """Return a page with an error message and a link to the sign-in page."""
    return _page("message.html", status, message=message)


def _page(template: str, status: int, **values: Any) -> HTMLResponse:
    html = _TEMPLATES.get_template(template).render(style=_STYLE, **values)
    return HTMLResponse(html, status, _HEADERS)
