"""Renders the pages; whatever comes from a request is escaped."""

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
    # No scripts, nothing from elsewhere, forms to this site only, in nobody's frame.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    # A page is kept apart from whatever opened it, and whoever is signed in is nobody else's to know.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Cookie",
    # With no-referrer browsers would send the form with `Origin: null`, which tells nothing of where it comes from.
    "Referrer-Policy": "same-origin",
}
_MAY = {
    Role.ADMIN: "manages accounts, and may do everything",
    Role.STANDARD: "asks for companies, and launches runs in Dagster",
    Role.READONLY: "reads companies, and looks at Dagster",
}


def sign_in_page(
    *, csrf: str, next_path: str, username: str = "", message: str | None = None, status: int = 200
) -> HTMLResponse:
    """The form to sign in; `message` says what was wrong with the last try."""
    return _page("sign_in.html", status, csrf=csrf, next_path=next_path, username=username, message=message)


def signed_in_page(*, csrf: str, username: str, role: Role) -> HTMLResponse:
    """Who is signed in, where to go, and the way out."""
    return _page("signed_in.html", 200, csrf=csrf, username=username, role=role, may=_MAY[role])


def message_page(message: str, *, status: int) -> HTMLResponse:
    """What went wrong, and the way back."""
    return _page("message.html", status, message=message)


def _page(template: str, status: int, **values: Any) -> HTMLResponse:
    html = _TEMPLATES.get_template(template).render(style=_STYLE, **values)
    return HTMLResponse(html, status, _HEADERS)
