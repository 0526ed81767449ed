"""Middleware that gives each request an id, counts it, and optionally traces and logs it."""

import logging
from collections.abc import Iterable
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics.process_metrics import process_metrics
from telemetry import request_ids, traces

logger = logging.getLogger(__name__)

_HEADER = request_ids.HEADER.lower().encode()
_TRACEPARENT = b"traceparent"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_UNMATCHED = "unmatched"
_MOST_SERIES = 1_000
"""Maximum number of cached combinations of route, method, status and kind. In practice the API has fewer."""


class RequestTelemetry:
    """The outermost middleware: request ids, metrics, spans and the access log."""

    def __init__(self, app: ASGIApp, *, logs_all: bool) -> None:
        """Wrap `app`; with `logs_all`, log every request, not only those that failed."""
        self._app, self._logs_all = app, logs_all
        self._metrics = process_metrics()
        self._series: dict[tuple[str, str, int, str], tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = scope["headers"]
        request_id = request_ids.begin(_field(headers, _HEADER))
        field = (_HEADER, request_id.encode())
        status, began, answered = 500, perf_counter(), 0.0

        async def send_observed(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], perf_counter()
                message["headers"].append(field)
            await send(message)

        self._metrics.in_flight.inc()
        try:
            if traces.is_enabled():
                await self._traced(scope, receive, send_observed, status=lambda: status)
            else:
                await self._app(scope, receive, send_observed)
        finally:
            self._metrics.in_flight.dec()
            self._measure(scope, status, (answered or perf_counter()) - began)

    async def _traced(self, scope: Scope, receive: Receive, send: Send, *, status: Any) -> None:
        parent = _field(scope["headers"], _TRACEPARENT)
        with traces.span(str(scope["method"]), parent=parent, is_server=True) as span:
            try:
                await self._app(scope, receive, send)
            finally:
                route = _route(scope)
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status())
                span.set_attribute("registru.request_id", request_ids.current() or "")

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _route(scope)
        kind = _kind(scope, route)
        series = self._series.get((route, method, status, kind))
        if series is None:
            series = (
                self._metrics.requests.labels(route, method, str(status)),
                self._metrics.durations.labels(route, method, kind),
            )
            if len(self._series) < _MOST_SERIES:
                self._series[route, method, status, kind] = series
        series[0].inc()
        series[1].observe(seconds)
        if status >= 400 or self._logs_all:
            logger.log(
                logging.WARNING if status >= 500 else logging.INFO,
                "answered",
                extra={
                    "method": method,
                    "route": route,
                    "path": scope["path"][:200],
                    "status": status,
                    "duration_ms": round(seconds * 1000, 1),
                },
            )


def _field(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    return (path.rstrip("/") or "/") if isinstance(path, str) else _UNMATCHED


def _kind(scope: Scope, route: str) -> str:
    if route.endswith("/events"):
        return "stream"
    return "wait" if b"wait=" in scope["query_string"] else "plain"
