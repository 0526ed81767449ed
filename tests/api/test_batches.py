"""Batches: verdicts on items, idempotency keys, access of other users."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.batches.verdicts import ItemVerdict, read_items
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness

pytestmark = pytest.mark.anyio

GOOD = [make_idno(7000 + number) for number in range(5)]


def test_invalid_items_are_reported_with_a_reason_and_the_others_accepted() -> None:
    items = read_items([GOOD[0], f" {GOOD[0]} ", "12", 1003600069773, None, ["x"], {"a": 1}, True, GOOD[1]])

    assert [item.verdict for item in items] == [None, ItemVerdict.DUPLICATE, *[ItemVerdict.INVALID] * 6, None]
    assert [item.idno for item in items if item.verdict is None] == GOOD[:2]
    assert items[1].reason == "the same as item 0"
    reasons = [str(item.reason) for item in items[2:8]]
    assert reasons[0] == "'12' has 2 digits; an IDNO has 13"
    assert reasons[1:] == [
        f"an IDNO must be a string, not {kind}"
        for kind in ("a number", "null", "an array", "an object", "a boolean")
    ]
    assert items[3].given == "1003600069773"


@pytest.mark.parametrize("text", ["x" * 5_000, "\ud800" * 90, "a\x00b", "ș" * 300, "١٠٠٣٦٠٠٠٦٩٧٧٣"])
def test_invalid_items_are_returned_shortened_and_can_be_stored(text: str) -> None:
    [item] = read_items([text])
    assert item.verdict is ItemVerdict.INVALID
    assert len(item.given) <= 100
    for shown in (item.given, str(item.reason)):
        assert "\x00" not in shown
        assert shown.encode()


async def post_batch(http: httpx.AsyncClient, idnos: list[Any], **options: Any) -> httpx.Response:
    key = options.pop("key", None)
    headers = {"Idempotency-Key": key} if key else {}
    return await http.post("/scrape/batch/", json={"idnos": idnos, **options}, headers=headers)


async def test_each_item_gets_a_verdict_and_a_fresh_record_is_returned_immediately(
    harness: ApiHarness,
) -> None:
    async with harness.signed_in() as http:
        harness.finish_company(str(uuid4()), GOOD[0])
        joined = (await http.post("/scrape/", json={"idno": GOOD[1], "force_refresh": True})).json()
        answer = await post_batch(http, [GOOD[0], GOOD[1], GOOD[2], GOOD[2], "12"])

        assert answer.status_code == httpx.codes.ACCEPTED
        body = answer.json()
        assert answer.headers["Location"] == body["status_url"] == f"/scrape/batch/{body['batch_id']}/"
        assert [item["verdict"] for item in body["items"]] == [
            "cached",
            "joined",
            "accepted",
            "duplicate",
            "invalid",
        ]
        assert body["counts"] == {"accepted": 1, "joined": 1, "cached": 1, "invalid": 1, "duplicate": 1}
        assert body["items"][0]["data"]["idno"] == GOOD[0]
        assert all(item["data"] is None for item in body["items"][1:])

        await harness.run_reconciler()
        status = (await http.get(body["status_url"])).json()
        assert (status["state"], status["ended_at"]) == ("running", None)
        assert status["counts"] == {"succeeded": 1, "running": 1, "queued": 1}
        runs = {company["idno"]: company["run_id"] for company in status["companies"]}
        assert runs[GOOD[1]] == joined["run_id"]
        for idno in GOOD[1:3]:
            harness.finish_company(runs[idno], idno)
        await harness.run_reconciler()
        status = (await http.get(body["status_url"])).json()
        assert (status["state"], status["counts"]) == ("finished", {"succeeded": 3})
        assert status["ended_at"]
        assert {company["outcome"] for company in status["companies"]} == {"ok"}


async def test_batch_of_fresh_records_needs_no_run(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        for idno in GOOD:
            harness.finish_company(str(uuid4()), idno)
        harness.dagster.is_down = True
        answer = await post_batch(http, GOOD)
        assert answer.status_code == httpx.codes.OK
        again = await post_batch(http, GOOD)
        assert [item["data"] for item in again.json()["items"]] == [
            item["data"] for item in answer.json()["items"]
        ]
        status = (await http.get(answer.json()["status_url"])).json()
        assert (status["state"], status["counts"]) == ("finished", {"succeeded": 5})


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"idnos": []}, "idnos", "at least 1 item"),
        ({"idnos": [GOOD[0]] * 1001}, "idnos", "at most 1000 items"),
        ({"idnos": ["12", None, 7]}, "idnos", "none of the 3 items is an IDNO; the first: '12' has 2 digits"),
        ({"idnos": "1003600069773"}, "idnos", "valid list"),
        ({}, "idnos", "required"),
        ({"idnos": GOOD, "forse": True}, "forse", "not permitted"),
        ({"idnos": GOOD, "force_refresh": "perhaps"}, "force_refresh", "boolean"),
    ],
)
async def test_malformed_batch_is_refused_with_field_and_reason(
    harness: ApiHarness, body: dict[str, Any], field: str, reason: str
) -> None:
    async with harness.signed_in() as http:
        answer = await http.post("/scrape/batch/", json=body)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert reason in error["reason"]


async def test_batch_of_a_thousand_items_is_accepted_with_few_statements_and_split(
    harness: ApiHarness,
) -> None:
    valid = [make_idno(20_000 + number) for number in range(900)]
    invalid: list[Any] = ["\ud800\x00", "x" * 300, None, 17, [[]], {"a": {}}, "ș" * 20, *["9" * 13] * 93]
    async with harness.signed_in() as http:
        with harness.counted_statements() as statements:
            answer = await http.post(
                "/scrape/batch/",
                content=json.dumps({"idnos": [*valid, *invalid], "force_refresh": True}),
                headers={"Content-Type": "application/json"},
            )
        assert len(statements) < 50
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        counts = answer.json()["counts"]
        assert counts == {"accepted": 900, "joined": 0, "cached": 0, "invalid": 100, "duplicate": 0}
        await harness.launch_waiting()
        assert sorted(len(run.idnos) for run in harness.dagster.runs) == [150, 250, 250, 250]
        assert sorted(idno for run in harness.dagster.runs for idno in run.idnos) == sorted(valid)


async def test_same_key_and_body_create_one_batch_even_concurrently(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        answers = await asyncio.gather(*(post_batch(http, [*GOOD, "12"], key="night 1") for _ in range(8)))
        answers.append(await post_batch(http, [*GOOD, "12"], key="night 1"))
        assert {answer.status_code for answer in answers} == {httpx.codes.ACCEPTED}
        first = answers[0].json()
        assert all(answer.json() == first for answer in answers)
        assert first["counts"] == {"accepted": 5, "joined": 0, "cached": 0, "invalid": 1, "duplicate": 0}
        await harness.launch_waiting()
        [run] = harness.dagster.runs
        assert sorted(run.idnos) == sorted(GOOD)

        other_body = await post_batch(http, GOOD, key="night 1")
        assert other_body.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert other_body.json()["errors"][0]["field"] == "Idempotency-Key"
    async with harness.signed_in() as stranger:
        theirs = (await post_batch(stranger, GOOD, key="night 1")).json()
        assert theirs["batch_id"] != first["batch_id"]
        assert theirs["counts"]["joined"] == 5


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "ș"])
async def test_malformed_idempotency_key_is_refused(harness: ApiHarness, key: str) -> None:
    async with harness.signed_in() as http:
        headers = [*http.headers.raw, (b"Idempotency-Key", key.encode())]
        answer = await http.post("/scrape/batch/", json={"idnos": GOOD}, headers=headers)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.json()["errors"][0]["field"].lower() == "idempotency-key"


async def test_refused_batch_is_not_kept_and_its_key_stays_usable(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        harness.dagster.is_down = True
        answer = await post_batch(http, GOOD, key="k")
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert int(answer.headers["Retry-After"]) > 0
        harness.dagster.is_down = False
        again = await post_batch(http, GOOD, key="k")
        assert again.status_code == httpx.codes.ACCEPTED
        assert again.json()["counts"]["accepted"] == 5


async def test_other_users_cannot_read_or_cancel_a_batch(harness: ApiHarness) -> None:
    async with harness.signed_in() as owner, harness.signed_in() as stranger:
        url = (await post_batch(owner, GOOD)).json()["status_url"]
        for path in (url, f"{url}events"):
            assert (await stranger.get(path)).status_code == httpx.codes.NOT_FOUND
        assert (await stranger.delete(url)).status_code == httpx.codes.NOT_FOUND
        assert (await owner.get(f"/scrape/batch/{uuid4()}/")).status_code == httpx.codes.NOT_FOUND
        assert (await owner.get(url)).json()["state"] == "running"
        for _ in range(2):
            assert (await owner.delete(url)).status_code == httpx.codes.NO_CONTENT
        assert (await owner.get(url)).json()["state"] == "cancelled"


async def test_status_of_a_shared_run_shows_each_user_their_companies(harness: ApiHarness) -> None:
    async with harness.signed_in() as owner, harness.signed_in() as other:
        await post_batch(owner, GOOD)
        await post_batch(other, GOOD[:2])
        await harness.launch_waiting()
        [run] = harness.dagster.runs
        harness.finish_company(run.run_id, GOOD[0])
        await harness.run_reconciler()
        status = (await owner.get(f"/scrape/{run.run_id}/")).json()
        assert (status["state"], len(status["companies"]), status["data"]) == ("running", 5, None)
        status = (await other.get(f"/scrape/{run.run_id}/")).json()
        states = {company["idno"]: company["state"] for company in status["companies"]}
        assert states == {GOOD[0]: "succeeded", GOOD[1]: "running"}
