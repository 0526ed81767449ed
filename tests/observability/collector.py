"""A collector of traces: receives OTLP over HTTP and keeps the spans."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class CollectedSpan:
    """A span as received; times are in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    service: str
    attributes: dict[str, Any]
    began: int
    ended: int


@dataclass
class Collector:
    """A running collector and the spans received so far."""

    endpoint: str = ""
    spans: list[CollectedSpan] = field(default_factory=list)

    def trace_of(self, name: str, **attributes: str) -> list[CollectedSpan]:
        """Return all spans of the trace that contains a span with this name and these attributes; [] without one."""
        for span in self.spans:
            sent = {key.removeprefix("registru."): value for key, value in span.attributes.items()}
            if span.name == name and attributes.items() <= sent.items():
                return [other for other in self.spans if other.trace_id == span.trace_id]
        return []


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.spans += _read(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(request: Any) -> Iterator[CollectedSpan]:
    for group in request.resource_spans:
        service = _attributes(group.resource.attributes)["service.name"]
        for scope in group.scope_spans:
            for span in scope.spans:
                yield CollectedSpan(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name,
                    service=service,
                    attributes=_attributes(span.attributes),
                    began=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                )


def _attributes(received: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in received}
