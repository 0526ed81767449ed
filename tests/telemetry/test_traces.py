"""Traces: nothing is imported without a collector, and spans of several processes form one trace."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from stack.home import PROJECT
from telemetry import traces
from tests.observability.collector import Collector, collecting

UNTRACED = """
import sys
from datetime import datetime, timedelta, UTC
from telemetry import traces
traces.set_up(None, service="tests")
with traces.span("work", parent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", idno="1") as span:
    traces.record_span("part", started_at=datetime.now(UTC), duration=timedelta(seconds=1))
assert (span, traces.traceparent(), traces.trace_id(), traces.is_enabled()) == (None, None, None, False)
traces.close()
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that receives this process's spans."""
    with collecting() as running:
        traces.set_up(running.endpoint, service="tests")
        yield running
        traces.close()


@pytest.mark.usefixtures("starts_stores")
def test_without_a_collector_opentelemetry_is_not_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNTRACED], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_trace_continues_from_the_traceparent_of_another_process(collector: Collector) -> None:
    with traces.span("one", run_id="r", error=None):
        traceparent = traces.traceparent()
    with traces.span("two", parent=traceparent):
        assert traceparent is not None
        assert traces.trace_id() == traceparent.split("-")[1]
    traces.close()
    one, two = sorted(collector.spans, key=lambda span: span.name)
    assert (one.name, two.name, two.trace_id, two.parent_id) == ("one", "two", one.trace_id, one.span_id)
    assert one.attributes == {"registru.run_id": "r"}


@pytest.mark.parametrize("parent", ["", "nonsense", "00-0-0-00", "00-" + "g" * 32 + "-" + "2" * 16 + "-01"])
def test_malformed_traceparent_starts_a_new_trace(collector: Collector, parent: str) -> None:
    with traces.span("one", parent=parent):
        pass
    traces.close()
    [one] = collector.spans
    assert one.parent_id == ""
