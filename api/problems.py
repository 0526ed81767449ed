"""Every error the API answers with, and the one place that renders them (RFC 9457 problem details)."""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from telemetry import request_ids

logger = logging.getLogger(__name__)

_SHOWN_CHARACTERS = 100
_OUTAGE_STATES = ("08", "28", "53", "57P")
"""SQLSTATE classes: connection exception, refused sign-in (a password is being changed), out of resources, operator
intervention."""
_SECRET_FIELDS = frozenset({"password", "current_password", "new_password", "token", "refresh_token"})


class Problem(HTTPException):
    """An error with a meaning to the caller. Subclasses name the status."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.status, detail, headers)


class NotSignedIn(Problem):
    """No token, or one that is not good (any more)."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        super().__init__(detail, {"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """Signed in, but not allowed to do this."""

    status = HTTPStatus.FORBIDDEN


class Invalid(Problem):
    """A field of the request cannot have this value; the reason never shows a secret."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.errors = [{"field": field, "reason": reason}]


class TooManyRequests(Problem):
    """A rate limit is exceeded; the headers tell the client when to retry."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class NotFound(Problem):
    """There is no such thing, or none that the caller may know of."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    """What is asked for collides with what is there."""

    status = HTTPStatus.CONFLICT


class TooLarge(Problem):
    """The request's body is larger than allowed."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unavailable(Problem):
    """A part of the platform does not answer; nothing was begun."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str, retry_after_seconds: int = 5) -> None:
        super().__init__(detail, {"Retry-After": str(retry_after_seconds)})


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
) -> Response:
    """Render an error as problem details; `errors` name the fields that are wrong."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    if (request_id := request_ids.current()) is not None:
        content["request_id"] = request_id
    if errors:
        content["errors"] = list(errors)
    # What is refused may hold half of a surrogate pair, which UTF-8 cannot.
    body = json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make `app` answer every error as problem details."""
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    for outage in (RedisConnectionError, RedisTimeoutError, InterfaceError, OperationalError, DBAPIError):
        app.add_exception_handler(outage, _on_outage)
    for refusal in (PoolTimeoutError, ConnectionError, TimeoutError):
        app.add_exception_handler(refusal, _on_outage)
    app.add_exception_handler(RuntimeError, _on_runtime_error)
    app.add_exception_handler(Exception, _on_uncaught)


async def on_http_exception(_: Request, error: Exception) -> Response:
    """Render an HTTP error."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST and error.detail == "There was an error parsing the body":
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "body: it is no JSON that can be read")
    errors = error.errors if isinstance(error, Invalid) else ()
    return problem(error.status_code, str(error.detail), headers=error.headers, errors=errors)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_field_error(entry) for entry in error.errors()]
    detail = "; ".join(f"{entry['field']}: {entry['reason']}" for entry in errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _field_error(entry: Mapping[str, Any]) -> dict[str, Any]:
    location = [str(part) for part in entry["loc"] if part not in ("body", "query", "path", "header")]
    field = ".".join(location) or "body"
    reason = str(entry["msg"]).removeprefix("Value error, ")
    value = entry.get("input")
    shown = isinstance(value, str | int | float | bool) and field not in _SECRET_FIELDS
    return {"field": field, "reason": reason, **({"value": str(value)[:_SHOWN_CHARACTERS]} if shown else {})}


async def _on_outage(request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not _is_outage(error):
        return await _on_bug(request, error)
    logger.warning(
        "%s %s: a store does not answer: %s", request.method, request.url.path, type(error).__name__
    )
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "a store of the platform does not answer; nothing was begun, try again",
        headers={"Retry-After": "5"},
    )


def _is_outage(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, InterfaceError | OperationalError):
        return True
    # asyncpg's errors of a server that starts or stops come without a class of their own.
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_OUTAGE_STATES)


async def _on_runtime_error(request: Request, error: Exception) -> Response:
    # What uvloop says of a connection that the other side closed while it was being set up.
    closed = "the handler is closed" in str(error)
    return await (_on_outage if closed else _on_bug)(request, error)


async def _on_bug(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; the failure is in its log")


async def _on_uncaught(request: Request, error: Exception) -> Response:
    # Rendered outside of all middleware.
    response = await _on_bug(request, error)
    response.headers[request_ids.HEADER] = request_ids.current() or ""
    return response
