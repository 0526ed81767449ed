"""One scrape followed through all processes: by its request id in the logs, by its trace, and in the metrics."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from standin.server import Site
from standin.site_facts import make_idno
from tests.observability import monitoring_files
from tests.observability.collector import CollectedSpan, Collector, collecting
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for

WORKERS = 2
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """The collector that receives the platform's traces."""
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def observed(
    starts_platform: None, site: Site, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """A platform with JSON logs and traces, served by several API workers."""
    home = tmp_path_factory.mktemp("observed")
    with running_platform(
        home,
        site,
        log_format="json",
        otlp_endpoint=collector.endpoint,
        api_workers=str(WORKERS),
        warm_browsers="1",
    ) as running:
        yield running


def scrape(user: PlatformUser, idno: str, request_id: str) -> dict[str, Any]:
    """Request a company with a request id and wait for the result."""
    answer = user.http.post(
        "/scrape/",
        params={"wait": 60},
        json={"idno": idno, "force_refresh": True},
        headers={"X-Request-ID": request_id},
    )
    assert answer.headers["X-Request-ID"] == request_id
    body: dict[str, Any] = answer.json()
    if body["data"] is None:  # a slow machine needed longer
        return {**body, **user.wait(body["run_id"], seconds=240)}
    return body


def lines_about(platform: Platform, request_id: str) -> list[dict[str, Any]]:
    """Return the lines of all logs that contain the request id, by time."""
    lines = [
        json.loads(line)
        for log in platform.home.logs.glob("*.log")
        for line in log.read_text(errors="replace").splitlines()
        if request_id in line
    ]
    return sorted(lines, key=lambda line: line["time"])


@pytest.fixture(scope="module")
def api(observed: Platform) -> Iterator[httpx.Client]:
    """A client of the API that opens a new connection for each request, which any of the workers accepts."""
    url = f"http://127.0.0.1:{observed.ports['api']}"
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=url, trust_env=False, timeout=60, limits=limits) as http:
        read_metrics(http)  # from the first query on, the API counts the runs that end
        yield http


@pytest.fixture(scope="module")
def user(observed: Platform, api: httpx.Client) -> Iterator[PlatformUser]:
    """A signed-in user, who requests nothing before the runs are counted."""
    with observed.signed_in() as signed_in:
        yield signed_in


