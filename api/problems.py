"""The errors that the API answers with, and their rendering as problem details (RFC 9457)."""

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
"""SQLSTATE classes of outages: connection exception, authentication refused (a password is being changed), insufficient
resources, operator intervention."""
_SECRET_FIELDS = frozenset({"password", "current_password", "new_password", "token", "refresh_token"})


class Problem(HTTPException):
    """An error that is explained to the client. Subclasses set the HTTP status."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.status, detail, headers)


class NotSignedIn(Problem):
    """The request has no valid credentials."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        super().__init__(detail, {"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The caller is not allowed to do this."""

    status = HTTPStatus.FORBIDDEN


class Invalid(Problem):
    """A field of the request has an invalid value; the reason never contains a secret."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.errors = [{"field": field, "reason": reason}]


class TooManyRequests(Problem):
    """A rate limit is exceeded; the headers tell the client when to retry."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class NotFound(Problem):
    """The resource does not exist, or the caller may not know that it exists."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    """The request conflicts with the current state."""

    status = HTTPStatus.CONFLICT


class TooLarge(Problem):
    """The request body is larger than allowed."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unavailable(Problem):
    """A part of the platform does not answer; the request changed nothing."""

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
    """Return a response with problem details; `errors` names the invalid fields."""
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
    # A refused value may contain half of a surrogate pair, which UTF-8 cannot encode.
    body = json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make `app` render every error as problem details."""
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    for outage in (RedisConnectionError, RedisTimeoutError, InterfaceError, OperationalError, DBAPIError):
        app.add_exception_handler(outage, _on_outage)
    for refusal in (PoolTimeoutError, ConnectionError, TimeoutError):
        app.add_exception_handler(refusal, _on_outage)
    app.add_exception_handler(RuntimeError, _on_runtime_error)
    app.add_exception_handler(Exception, _on_uncaught)


async def on_http_exception(_: Request, error: Exception) -> Response:
    """Render an HTTP error as problem details."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST and error.detail == "There was an error parsing the body":
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "body: malformed JSON")
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
    is_shown = isinstance(value, str | int | float | bool) and field not in _SECRET_FIELDS
    return {
        "field": field,
        "reason": reason,
        **({"value": str(value)[:_SHOWN_CHARACTERS]} if is_shown else {}),
    }


async def _on_outage(request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not _is_outage(error):
        return await _on_bug(request, error)
    logger.warning(
        "%s %s: PostgreSQL or Redis does not answer: %s",
        request.method,
        request.url.path,
        type(error).__name__,
    )
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "a database of the platform does not answer; nothing was changed, try again later",
        headers={"Retry-After": "5"},
    )


def _is_outage(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, InterfaceError | OperationalError):
        return True
    # asyncpg has no exception class for a server that starts or stops, so the SQLSTATE decides.
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_OUTAGE_STATES)


async def _on_runtime_error(request: Request, error: Exception) -> Response:
    # uvloop raises a RuntimeError with this text if the other side closes a connection that is being set up.
    closed = "the handler is closed" in str(error)
    return await (_on_outage if closed else _on_bug)(request, error)


async def _on_bug(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal error; the server's log has the details under this request id",
    )


async def _on_uncaught(request: Request, error: Exception) -> Response:
    # Starlette calls this handler outside of all middleware, so the request id header is added here.
    response = await _on_bug(request, error)
    response.headers[request_ids.HEADER] = request_ids.current() or ""
    return response
