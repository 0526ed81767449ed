"""A scenario: a client, an analyst and an administrator use the platform in containers, from outside."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg2

from standin import CASES, CaseName, expected_record
from standin.site_facts import make_idno
from tests.dagster_web_ui import ENDED_STATUSES, LAUNCH, RUN, query_dagster
from tests.deploy.topology import Topology
from tests.platform_user import PlatformUser, registered_user
from tests.polling import wait_for
from tests.record_truth import assert_record_is_true

FOUND = CASES[CaseName.FOUND].idno
STORES = ("postgres", "redis-state", "redis-cache")
_NOT_WARM = "No warm process"


def play(topology: Topology, say: Callable[[str], None], *, restarted: Collection[str] | None = None) -> None:
    """Play the whole scenario. An AssertionError says what failed.

    Args:
        topology: The running services.
        say: Called with each result.
        restarted: The services to start after the restore; None: all.
    """
    with httpx.Client(base_url=topology.url, timeout=60, trust_env=False) as http:
        health = http.get("/health/")
        assert health.status_code == httpx.codes.OK, health.text
        say(f"health: {health.json()['parts']}")
        user = registered_user(http)
        run_id = _scrape(user, say)
        with _with_key(topology, user, ["dagster:read"]) as reader:
            _look_at_dagster(topology, reader, run_id, say)
        _migrate_again(topology, say)
        with _with_key(topology, _administrator(topology, say), ["dagster", "dagster:read"]) as analyst:
            _launch_by_hand(analyst, say)
        _back_up_and_restore(topology, user, say, restarted)


def _scrape(user: PlatformUser, say: Callable[[str], None]) -> str:
    answer = user.ask(FOUND)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    run_id = str(answer.json()["run_id"])
    status = user.wait(run_id, seconds=180)
    assert status["state"] == "succeeded", status
    assert_record_is_true(status["data"], expected_record(FOUND))
    again = user.ask(FOUND, force=False)
    assert again.status_code == httpx.codes.OK and again.json()["cached"], again.text
    assert user.http.get(f"/companies/{FOUND}/").json()["source"]["run_id"] == run_id
    say(f"scraped {FOUND}: {status['data']['name']}; the cache answers a second request")
    return run_id


def _look_at_dagster(
    topology: Topology, reader: httpx.Client, run_id: str, say: Callable[[str], None]
) -> None:
    anonymous = httpx.get(f"{topology.url}/dagster/server_info", trust_env=False)
    assert anonymous.status_code == httpx.codes.UNAUTHORIZED, anonymous.text
    assert reader.get("/dagster/server_info").is_success
    run = _finished(reader, run_id)
    assert run["status"] == "SUCCESS", run
    messages = [event.get("message") or "" for event in run["eventConnection"]["events"]]
    assert not any(_NOT_WARM in message for message in messages), messages
    refused = query_dagster(reader, LAUNCH, params=_params(make_idno(3101)))["launchRun"]
    assert refused["__typename"] == "UnauthorizedError", refused
    say("Dagster: requires sign-in; a reader sees the run, which was forked, and cannot launch runs")


def _migrate_again(topology: Topology, say: Callable[[str], None]) -> None:
    """Prepare the databases again while everything runs, as each `docker compose up` does."""
    code, output = topology.containers["migrate"].execute("python", "-m", "deploy.migrate")
    assert code == 0 and "; created" not in output, output
    say("the databases were prepared again, which changed nothing")


def _administrator(topology: Topology, say: Callable[[str], None]) -> PlatformUser:
    """Create an administrator in the API's container, and sign in."""
    password = uuid4().hex
    command = ("python", "-m", "api.create_admin", "--username", "chief", "--password-stdin")
    code, output = topology.containers["api"].execute(*command, entered=f"{password}\n")
    assert code == 0, output
    code, refusal = topology.containers["api"].execute(*command, entered=f"{password}\n")
    assert code == 1 and "the account chief already exists" in refusal, refusal
    say(output.strip())
    user = PlatformUser("chief", password, httpx.Client(base_url=topology.url, timeout=60, trust_env=False))
    user.sign_in()
    return user


def _launch_by_hand(analyst: httpx.Client, say: Callable[[str], None]) -> None:
    launched = query_dagster(analyst, LAUNCH, params=_params(make_idno(3102)))["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = _finished(analyst, launched["run"]["runId"])
    assert run["status"] == "SUCCESS", run
    say("a run that was launched in Dagster's web UI succeeded")


def _back_up_and_restore(
    topology: Topology, user: PlatformUser, say: Callable[[str], None], restarted: Collection[str] | None
) -> None:
    """Follow docs/deployment.md: back up while everything runs, and restore into new databases."""
    tools = topology.commands["tools"]
    registru = ("python", "-m", "stack.cli")
    code, output = tools.execute(*registru, "backup", "--external", "--output", "/backups")
    assert code == 0, output
    for command in ("storage", "retention"):
        code, output = tools.execute(*registru, command, "--external")
        assert code == 0, output
    [backup] = Path(tools.placed("/backups")).glob("registru-*")
    before = user.http.get(f"/companies/{FOUND}/").json()
    topology.stop(except_for=STORES)
    superuser = psycopg2.connect(
        host=topology.containers["postgres"].address,
        user="postgres",
        password=topology.settings["REGISTRU_POSTGRES_PASSWORD"],
        dbname="postgres",
    )
    superuser.autocommit = True
    with superuser.cursor() as cursor:
        for database in ("users", "dagster", "warehouse"):
            cursor.execute(f"ALTER DATABASE {database} RENAME TO {database}_before")
    superuser.close()
    code, output = topology.containers["migrate"].execute("python", "-m", "deploy.migrate", "--empty")
    assert code == 0 and "; created" in output and "up to date" not in output, output
    code, output = tools.execute(*registru, "restore", f"/backups/{backup.name}", "--external")
    assert code == 0 and "compared row by row" in output, output
    topology.start(restarted)
    assert user.http.get(f"/companies/{FOUND}/").status_code == httpx.codes.UNAUTHORIZED
    user.sign_in()
    assert user.http.get(f"/companies/{FOUND}/").json() == before
    say("a backup was restored into new databases; the record is unchanged, sessions have ended")


def _finished(http: httpx.Client, run_id: str) -> dict[str, Any]:
    """Wait for the end of a run and return it as Dagster describes it."""

    def ended_run() -> dict[str, Any] | None:
        run: dict[str, Any] = query_dagster(http, RUN, id=run_id)["runOrError"]
        return run if run["status"] in ENDED_STATUSES else None

    return wait_for(f"the end of run {run_id}", ended_run, seconds=180, pause_seconds=0.5)


@contextmanager
def _with_key(topology: Topology, user: PlatformUser, scopes: list[str]) -> Iterator[httpx.Client]:
    made = user.http.post("/auth/keys/", json={"name": "check", "scopes": scopes})
    assert made.status_code == httpx.codes.CREATED, made.text
    headers = {"X-API-Key": made.json()["key"]}
    with httpx.Client(base_url=topology.url, headers=headers, timeout=60, trust_env=False) as http:
        yield http


def _params(idno: str) -> dict[str, Any]:
    selector = {
        "repositoryLocationName": "registru",
        "repositoryName": "__repository__",
        "jobName": "__ASSET_JOB",
        "assetSelection": [{"path": [asset]} for asset in ("source_data", "transformed_data")],
        "assetCheckSelection": [],
    }
    config = {"ops": {"source_data": {"config": {"idnos": [idno]}}}}
    return {"selector": selector, "runConfigData": config, "executionMetadata": {"tags": []}}