def read_metrics(api: httpx.Client) -> Samples:
    """Return the metrics as a worker serves them."""
    answer = api.get("/metrics")
    assert answer.status_code == httpx.codes.OK, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return the value of one sample; 0 if there is none."""
    return samples.get((name, frozenset(labels.items())), 0.0)


def wait_for_metrics(api: httpx.Client, what: str, condition: Callable[[Samples], bool]) -> Samples:
    """Return the metrics as soon as they meet a condition."""

    def read_if_met() -> Samples | None:
        samples = read_metrics(api)
        return samples if condition(samples) else None

    return wait_for(what, read_if_met, seconds=120, pause_seconds=0.5)


def test_request_id_is_in_every_log_line_of_a_scrape(observed: Platform, user: PlatformUser) -> None:
    request_id = f"follow-{uuid4()}"
    body = scrape(user, make_idno(7700), request_id)
    assert body["data"], body
    expected = {
        ("api", "run launched"),
        ("api", "scrape accepted, launched"),
        ("run", "visited"),
        ("run", "stored"),
        ("run", "transformed"),
        ("run", "company finished"),
        ("api", "scrape ended"),
    }

    def complete_log() -> list[dict[str, Any]] | None:
        lines = lines_about(observed, request_id)
        return lines if expected <= {(line["service"], line["message"]) for line in lines} else None

    lines = wait_for("every line from the request to the result", complete_log)
    assert {line["run_id"] for line in lines if "run_id" in line} == {body["run_id"]}
    [stored] = [line for line in lines if line["message"] == "stored"]
    rows = observed.query("SELECT run_id FROM source_data WHERE id = :id", id=stored["source_data_id"])
    assert [row["run_id"] for row in rows] == [body["run_id"]]
    tags = {tag["key"]: tag["value"] for tag in observed.run(body["run_id"])["tags"]}
    assert tags["registru/request_id"] == request_id


def test_a_scrape_is_one_trace_from_the_request_to_the_cache(
    observed: Platform, user: PlatformUser, collector: Collector
) -> None:
    request_id = f"trace-{uuid4()}"
    scrape(user, make_idno(7701), request_id)
    expected = {"POST /scrape", "launch", "run", "visit", "store", "transform", "cache"}

    def complete_trace() -> list[CollectedSpan] | None:
        spans = collector.trace_of("launch", request_id=request_id)
        return spans if expected <= {span.name for span in spans} else None

    spans = wait_for("the complete trace", complete_trace)
    by_name, by_id = {span.name: span for span in spans}, {span.span_id: span for span in spans}
    parents = {name: by_id[by_name[name].parent_id].name for name in expected - {"POST /scrape"}}
    assert parents == {
        "launch": "POST /scrape",
        "run": "launch",
        "visit": "run",
        "store": "run",
        "transform": "run",
        "cache": "transform",
    }
    assert by_name["POST /scrape"].parent_id == ""
    assert {by_name[name].service for name in ("launch", "run")} == {"registru-api", "registru-run"}
    assert by_name["visit"].ended - by_name["visit"].began > 0
    assert by_name["visit"].attributes["registru.outcome"] == "ok"
    lines = lines_about(observed, by_name["run"].trace_id)
    assert {line["service"] for line in lines} == {"api", "run"}


def test_trace_of_a_client_continues_in_the_api(user: PlatformUser, collector: Collector) -> None:
    trace_id = uuid4().hex
    user.http.get("/auth/me/", headers={"traceparent": f"00-{trace_id}-{uuid4().hex[:16]}-01"})
    wait_for("the span", lambda: [span for span in collector.spans if span.trace_id == trace_id] or None)


def test_metrics_count_what_runs_do(observed: Platform, api: httpx.Client, user: PlatformUser) -> None:
    finished = {"job": "scrape_companies", "kind": "person", "status": "SUCCESS"}
    [earlier] = observed.query("SELECT count(*) AS captures FROM source_data")

    def are_counted(samples: Samples, captures: int) -> bool:
        return (
            value(samples, "registru_run_results_total", result="captured") >= captures
            and value(samples, "registru_browsers_in_use", how="borrowed") == 0
        )

    before = wait_for_metrics(
        api, "the counts of earlier runs", lambda samples: are_counted(samples, earlier["captures"])
    )
    scrape(user, make_idno(7702), "count-1")
    scrape(user, make_idno(7703), "count-2")

    def increase(samples: Samples, name: str, **labels: str) -> float:
        return value(samples, name, **labels) - value(before, name, **labels)

    total = earlier["captures"] + 2
    after = wait_for_metrics(
        api,
        "the end of both runs",
        lambda samples: (
            are_counted(samples, total)
            and value(samples, "registru_runs_finished_total", **finished) >= total
        ),
    )
    assert increase(after, "registru_visits_total", outcome="ok") == 2
    assert increase(after, "registru_visit_duration_seconds_count") == 2
    assert increase(after, "registru_turn_wait_seconds_count") == 2
    assert increase(after, "registru_run_results_total", result="captured") == 2
    assert increase(after, "registru_transformations_total", result="transformed") == 2
    assert increase(after, "registru_run_duration_seconds_count", kind="person") >= 2
    sessions = [
        increase(after, "registru_browser_sessions_total", how=how) for how in ("borrowed", "started")
    ]
    assert sum(sessions) == 2
    assert value(after, "registru_browsers_in_use", how="borrowed") == 0
    assert value(after, "registru_companies_tracked") == 0


def test_every_worker_serves_the_metrics_of_all_workers(
    observed: Platform, api: httpx.Client, user: PlatformUser
) -> None:
    workers = [
        process
        for process in observed.processes("multiprocessing.spawn")
        if "spawn_main" in " ".join(process.cmdline())
    ]
    assert len(workers) >= WORKERS
    labels = {"route": "/auth/me", "method": "GET", "status": "200"}
    before = value(read_metrics(api), "registru_http_requests_total", **labels)
    for _ in range(12):  # over new connections, so that both workers serve some
        assert api.get("/auth/me/", headers={"Authorization": user.http.headers["Authorization"]}).is_success
    counts = {value(read_metrics(api), "registru_http_requests_total", **labels) for _ in range(12)}
    assert counts == {before + 12}


def test_every_metric_in_rules_dashboard_and_documentation_exists(
    api: httpx.Client, user: PlatformUser
) -> None:
    scrape(user, make_idno(7704), "names-1")

    def missing(samples: Samples) -> set[str]:
        names = {name for name, _ in samples}
        families = {name.removesuffix("_bucket") for name in names if name.endswith("_bucket")}
        return (monitoring_files.used_metrics() | monitoring_files.documented_metrics()) - names - families

    samples = wait_for_metrics(api, "every metric", lambda samples: not missing(samples))
    assert not missing(samples)


def test_no_label_has_unbounded_values(api: httpx.Client) -> None:
    allowed = {
        *("answer", "database", "event", "how", "job", "kind", "le", "limit", "method", "outcome", "part"),
        *("reason", "result", "route", "state", "status", "table", "verdict"),
    }
    samples = read_metrics(api)
    assert {label for _, labels in samples for label, _ in labels} <= allowed
    values = {label_value for _, labels in samples for _, label_value in labels}
    assert not [text for text in values if any(part.isdigit() and len(part) > 3 for part in text.split("/"))]


def test_logs_contain_no_secret(observed: Platform, user: PlatformUser) -> None:
    token = str(user.http.headers["Authorization"]).removeprefix("Bearer ")
    stored = json.loads(Path(observed.home.secrets).read_text())
    secrets = [token, user.password, stored["jwt"], stored["dagster"], *stored["database"].values()]
    for log in observed.home.logs.glob("*.log"):
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log.name
