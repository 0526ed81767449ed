"""Tests of the job `sweep_register`, from its config to the tables that it fills."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pipeline.defs import checks
from pipeline.register import sweeps
from pipeline.register.list_api import walk_list
from pipeline.register.tracking import track
from standin.made_up_companies import companies_page
from standin.register_xlsx import Cell, RegisterOptions, write_register
from standin.site_facts import make_idno
from standin.switches import ListBehavior
from tests.pipeline.dagster_in_process import InProcessDagster

COMPANIES = 95


@pytest.fixture(autouse=True)
def _a_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standin.made_up_companies.LISTED_COMPANIES", COMPANIES)


def _idnos(numbers: range) -> list[str]:
    return sorted(make_idno(number) for number in numbers)


def _sweeps(in_process: InProcessDagster) -> list[dict[str, object]]:
    return in_process.query(
        "SELECT * FROM sweeps WHERE source = :source ORDER BY id",
        source=f"{in_process.site.api_url}/api/companies",
    )


def test_sweep_tracks_every_listed_company_without_a_visit(in_process: InProcessDagster) -> None:
    swept = in_process.sweep(page_size=20)

    assert swept.success
    assert in_process.tracked() == _idnos(range(COMPANIES))
    metadata = swept.metadata
    assert (metadata["pages"], metadata["seen"], metadata["added"], metadata["total"]) == (5, 95, 95, 95)
    assert (metadata["refused"], metadata["next_page"], metadata["finished"]) == (0, 5, True)
    assert (metadata["outcome"], metadata["missing"], metadata["repeated"]) == ("complete", 0, 0)
    assert "problems" not in metadata
    assert {request.path for request in in_process.site.requests} == {"/robots.txt", "/api/companies"}
    [sweep] = _sweeps(in_process)
    assert (sweep["seen"], sweep["added"], sweep["total"], sweep["next_page"]) == (95, 95, 95, 5)
    assert sweep["finished_at"]


def test_each_page_is_stored_as_received(in_process: InProcessDagster) -> None:
    swept = in_process.sweep(page_size=50)
    rows = in_process.query(
        "SELECT p.*, d.content, d.content_type FROM sweep_pages p JOIN raw_documents d USING (sha256)"
        " WHERE run_id = :id ORDER BY page",
        id=swept.result.run_id,
    )

    assert [row["url"].partition("?")[2] for row in rows] == ["page=0&size=50", "page=1&size=50"]
    assert [json.loads(bytes(row["content"])) for row in rows] == [
        companies_page(page=page, size=50) for page in range(2)
    ]
    assert {(row["status_code"], row["content_type"]) for row in rows} == {(200, "application/json")}
    assert all(hashlib.sha256(row["content"]).hexdigest() == row["sha256"] for row in rows)


def test_next_run_continues_an_unfinished_sweep(in_process: InProcessDagster) -> None:
    first = in_process.sweep(page_size=20, max_pages=2)
    assert (first.metadata["pages"], first.metadata["finished"]) == (2, False)
    assert in_process.tracked() == _idnos(range(40))

    # The page size belongs to the sweep, because its cursor counts pages.
    second = in_process.sweep(page_size=7)
    assert (second.metadata["pages"], second.metadata["added"], second.metadata["finished"]) == (3, 55, True)
    assert second.metadata["sweep_id"] == first.metadata["sweep_id"]
    assert in_process.list_requests() == 5
    assert in_process.tracked() == _idnos(range(COMPANIES))


def test_sweep_after_a_finished_one_starts_again_and_adds_nothing(in_process: InProcessDagster) -> None:
    in_process.sweep(page_size=50)
    again = in_process.sweep(page_size=50)
    assert (again.metadata["seen"], again.metadata["added"]) == (95, 0)
    assert len(_sweeps(in_process)) == 2


def test_list_with_fewer_companies_than_it_states_causes_a_warning(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def says_more(*, page: int, size: int) -> dict[str, object]:
        return {**companies_page(page=page, size=size), "totalItemCount": 200}

    monkeypatch.setattr("standin.api_origin.companies_page", says_more)
    assert in_process.sweep(page_size=50).metadata["finished"]
    assert "it has 200 companies, but its pages contained 95" in capfd.readouterr().err


def _rows_moved(*, page: int, size: int) -> dict[str, object]:
    """Serve a page of a list that moved by three rows after its second page: three companies are never served."""
    body = companies_page(page=page, size=size)
    if page != 2:
        return body
    return {**body, "data": companies_page(page=1, size=size)["data"][-3:] + body["data"][3:]}


def test_pages_that_overlap_hide_no_missing_company(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("standin.api_origin.companies_page", _rows_moved)
    # The second run has to count the companies of the first one.
    assert in_process.sweep(page_size=20, max_pages=2).metadata["outcome"] == "unfinished"
    metadata = in_process.sweep().metadata

    assert (metadata["outcome"], metadata["missing"], metadata["repeated"]) == ("shortfall", 3, 3)
    assert (metadata["total"], metadata["distinct_companies"], metadata["seen"]) == (95, 92, 52)
    assert "contained 92 different IDNOs (3 rows were repeated" in capfd.readouterr().err
    assert [(row.data["page"], row.data["row"], row.data["what"]) for row in metadata["problems"]] == [
        (2, number, "company repeated") for number in (1, 2, 3)
    ]
    with in_process.databases.warehouse() as connection:
        finding = checks.sweeps(connection)
    assert not finding.passed
    [found] = [row for row in finding.rows if row["source"] == metadata["source"]]
    assert (found["outcome"], found["missing"]) == ("shortfall", 3)
    assert in_process.query(f"SELECT * FROM sweep_companies WHERE sweep_id = {metadata['sweep_id']}") == []


def test_rows_without_a_valid_idno_are_rejected_and_the_sweep_goes_on(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serves_old_codes(*, page: int, size: int) -> dict[str, object]:
        body = companies_page(page=page, size=size)
        if page == 1:
            for row in body["data"]:
                row["idno"] = "213976"
        if page == 2:
            del body["data"][4]["idno"]
        return body

    monkeypatch.setattr("standin.api_origin.companies_page", serves_old_codes)
    metadata = in_process.sweep(page_size=20).metadata

    assert (metadata["outcome"], metadata["distinct_companies"], metadata["refused"]) == ("complete", 74, 21)
    reasons = [(row.data["page"], row.data["row"], row.data["reason"]) for row in metadata["problems"]]
    assert reasons[0] == (1, 1, "'213976' is a fiscal code of 6 digits, older than the IDNO")
    assert reasons[20:] == [(2, 5, "the row has no field idno")]


def test_list_without_any_valid_idno_is_a_shortfall(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serves_no_idno(*, page: int, size: int) -> dict[str, object]:
        body = companies_page(page=page, size=size)
        return {**body, "data": [{**row, "idno": None} for row in body["data"]]}

    monkeypatch.setattr("standin.api_origin.companies_page", serves_no_idno)
    metadata = in_process.sweep(page_size=50).metadata
    assert (metadata["outcome"], metadata["refused"], metadata["seen"]) == ("shortfall", 95, 0)


def test_total_that_changes_during_a_sweep_is_reported(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def has_fewer_later(*, page: int, size: int) -> dict[str, object]:
        return {**companies_page(page=page, size=size), "totalItemCount": 97 if page < 2 else 95}

    monkeypatch.setattr("standin.api_origin.companies_page", has_fewer_later)
    metadata = in_process.sweep(page_size=20).metadata
    assert (metadata["outcome"], metadata["total"], metadata["missing"]) == ("list_changed", 95, 0)
    assert [row.data for row in metadata["total_changes"]] == [{"page": 2, "before": 97, "now": 95}]
    assert "changed 1 times during the sweep" in capfd.readouterr().err


def test_restart_abandons_the_unfinished_sweep(in_process: InProcessDagster) -> None:
    in_process.sweep(page_size=20, max_pages=2)
    restarted = in_process.sweep(page_size=50, restart=True)
    assert (restarted.metadata["seen"], restarted.metadata["added"]) == (95, 55)

    assert restarted.metadata["outcome"] == "complete"
    assert (
        in_process.query(f"SELECT * FROM sweep_companies WHERE sweep_id = {restarted.metadata['sweep_id']}")
        == []
    )
    given_up, finished = _sweeps(in_process)
    assert (given_up["finished_at"], bool(finished["finished_at"])) == (None, True)
    in_process.sweep(page_size=50, max_pages=1)
    assert len(_sweeps(in_process)) == 3


def test_run_that_dies_loses_at_most_the_current_page(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def fails_at_the_third_page(*args: object, **options: object) -> int:
        if len(kept) == 2:
            raise KeyError("the process is gone")
        kept.append(track(*args, **options))  # type: ignore[arg-type]
        return kept[-1]

    with monkeypatch.context() as patched:
        patched.setattr(sweeps, "track", fails_at_the_third_page)
        assert not in_process.sweep(page_size=20).success
    assert in_process.tracked() == _idnos(range(40))

    rest = in_process.sweep()
    assert (rest.metadata["pages"], rest.metadata["finished"]) == (3, True)
    assert in_process.tracked() == _idnos(range(COMPANIES))


def test_restart_that_an_outage_interrupts_continues_where_it_stopped(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[int] = []

    def fails_once_at_the_third_page(*args: object, **options: object) -> int:
        pages.append(int(str(options["page"])))
        if pages == [0, 1, 2]:
            raise OperationalError("INSERT", {}, Exception("the server closed the connection"))
        return track(*args, **options)  # type: ignore[arg-type]

    in_process.sweep(page_size=20, max_pages=1)
    monkeypatch.setattr(sweeps, "track", fails_once_at_the_third_page)
    assert in_process.sweep(page_size=20, restart=True).metadata["finished"]
    assert pages == [0, 1, 2, 2, 3, 4]
    assert len(_sweeps(in_process)) == 2


def test_list_that_shifts_during_a_sweep_may_repeat_companies(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_process.sweep(page_size=20, max_pages=2)
    monkeypatch.setattr(
        "standin.api_origin.companies_page",
        lambda *, page, size: companies_page(page=page - 1 if page else 0, size=size),
    )
    assert in_process.sweep().success
    assert set(_idnos(range(40))) < set(in_process.tracked())


def test_second_run_of_the_same_sweep_fails(
    in_process: InProcessDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_process.sweep(page_size=20, max_pages=1)
    # The other run stores a page after this one has read the cursor and before it stores its first page.
    monkeypatch.setattr(
        "pipeline.defs.ops.sweep.walk_list", _after(in_process, "pipeline.defs.ops.sweep.walk_list")
    )
    beaten = in_process.sweep()
    assert not beaten.success
    assert "another run has advanced sweep" in beaten.error


def _after(in_process: InProcessDagster, name: str) -> object:
    def walk(*args: object, **options: object) -> Iterator[object]:
        in_process.monkeypatch.setattr(name, walk_list)
        assert in_process.sweep(max_pages=1).success
        return walk_list(*args, **options)  # type: ignore[arg-type]

    return walk


def test_rate_limit_pauses_the_sweep_and_a_later_run_continues_it(in_process: InProcessDagster) -> None:
    in_process.sweep(page_size=20, max_pages=2)
    in_process.site.list = ListBehavior.LIMITED
    paused = in_process.sweep()

    assert paused.success
    assert (paused.metadata["pages"], paused.metadata["next_page"]) == (0, 2)
    assert paused.metadata["paused_until"]
    assert "429" in paused.metadata["pause_reason"]
    requests = in_process.list_requests()
    assert in_process.sweep().success
    assert in_process.list_requests() == requests

    in_process.site.list = ListBehavior.WELL
    in_process.redis.flushall()
    assert in_process.sweep().metadata["finished"]
    assert in_process.tracked() == _idnos(range(COMPANIES))


def test_list_that_robots_txt_disallows_is_not_fetched(in_process: InProcessDagster) -> None:
    in_process.site.robots = "User-agent: *\nDisallow: /api/\n"
    closed = in_process.sweep()
    assert not closed.success
    assert "disallows /api/companies" in closed.error
    assert in_process.list_requests() == 0


@pytest.mark.parametrize("behavior", [ListBehavior.OTHER_SHAPE, ListBehavior.HTML])
def test_page_that_is_not_of_the_list_fails_the_run_and_is_stored(
    in_process: InProcessDagster, behavior: ListBehavior
) -> None:
    in_process.site.list = behavior
    failed = in_process.sweep()

    assert not failed.success
    assert "not a page of the list" in failed.error
    [event] = [event for event in failed.result.all_events if event.is_step_failure]
    sha256 = event.step_failure_data.user_failure_data.metadata["body_sha256"].value  # type: ignore[union-attr]
    assert in_process.query("SELECT 1 FROM raw_documents WHERE sha256 = :sha256", sha256=sha256)
    assert in_process.tracked() == []

    in_process.site.list = ListBehavior.WELL
    assert in_process.sweep().metadata["finished"]


def test_api_address_is_found_in_captures(in_process: InProcessDagster) -> None:
    captured = make_idno(3700)
    in_process.set(api_url="")
    nowhere = in_process.sweep()
    assert not nowhere.success
    assert "REGISTRU_API_URL" in nowhere.error

    with in_process.databases.warehouse() as connection:
        capture = connection.execute(
            text(
                "INSERT INTO source_data (idno, url, outcome, fetched_at, duration_ms, run_id)"
                " VALUES (:idno, :url, 'not_found', now(), 1, 'a run') RETURNING id"
            ),
            {"idno": captured, "url": in_process.site.page_url(captured)},
        ).scalar_one()
        for position, path in enumerate((f"fin-data-v1/{captured}", f"companies/{captured}")):
            connection.execute(
                text("INSERT INTO source_payloads VALUES (:capture, :position, :url, 404, NULL)"),
                {"capture": capture, "position": position, "url": f"{in_process.site.api_url}/api/{path}"},
            )
    assert in_process.sweep().metadata["finished"]


def test_file_is_swept_like_the_list(in_process: InProcessDagster, tmp_path: Path) -> None:
    extra: list[list[Cell]] = [["1003600069774", None, "FALSĂ"]]
    path = write_register(tmp_path / "register.xlsx", range(30), RegisterOptions(extra_rows=extra))
    first = in_process.sweep(source="file", path=str(path), page_size=10, max_pages=2)
    second = in_process.sweep(source="file", path=str(path))

    assert (first.metadata["pages"], first.metadata["finished"]) == (2, False)
    assert second.metadata["source"] == first.metadata["source"] == f"xlsx:{_sha256(path)}"
    assert (second.metadata["added"], second.metadata["refused"], second.metadata["total"]) == (10, 1, 31)
    assert second.metadata["outcome"] == "complete"
    [problem] = second.metadata["problems"]
    assert problem.data["value"] == "1003600069774"
    assert "its last digit is 4" in str(problem.data["reason"])
    assert in_process.tracked() == _idnos(range(30))
    assert in_process.query("SELECT count(*) FROM tracked_companies WHERE NOT is_active")[0]["count"] > 0
    assert in_process.list_requests() == 0


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_file_that_is_not_the_register_is_refused_with_a_reason(
    in_process: InProcessDagster, tmp_path: Path
) -> None:
    path = write_register(tmp_path / "register.xlsx", range(3), RegisterOptions(sheet="Foaie1"))
    refused = in_process.sweep(source="file", path=str(path))
    assert not refused.success
    assert "it has no sheet 'Company'; its sheets: 'Despre', 'Foaie1'" in refused.error


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"source": "web"}, "source: 'web' given, site or file are allowed"),
        ({"source": "file"}, "path: None given with source 'file'"),
        ({"path": "register.xlsx"}, "path: 'register.xlsx' given with source 'site'"),
        ({"page_size": 0}, "page_size"),
        ({"max_pages": 0}, "max_pages"),
    ],
)
def test_invalid_config_is_refused_with_what_is_allowed(
    in_process: InProcessDagster, config: dict[str, object], expected: str
) -> None:
    refused = in_process.sweep(**config)
    assert not refused.success
    assert expected in refused.error
    assert not in_process.site.requests
