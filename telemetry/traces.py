"""Traces by OpenTelemetry, where a collector is named; without one nothing of it is imported, and a span costs nothing.

A span is one piece of work. Its context goes from process to process as W3C `traceparent`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any

_PATH = "/v1/traces"
_EXPORT_SECONDS = 5

_tracer: Any = None
_provider: Any = None


def set_up(endpoint: str | None, *, service: str) -> None:
    """Send this process's spans to a collector. It starts a thread: call it after forking."""
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
            f"REGISTRU_OTLP_ENDPOINT is set, and {error.name} is not installed: pip install 'registru[otel]'"
        ) from error
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}{_PATH}", timeout=_EXPORT_SECONDS)
    _provider = TracerProvider(resource=Resource.create({"service.name": f"registru-{service}"}))
    _provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    _tracer = _provider.get_tracer("registru")


def is_on() -> bool:
    """Tell whether there are traces."""
    return _tracer is not None


def span(
    name: str, *, parent: str | None = None, is_server: bool = False, **attributes: Any
) -> AbstractContextManager[Any]:
    """Time a piece of work, as part of the one around it or of that which `parent` (a traceparent) names."""
    if _tracer is None:
        return nullcontext()
    return _span(name, parent=parent, is_server=is_server, attributes=attributes)


@contextmanager
def _span(name: str, *, parent: str | None, is_server: bool, attributes: dict[str, Any]) -> Iterator[Any]:
    from opentelemetry.trace import SpanKind

    kind = SpanKind.SERVER if is_server else SpanKind.INTERNAL
    said = {f"registru.{name}": value for name, value in attributes.items() if value is not None}
    context = _context_of(parent)
    with _tracer.start_as_current_span(name, context=context, kind=kind, attributes=said) as current:
        yield current


def note(name: str, *, began: datetime, took: timedelta, **attributes: Any) -> None:
    """Write down a piece of work that is over, as part of the one around it."""
    if _tracer is None:
        return
    start = round(began.timestamp() * 1e9)
    said = {f"registru.{name}": value for name, value in attributes.items() if value is not None}
    done = _tracer.start_span(name, start_time=start, attributes=said)
    done.end(start + round(took.total_seconds() * 1e9))


def _context_of(parent: str | None) -> Any:
    if parent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


def traceparent() -> str | None:
    """Return the current span as W3C traceparent, None if there is none."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """Return the id of the trace that is being worked at, None if there is none."""
    parent = traceparent()
    return parent.split("-")[1] if parent else None


def close() -> None:
    """Send what is left, and stop; a collector that does not answer is waited for five seconds at most."""
    global _tracer, _provider
    if _provider is not None:
        provider, _provider, _tracer = _provider, None, None
        provider.shutdown()
