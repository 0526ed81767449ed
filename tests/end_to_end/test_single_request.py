"""A request through the whole platform: HTTP, Dagster, Chrome, PostgreSQL, the cache."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from standin import CASES, CaseName, expected_record
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.record_truth import assert_record_is_true

FOUND = CASES[CaseName.FOUND].idno


def test_company_is_fetched_once_and_then_served_from_the_cache(
    platform: Platform, user: PlatformUser
) -> None:
    answer = user.ask(FOUND)

    assert answer.status_code == httpx.codes.ACCEPTED
    body = answer.json()
    assert body["data"] is None
    assert body["cached"] is False
    assert answer.headers["Location"] == body["status_url"] == f"/scrape/{body['run_id']}/"

    status = user.wait(body["run_id"])
    assert status["state"] == "succeeded"
    [company] = status["companies"]
    assert company == {
        "idno": FOUND,
        "state": "succeeded",
        "outcome": "ok",
        "attempts": 1,
        "error": None,
        "deferred_until": None,
    }
    assert_record_is_true(status["data"], expected_record(FOUND))

    visits = platform.site.visits(FOUND)
    again = user.ask(FOUND, force=False)
    assert again.status_code == httpx.codes.OK
    assert again.json()["cached"] is True
    assert again.json()["data"] == status["data"]
    assert platform.site.visits(FOUND) == visits


def test_record_names_the_stored_capture_it_was_read_from(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(3001)
    run_id = user.ask(idno).json()["run_id"]
    assert user.wait(run_id)["state"] == "succeeded"

    record = user.http.get(f"/companies/{idno}/").json()
    source = record["source"]
    assert source["run_id"] == run_id
    [capture] = platform.query(
        "SELECT s.*, h.raw_html FROM source_data s JOIN source_data_html h USING (id) WHERE s.id = :id",
        id=source["source_data_id"],
    )
    assert capture["outcome"] == "ok"
    assert capture["status_code"] == source["status_code"] == 200
    assert capture["url"] == f"{platform.site.url}/companies/{idno}"
    assert capture["requested_by"] == user.username
    assert record["name"] in capture["raw_html"].replace("&amp;", "&")
    payloads = platform.query(
        "SELECT p.url, p.status_code, convert_from(d.content, 'UTF8') AS body FROM capture_payloads p"
        " JOIN raw_documents d USING (sha256) WHERE source_data_id = :id ORDER BY position",
        id=source["source_data_id"],
    )
    assert [payload["url"].split("/api/")[1] for payload in payloads] == [
        f"companies/{idno}",
        f"fin-data-v1/{idno}",
    ]
    assert idno in payloads[0]["body"]


def test_eight_users_share_one_visit_and_all_get_the_record(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(3002)
    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        users = [stack.enter_context(platform.signed_in()) for _ in range(8)]
        answers = list(pool.map(lambda one_user: one_user.ask(idno), users))
        assert {answer.status_code for answer in answers} == {httpx.codes.ACCEPTED}
        assert len({answer.json()["run_id"] for answer in answers}) == 1
        run_id = answers[0].json()["run_id"]
        statuses = list(pool.map(lambda one_user: one_user.wait(run_id), users))

    assert {status["state"] for status in statuses} == {"succeeded"}
    assert {status["data"]["idno"] for status in statuses} == {idno}
    assert platform.site.visits(idno) == 1


def test_run_is_visible_only_to_users_who_requested_it(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(FOUND).json()["run_id"]
    with platform.signed_in() as stranger:
        assert stranger.http.get(f"/scrape/{run_id}/").status_code == httpx.codes.NOT_FOUND
    user.wait(run_id)


def test_unknown_company_ends_as_not_found(user: PlatformUser) -> None:
    idno = CASES[CaseName.NOT_FOUND].idno
    status = user.fetch(idno)

    assert status["state"] == "not_found"
    assert status["data"] is None
    assert status["companies"][0]["outcome"] == "not_found"
    assert user.http.get(f"/companies/{idno}/").status_code == httpx.codes.NOT_FOUND


def test_run_is_tagged_with_company_and_requester(platform: Platform, user: PlatformUser) -> None:
    run_id = user.ask(make_idno(3003)).json()["run_id"]
    user.wait(run_id)

    tags = {tag["key"]: tag["value"] for tag in platform.run(run_id)["tags"]}
    assert tags["registru/idno"] == make_idno(3003)
    assert tags["registru/requested_by"] == user.username
