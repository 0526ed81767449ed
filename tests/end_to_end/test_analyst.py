"""Tests of an analyst's work in Dagster's web UI: materialize the assets with a config and read the results."""

from typing import Any

import pytest

from standin import CASES, CaseName, expected_record
from standin.options import Lang, Layout
from standin.page_origin import look_of
from standin.site_facts import make_idno
from tests.long_version import LONG
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.record_truth import assert_record_is_true
from warehouse.contract import Outcome

# Without `flaky`, whose outcome depends on the number of earlier visits.
STABLE_CASES = [case for name, case in CASES.items() if name is not CaseName.FLAKY]
LOOKS = [
    (layout, language)
    for row, layout in enumerate(Layout)
    for column, language in enumerate(Lang)
    if LONG or (row - column) % len(Lang) == 0
]
"""The layouts with their languages: all pairs in the long version, otherwise each layout in one language."""


def _config(idnos: list[str]) -> dict[str, Any]:
    return {"ops": {"source_data": {"config": {"idnos": idnos}}}}


def _metadata(run: dict[str, Any], asset: str) -> dict[str, Any]:
    entries = [
        entry
        for materialization in run["assetMaterializations"]
        if materialization["assetKey"]["path"] == [asset]
        for entry in materialization["metadataEntries"]
    ]
    return {entry["label"]: entry.get("intValue", entry.get("table")) for entry in entries}


@pytest.fixture(scope="module")
def run_of_every_case(platform: Platform) -> dict[str, Any]:
    platform.wait_until_healthy()
    answer = platform.launch(_config([case.idno for case in STABLE_CASES]))
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run = platform.finished_run(answer["run"]["runId"], seconds=240)
    return {**run, "id": answer["run"]["runId"]}


def test_every_case_of_the_site_has_its_outcome(
    platform: Platform, run_of_every_case: dict[str, Any]
) -> None:
    assert run_of_every_case["status"] == "SUCCESS"
    rows = platform.query(
        "SELECT idno, outcome, error FROM source_data WHERE run_id = :id ORDER BY id",
        id=run_of_every_case["id"],
    )
    outcomes = {row["idno"]: row["outcome"] for row in rows}

    assert outcomes == {case.idno: case.outcome for case in STABLE_CASES}
    assert all(row["error"] for row in rows if row["outcome"] != "ok")


def test_no_case_produces_a_wrong_fact(
    platform: Platform, user: PlatformUser, run_of_every_case: dict[str, Any]
) -> None:
    assert run_of_every_case["status"] == "SUCCESS"
    for case in STABLE_CASES:
        answer = user.http.get(f"/companies/{case.idno}/")
        if case.outcome is Outcome.OK:
            assert_record_is_true(answer.json(), expected_record(case.idno))
        else:
            assert answer.status_code == 404, case.name


def test_metadata_report_each_company(run_of_every_case: dict[str, Any]) -> None:
    visits = _metadata(run_of_every_case, "source_data")
    assert visits["companies"] == len(STABLE_CASES)
    assert visits["outcome/blocked"] == 2
    table = visits["visits"]["records"]
    assert any(CASES[CaseName.NEVER_RENDERS].idno in row and "timeout" in row for row in table)

    records = _metadata(run_of_every_case, "transformed_data")
    assert records["result/transformed"] == sum(case.outcome is Outcome.OK for case in STABLE_CASES)


def test_status_of_the_main_document_is_stored(platform: Platform, run_of_every_case: dict[str, Any]) -> None:
    rows = platform.query(
        "SELECT idno, status_code FROM source_data WHERE run_id = :id ORDER BY id", id=run_of_every_case["id"]
    )
    statuses = {row["idno"]: row["status_code"] for row in rows}

    expected = {
        CaseName.FOUND: 200,
        CaseName.NOT_FOUND: 200,
        CaseName.CHALLENGE: 403,
        CaseName.DOCUMENT_503: 503,
        CaseName.RATE_LIMITED: 429,
        CaseName.REDIRECT: 200,
    }
    assert {name: statuses[CASES[name].idno] for name in expected} == expected


def test_records_are_true_in_every_layout_and_language(platform: Platform, user: PlatformUser) -> None:
    by_look = {look_of(idno): idno for idno in map(make_idno, range(500))}
    idnos = [by_look[look] for look in LOOKS]
    answer = platform.launch(_config(idnos))
    assert platform.finished_run(answer["run"]["runId"])["status"] == "SUCCESS"

    for idno in idnos:
        assert_record_is_true(user.http.get(f"/companies/{idno}/").json(), expected_record(idno))


@pytest.mark.parametrize(
    ("idnos", "named"),
    [
        (["123456789123"], "'123456789123' has 12 digits; an IDNO has 13"),
        (["1003600069774"], "'1003600069774' fails the check digit: its last digit is 4"),
        ([CASES[CaseName.FOUND].idno, "../x"], "'../x' has characters other than the digits"),
        ([], "idnos: 0 given"),
    ],
)
def test_invalid_selection_fails_before_a_visit_and_names_the_error(
    platform: Platform, idnos: list[str], named: str
) -> None:
    requests = len(platform.site.requests)
    answer = platform.launch(_config(idnos))

    error = str(answer)
    if answer["__typename"] == "LaunchRunSuccess":
        run = platform.finished_run(answer["run"]["runId"])
        assert run["status"] == "FAILURE"
        error = str(run["eventConnection"])
    assert named in error
    assert len(platform.site.requests) == requests


def test_config_with_an_unknown_field_is_refused(platform: Platform) -> None:
    answer = platform.launch({"ops": {"source_data": {"config": {"idno": "1020999000019"}}}})

    assert answer["__typename"] == "RunConfigValidationInvalid"
    assert "idnos" in str(answer["errors"])


def test_stored_captures_are_transformed_again_without_a_visit(
    platform: Platform, user: PlatformUser
) -> None:
    idno = make_idno(3100)
    user.fetch(idno)
    visits = platform.site.visits(idno)

    config = {"ops": {"transformed_data": {"config": {"idnos": [idno]}}}}
    answer = platform.launch(config, assets=["transformed_data"])
    run = platform.finished_run(answer["run"]["runId"])

    assert run["status"] == "SUCCESS"
    assert _metadata(run, "transformed_data")["result/transformed"] == 1
    assert platform.site.visits(idno) == visits


def test_transforming_without_companies_fails_and_names_the_remedy(platform: Platform) -> None:
    answer = platform.launch({}, assets=["transformed_data"])
    run = platform.finished_run(answer["run"]["runId"])

    assert run["status"] == "FAILURE"
    assert "name companies in the config of transformed_data" in str(run["eventConnection"])
