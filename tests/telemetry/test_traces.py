"""Traces cost nothing where no collector is named, and little where it does not answer."""

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
    """A collector that this process sends to."""
    with collecting() as running:
        traces.set_up(running.endpoint, service="tests")
        yield running
        traces.close()


def test_without_a_collector_nothing_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNTRACED], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_trace_goes_on_where_another_process_left_it(collector: Collector) -> None:
    with traces.span("one", run_id="r", error=None):
        handed_over = traces.traceparent()
    with traces.span("two", parent=handed_over):
        assert handed_over is not None
        assert traces.trace_id() == handed_over.split("-")[1]
    traces.close()
    one, two = sorted(collector.spans, key=lambda span: span.name)
    assert (one.name, two.name, two.trace_id, two.parent_id) == ("one", "two", one.trace_id, one.span_id)
    assert one.attributes == {"registru.run_id": "r"}


@pytest.mark.parametrize("parent", ["", "nonsense", "00-0-0-00", "00-" + "g" * 32 + "-" + "2" * 16 + "-01"])
def test_what_is_no_traceparent_begins_a_trace_of_its_own(collector: Collector, parent: str) -> None:
    with traces.span("one", parent=parent):
        pass
    traces.close()
    [one] = collector.spans
    assert one.parent_id == ""
