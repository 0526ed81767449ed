"""Small runs of the API benchmark: both servers are measured and compared, and only correct responses count."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.api.api_load import MeasuredLoad
from benchmarks.api.report import as_text, write_json
from benchmarks.api.rounds import ApiPlan, ApiReport, ApiRow, measure, measure_load
from benchmarks.api.servers import OURS, SMALLEST, Servers
from benchmarks.machine import Machine
from standin.site_facts import make_idno

PLAN = ApiPlan(rounds=1, seconds=0.2, clients=(2,))


@pytest.mark.usefixtures("starts_platform")
def test_both_servers_are_measured() -> None:
    report = measure(PLAN)
    assert [(row.server, row.clients, len(row.per_second)) for row in report.rows] == [
        (OURS, 2, 1),
        (SMALLEST, 2, 1),
    ]
    for row in report.rows:
        assert row.per_second[0] > 0
        assert 0 < row.p50_ms[0] <= row.p99_ms[0]


def test_results_are_compared_with_the_smallest_endpoint(tmp_path: Path) -> None:
    ours, smallest = ApiRow(OURS, 16), ApiRow(SMALLEST, 16)
    for per_second in (800.0, 700.0, 900.0):
        ours.add(MeasuredLoad(per_second, p50_ms=2.0, p99_ms=6.0))
        smallest.add(MeasuredLoad(1000.0, p50_ms=1.0, p99_ms=4.0))
    machine = Machine(2, 4.0, "3.11", "Chromium 1", "2026-01-01T00:00:00+00:00")
    report = ApiReport(machine, ApiPlan(rounds=3, clients=(16,)), [ours, smallest], 2.4, "all share one core")

    write_json(report, tmp_path / "api.json")
    written = json.loads((tmp_path / "api.json").read_text())
    assert written["times_the_smallest_endpoint"] == {"16": {"per_second": 0.8, "p50_ms": 2.0, "p99_ms": 1.5}}
    assert "800 (700..900)" in as_text(report)
    assert "16 clients: 0.8 of the smallest endpoint's throughput, 1.5 times its p99" in as_text(report)


class Refusing(BaseHTTPRequestHandler):
    """A server that refuses each request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def refusing_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.usefixtures("starts_stores")
def test_a_refused_request_fails_the_measurement(
    refusing_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    servers = Servers({OURS: refusing_port}, {}, ["no token"], [make_idno(1)], 1.0)
    with pytest.raises(SystemExit, match="the measurement failed"):
        measure_load(servers, ApiRow(OURS, 2), 0.2)
    assert "answered with HTTP/1.1 401" in capfd.readouterr().err
