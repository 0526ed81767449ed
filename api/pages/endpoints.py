"""Sign-in and sign-out with a browser. The session cookie opens Dagster's web UI, but not the JSON API."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Form
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from api.auth import sessions
from api.auth.callers import Caller, caller_from_cookie
from api.auth.cookies import (
    cookie_name,
    drop_session_cookie,
    is_from_own_page,
    session_cookie,
    set_cookie,
    set_session_cookie,
)
from api.auth.dependencies import PUBLIC, needs
from api.auth.service import authenticate
from api.auth.tokens import AccessTokens
from api.pages.csrf import CSRF_COOKIE, form_token, is_valid_form_token, new_token
from api.pages.paths import safe_next
from api.pages.render import message_page, sign_in_page, signed_in_page
from api.problems import NotSignedIn, TooManyRequests
from api.routing import Router
from api.runtime.client_address import ClientDep, RequestClient
from api.services import Services, ServicesDep

router = Router(include_in_schema=False)

_VERIFY = "/auth/verify"
_STALE_FORM = "This form has expired or comes from another site. Please try again."
_Render = Callable[[Request, Exception], Awaitable[Response]]


@router.get("/sign-in")
@needs(PUBLIC)
async def show(request: Request, services: ServicesDep, next: str | None = None) -> Response:
    """Show the sign-in form, or the account if the browser is signed in."""
    caller = await _signed_in(request, services)
    if caller is None:
        return _form(request, services.tokens, next_path=safe_next(next))
    cookie, token = _csrf(request, services.tokens)
    page = signed_in_page(csrf=token, username=caller.username, role=caller.role)
    return _with_csrf_cookie(request, page, cookie)


@router.post("/sign-in")
@needs(PUBLIC)
async def sign_in(
    request: Request,
    services: ServicesDep,
    client: ClientDep,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Sign in, and redirect to the page that the user asked for."""
    name, next_path = username.strip(), safe_next(next)
    if not _is_own_form(request, services.tokens, csrf):
        return _form(
            request, services.tokens, next_path=next_path, username=name, message=_STALE_FORM, status=403
        )
    lifetime = timedelta(hours=services.settings.browser_hours)
    try:
        account = await authenticate(services, client, username=name, password=password)
        value = await sessions.open_browser_session(services.users, client, account, lifetime=lifetime)
    except (NotSignedIn, TooManyRequests) as refusal:
        message = f"{refusal.detail[:1].upper()}{refusal.detail[1:]}."
        page = _form(
            request,
            services.tokens,
            next_path=next_path,
            username=name,
            message=message,
            status=refusal.status_code,
        )
        page.headers.update(refusal.headers or {})
        return page
    await _end_current_session(request, services, client)
    response = RedirectResponse(next_path, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    set_session_cookie(request, response, value, seconds=int(lifetime.total_seconds()))
    return response


@router.post("/sign-out")
@needs(PUBLIC)
async def sign_out(
    request: Request, services: ServicesDep, client: ClientDep, csrf: Annotated[str, Form()] = ""
) -> Response:
    """End the browser's session."""
    if not _is_own_form(request, services.tokens, csrf):
        return message_page(_STALE_FORM, status=HTTPStatus.FORBIDDEN)
    await _end_current_session(request, services, client)
    response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    drop_session_cookie(request, response)
    return response


def install(app: FastAPI, otherwise: _Render) -> None:
    """Make /auth/verify return the sign-in page to a browser that is not signed in.

    The gateway calls /auth/verify before every request for Dagster. `otherwise` renders all other errors.
    """

    async def on_not_signed_in(request: Request, error: Exception) -> Response:
        answer = await otherwise(request, error)
        if request.url.path != _VERIFY or not _wants_page(request):
            return answer
        services: Services = request.app.state.services
        next_path = safe_next(request.headers.get("x-forwarded-uri"))
        page = _form(request, services.tokens, next_path=next_path, status=HTTPStatus.UNAUTHORIZED)
        page.headers["WWW-Authenticate"] = answer.headers["WWW-Authenticate"]
        return page

    app.add_exception_handler(NotSignedIn, on_not_signed_in)


def _wants_page(request: Request) -> bool:
    method = request.headers.get("x-forwarded-method", request.method)
    return method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


async def _signed_in(request: Request, services: Services) -> Caller | None:
    cookie = session_cookie(request)
    if cookie is None:
        return None
    try:
        return await caller_from_cookie(services.users, services.state, cookie)
    except NotSignedIn:
        return None


async def _end_current_session(request: Request, services: Services, client: RequestClient) -> None:
    caller = await _signed_in(request, services)
    if caller is not None:
        await sessions.end_sessions(
            services.users, services.state, client, owner=caller.account, only=caller.session_id
        )


def _form(
    request: Request,
    tokens: AccessTokens,
    *,
    next_path: str,
    username: str = "",
    message: str | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    cookie, token = _csrf(request, tokens)
    page = sign_in_page(
        csrf=token, next_path=next_path, username=username[:64], message=message, status=status
    )
    return _with_csrf_cookie(request, page, cookie)


def _csrf(request: Request, tokens: AccessTokens) -> tuple[str, str]:
    """Return the CSRF cookie's value and the form's token.

    The value that the browser already has is kept, so that several forms can be open at the same time.
    """
    cookie = request.cookies.get(cookie_name(request, CSRF_COOKIE)) or new_token()
    return cookie, form_token(cookie, tokens.keys()[0])


def _with_csrf_cookie(request: Request, page: Response, cookie: str) -> Response:
    set_cookie(request, page, CSRF_COOKIE, cookie, seconds=None, same_site="strict")
    return page


def _is_own_form(request: Request, tokens: AccessTokens, token: str) -> bool:
    cookie = request.cookies.get(cookie_name(request, CSRF_COOKIE))
    return is_from_own_page(request) and is_valid_form_token(cookie, token, tokens.keys())
