"""One scrape followed through all processes: by its request id in the logs, by its trace, and in what is counted."""

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
from tests.observability import files
from tests.observability.collector import CollectedSpan, Collector, collecting
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for

WORKERS = 2
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Where traces go."""
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def observed(
    site: Site, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """A platform that tells everything, served by several workers."""
    home = tmp_path_factory.mktemp("observed")
    endpoint, workers = collector.endpoint, str(WORKERS)
    with running_platform(
        home, site, log_format="json", otlp_endpoint=endpoint, api_workers=workers
    ) as running:
        yield running


@pytest.fixture(scope="module")
def asker(observed: Platform) -> Iterator[PlatformUser]:
    """Somebody who is signed in."""
    with observed.signed_in() as user:
        yield user


def ask(user: PlatformUser, idno: str, request_id: str) -> dict[str, Any]:
    """Ask for a company, and wait for the end."""
    answer = user.http.post(
        "/scrape/",
        params={"wait": 60},
        json={"idno": idno, "force_refresh": True},
        headers={"X-Request-ID": request_id},
    )
    assert answer.headers["X-Request-ID"] == request_id
    body: dict[str, Any] = answer.json()
    return body


def lines_about(platform: Platform, request_id: str) -> list[dict[str, Any]]:
    """What `grep` finds in all logs, in the order of time."""
    found = [
        json.loads(line)
        for log in platform.home.logs.glob("*.log")
        for line in log.read_text(errors="replace").splitlines()
        if request_id in line
    ]
    return sorted(found, key=lambda line: line["time"])


def measured(platform: Platform) -> Samples:
    """What a worker answers to Prometheus, on a connection of its own."""
    with httpx.Client(trust_env=False, timeout=30) as http:
        answer = http.get(f"http://127.0.0.1:{platform.ports['api']}/metrics")
    assert answer.status_code == httpx.codes.OK, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample."""
    return samples.get((name, frozenset(labels.items())), 0.0)


def awaited(platform: Platform, what: str, is_there: Callable[[Samples], bool]) -> Samples:
    """What is measured, once it is as it should be."""

    def look() -> Samples | None:
        samples = measured(platform)
        return samples if is_there(samples) else None

    return wait_for(what, look, pause_seconds=0.5)


def test_a_request_id_leads_from_the_answer_to_the_end(observed: Platform, asker: PlatformUser) -> None:
    request_id = f"follow-{uuid4()}"
    body = ask(asker, make_idno(7700), request_id)
    assert body["data"], body
    wanted = {
        ("api", "run launched"),
        ("api", "scrape accepted, launched"),
        ("run", "visited"),
        ("run", "stored"),
        ("run", "made current"),
        ("run", "done with a company"),
        ("api", "scrape ended"),
    }

    def whole() -> list[dict[str, Any]] | None:
        found = lines_about(observed, request_id)
        return found if wanted <= {(line["service"], line["message"]) for line in found} else None

    lines = wait_for("every line from the request to the end", whole)
    assert {line["run_id"] for line in lines if "run_id" in line} == {body["run_id"]}
    [stored] = [line for line in lines if line["message"] == "stored"]
    rows = observed.query("SELECT run_id FROM source_data WHERE id = :id", id=stored["source_data_id"])
    assert [row["run_id"] for row in rows] == [body["run_id"]]
    tags = {tag["key"]: tag["value"] for tag in observed.run(body["run_id"])["tags"]}
    assert tags["registru/request_id"] == request_id


def test_a_scrape_is_one_trace_from_the_request_to_the_cache(
    observed: Platform, asker: PlatformUser, collector: Collector
) -> None:
    request_id = f"trace-{uuid4()}"
    ask(asker, make_idno(7701), request_id)
    wanted = {"POST /scrape", "launch", "run", "visit", "store", "transform", "cache"}

    def whole() -> list[CollectedSpan] | None:
        spans = collector.trace_of("launch", request_id=request_id)
        return spans if wanted <= {span.name for span in spans} else None

    spans = wait_for("the whole trace", whole)
    by_name, by_id = {span.name: span for span in spans}, {span.span_id: span for span in spans}
    parents = {name: by_id[by_name[name].parent_id].name for name in wanted - {"POST /scrape"}}
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


def test_a_clients_trace_goes_on_in_ours(asker: PlatformUser, collector: Collector) -> None:
    trace_id = uuid4().hex
    asker.http.get("/auth/me/", headers={"traceparent": f"00-{trace_id}-{uuid4().hex[:16]}-01"})
    wait_for("the span", lambda: [span for span in collector.spans if span.trace_id == trace_id] or None)


def test_what_runs_do_is_counted(observed: Platform, asker: PlatformUser) -> None:
    before = measured(observed)
    ask(asker, make_idno(7702), "count-1")
    ask(asker, make_idno(7703), "count-2")

    def increase(samples: Samples, name: str, **labels: str) -> float:
        return value(samples, name, **labels) - value(before, name, **labels)

    def is_counted(samples: Samples) -> bool:
        finished = {"job": "scrape_companies", "kind": "person", "status": "SUCCESS"}
        return (
            increase(samples, "registru_runs_finished_total", **finished) >= 2
            and increase(samples, "registru_run_results_total", result="captured") >= 2
            and value(samples, "registru_browsers_in_use", how="borrowed") == 0
        )

    after = awaited(observed, "the ends of both runs", is_counted)
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


def test_whichever_worker_answers_tells_of_all(observed: Platform, asker: PlatformUser) -> None:
    workers = [
        process
        for process in observed.processes("multiprocessing.spawn")
        if "spawn_main" in " ".join(process.cmdline())
    ]
    assert len(workers) >= WORKERS
    about = {"route": "/auth/me", "method": "GET", "status": "200"}
    before = value(measured(observed), "registru_http_requests_total", **about)
    for _ in range(12):  # connections of their own: they come to either worker
        with httpx.Client(trust_env=False, timeout=30) as http:
            url = f"http://127.0.0.1:{observed.ports['api']}/auth/me/"
            assert http.get(url, headers={"Authorization": asker.http.headers["Authorization"]}).is_success
    told = {value(measured(observed), "registru_http_requests_total", **about) for _ in range(12)}
    assert told == {before + 12}


def test_every_metric_that_a_rule_the_dashboard_or_the_documentation_names_is_there(
    observed: Platform, asker: PlatformUser
) -> None:
    ask(asker, make_idno(7704), "names-1")

    def missing(samples: Samples) -> set[str]:
        there = {name for name, _ in samples}
        families = {name.removesuffix("_bucket") for name in there if name.endswith("_bucket")}
        return (files.metrics() | files.documented()) - there - families

    samples = awaited(observed, "all of them", lambda samples: not missing(samples))
    assert not missing(samples)


def test_no_label_grows_with_use(observed: Platform) -> None:
    allowed = {
        *("answer", "database", "event", "how", "job", "kind", "le", "limit", "method", "outcome", "part"),
        *("reason", "result", "route", "state", "status", "table", "verdict"),
    }
    samples = measured(observed)
    assert {label for _, labels in samples for label, _ in labels} <= allowed
    values = {said for _, labels in samples for _, said in labels}
    assert not [said for said in values if any(part.isdigit() and len(part) > 3 for part in said.split("/"))]


def test_secrets_are_in_no_log(observed: Platform, asker: PlatformUser) -> None:
    token = str(asker.http.headers["Authorization"]).removeprefix("Bearer ")
    held = json.loads(Path(observed.home.secrets).read_text())
    secrets = [token, asker.password, held["jwt"], held["dagster"], *held["database"].values()]
    for log in observed.home.logs.glob("*.log"):
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log.name
