"""OpenTelemetry traces, exported only where a collector is configured.

Without a collector no OpenTelemetry module is imported and a span costs nothing. A span is one piece of work; its
context passes between processes as a W3C `traceparent`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any

_TRACES_PATH = "/v1/traces"
_EXPORT_TIMEOUT_SECONDS = 5

_tracer: Any = None
_provider: Any = None


def set_up(endpoint: str | None, *, service: str) -> None:
    """Export this process's spans to the collector at `endpoint`; do nothing if it is None.

    The exporter runs in a thread, so call this after forking. Raises RuntimeError if OpenTelemetry is not installed.
    """
    global _tracer, _provider
    if endpoint is None or _provider is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise RuntimeError(
            f"REGISTRU_OTLP_ENDPOINT is set, but {error.name} is not installed; see docs/observability.md, Traces"
        ) from error
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}{_TRACES_PATH}", timeout=_EXPORT_TIMEOUT_SECONDS)
    _provider = TracerProvider(resource=Resource.create({"service.name": f"registru-{service}"}))
    _provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    _tracer = _provider.get_tracer("registru")


def is_enabled() -> bool:
    """Return whether this process exports traces."""
    return _tracer is not None


def span(
    name: str, *, parent: str | None = None, is_server: bool = False, **attributes: Any
) -> AbstractContextManager[Any]:
    """Return a context manager that records its block as a span.

    Args:
        name: The span's name.
        parent: The `traceparent` of the parent span; by default the current span is the parent.
        is_server: Whether the span is the server's side of a request.
        attributes: The span's attributes, without the prefix `registru.`; None values are left out.
    """
    if _tracer is None:
        return nullcontext()
    return _span(name, parent=parent, is_server=is_server, attributes=attributes)


@contextmanager
def _span(name: str, *, parent: str | None, is_server: bool, attributes: dict[str, Any]) -> Iterator[Any]:
    from opentelemetry.trace import SpanKind

    kind = SpanKind.SERVER if is_server else SpanKind.INTERNAL
    with _tracer.start_as_current_span(
        name, context=_context_of(parent), kind=kind, attributes=_prefixed(attributes)
    ) as current:
        yield current


def record_span(name: str, *, started_at: datetime, duration: timedelta, **attributes: Any) -> None:
    """Record work that is already finished as a child of the current span; see `span` for the attributes."""
    if _tracer is None:
        return
    start_ns = round(started_at.timestamp() * 1e9)
    finished = _tracer.start_span(name, start_time=start_ns, attributes=_prefixed(attributes))
    finished.end(start_ns + round(duration.total_seconds() * 1e9))


def _prefixed(attributes: dict[str, Any]) -> dict[str, Any]:
    return {f"registru.{name}": value for name, value in attributes.items() if value is not None}


def _context_of(parent: str | None) -> Any:
    if parent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


def traceparent() -> str | None:
    """Return the current span's context as a W3C `traceparent`, or None outside of a span."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """Return the id of the current trace, or None outside of a span."""
    parent = traceparent()
    return parent.split("-")[1] if parent else None


def close() -> None:
    """Export the remaining spans and stop. If the collector does not answer, give up after five seconds."""
    global _tracer, _provider
    if _provider is not None:
        provider, _provider, _tracer = _provider, None, None
        provider.shutdown()
