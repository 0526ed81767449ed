"""The job `sweep_register`, from its config to what it leaves behind."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.register import sweeps
from pipeline.register.list_api import walk_list
from pipeline.register.tracking import track
from standin.made_up_companies import companies_page
from standin.register_xlsx import Cell, RegisterOptions, write_register
from standin.site_facts import make_idno
from standin.switches import ListBehavior
from tests.pipeline.dagster_in_process import Inside

COMPANIES = 95


@pytest.fixture(autouse=True)
def _a_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standin.made_up_companies.LISTED_COMPANIES", COMPANIES)


def _idnos(numbers: range) -> list[str]:
    return sorted(make_idno(number) for number in numbers)


def _sweeps(inside: Inside) -> list[dict[str, object]]:
    return inside.query(
        "SELECT * FROM sweeps WHERE source = :source ORDER BY id",
        source=f"{inside.site.api_url}/api/companies",
    )


def test_a_sweep_tracks_every_company_of_the_list_without_a_visit(inside: Inside) -> None:
    swept = inside.sweep(page_size=20)

    assert swept.success
    assert inside.tracked() == _idnos(range(COMPANIES))
    metadata = swept.metadata
    assert (metadata["pages"], metadata["seen"], metadata["added"], metadata["total"]) == (5, 95, 95, 95)
    assert (metadata["refused"], metadata["next_page"], metadata["finished"]) == (0, 5, True)
    assert {request.path for request in inside.site.requests} == {"/robots.txt", "/api/companies"}
    [sweep] = _sweeps(inside)
    assert (sweep["seen"], sweep["added"], sweep["total"], sweep["next_page"]) == (95, 95, 95, 5)
    assert sweep["finished_at"]


def test_each_page_is_kept_as_it_was_received(inside: Inside) -> None:
    swept = inside.sweep(page_size=50)
    rows = inside.query(
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


def test_a_sweep_that_stops_after_some_pages_is_gone_on_with(inside: Inside) -> None:
    first = inside.sweep(page_size=20, max_pages=2)
    assert (first.metadata["pages"], first.metadata["finished"]) == (2, False)
    assert inside.tracked() == _idnos(range(40))

    # The page size is the sweep's: its cursor counts in them.
    second = inside.sweep(page_size=7)
    assert (second.metadata["pages"], second.metadata["added"], second.metadata["finished"]) == (3, 55, True)
    assert second.metadata["sweep_id"] == first.metadata["sweep_id"]
    assert inside.list_requests() == 5
    assert inside.tracked() == _idnos(range(COMPANIES))


def test_after_the_end_a_new_sweep_begins_and_finds_nothing_new(inside: Inside) -> None:
    inside.sweep(page_size=50)
    again = inside.sweep(page_size=50)
    assert (again.metadata["seen"], again.metadata["added"]) == (95, 0)
    assert len(_sweeps(inside)) == 2


def test_a_list_that_holds_less_than_it_says_is_warned_of(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def says_more(*, page: int, size: int) -> dict[str, object]:
        return {**companies_page(page=page, size=size), "totalItemCount": 200}

    monkeypatch.setattr("standin.api_origin.companies_page", says_more)
    assert inside.sweep(page_size=50).metadata["finished"]
    assert "it has 200 companies, but its pages contained 95" in capfd.readouterr().err


def test_a_restart_gives_the_unfinished_sweep_up(inside: Inside) -> None:
    inside.sweep(page_size=20, max_pages=2)
    restarted = inside.sweep(page_size=50, restart=True)
    assert (restarted.metadata["seen"], restarted.metadata["added"]) == (95, 55)

    given_up, finished = _sweeps(inside)
    assert (given_up["finished_at"], bool(finished["finished_at"])) == (None, True)
    inside.sweep(page_size=50, max_pages=1)
    assert len(_sweeps(inside)) == 3


def test_a_run_that_dies_between_pages_loses_at_most_the_page_it_was_at(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def dies_at_the_third_page(*args: object, **options: object) -> int:
        if len(kept) == 2:
            raise KeyError("the process is gone")
        kept.append(track(*args, **options))  # type: ignore[arg-type]
        return kept[-1]

    with monkeypatch.context() as patched:
        patched.setattr(sweeps, "track", dies_at_the_third_page)
        assert not inside.sweep(page_size=20).success
    assert inside.tracked() == _idnos(range(40))

    rest = inside.sweep()
    assert (rest.metadata["pages"], rest.metadata["finished"]) == (3, True)
    assert inside.tracked() == _idnos(range(COMPANIES))


def test_a_list_that_moves_under_the_walk_may_show_a_company_twice(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside.sweep(page_size=20, max_pages=2)
    monkeypatch.setattr(
        "standin.api_origin.companies_page",
        lambda *, page, size: companies_page(page=page - 1 if page else 0, size=size),
    )
    assert inside.sweep().success
    assert set(_idnos(range(40))) < set(inside.tracked())


def test_two_runs_at_one_sweep_do_not_walk_it_twice(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    inside.sweep(page_size=20, max_pages=1)
    # The other run's page comes between this one's look at the cursor and its first page.
    monkeypatch.setattr(
        "pipeline.defs.ops.sweep.walk_list", _after(inside, "pipeline.defs.ops.sweep.walk_list")
    )
    beaten = inside.sweep()
    assert not beaten.success
    assert "another run has advanced sweep" in beaten.said


def _after(inside: Inside, name: str) -> object:
    def walk(*args: object, **options: object) -> Iterator[object]:
        inside.monkeypatch.setattr(name, walk_list)
        assert inside.sweep(max_pages=1).success
        return walk_list(*args, **options)  # type: ignore[arg-type]

    return walk


def test_a_site_that_limits_us_pauses_the_sweep_which_goes_on_later(inside: Inside) -> None:
    inside.sweep(page_size=20, max_pages=2)
    inside.site.list = ListBehavior.LIMITED
    paused = inside.sweep()

    assert paused.success
    assert (paused.metadata["pages"], paused.metadata["next_page"]) == (0, 2)
    assert paused.metadata["paused_until"]
    assert "429" in paused.metadata["pause_reason"]
    requests = inside.list_requests()
    assert inside.sweep().success
    assert inside.list_requests() == requests

    inside.site.list = ListBehavior.WELL
    inside.redis.flushall()
    assert inside.sweep().metadata["finished"]
    assert inside.tracked() == _idnos(range(COMPANIES))


def test_a_list_that_robots_txt_closes_is_not_fetched(inside: Inside) -> None:
    inside.site.robots = "User-agent: *\nDisallow: /api/\n"
    closed = inside.sweep()
    assert not closed.success
    assert "disallows /api/companies" in closed.said
    assert inside.list_requests() == 0


@pytest.mark.parametrize("behavior", [ListBehavior.OTHER_SHAPE, ListBehavior.HTML])
def test_a_page_that_is_none_of_the_list_ends_the_run_and_is_kept(
    inside: Inside, behavior: ListBehavior
) -> None:
    inside.site.list = behavior
    failed = inside.sweep()

    assert not failed.success
    assert "not a page of the list" in failed.said
    [event] = [event for event in failed.result.all_events if event.is_step_failure]
    sha256 = event.step_failure_data.user_failure_data.metadata["body_sha256"].value  # type: ignore[union-attr]
    assert inside.query("SELECT 1 FROM raw_documents WHERE sha256 = :sha256", sha256=sha256)
    assert inside.tracked() == []

    inside.site.list = ListBehavior.WELL
    assert inside.sweep().metadata["finished"]


def test_the_api_is_found_in_what_pages_fetched(inside: Inside) -> None:
    captured = make_idno(3700)
    inside.set(api_url="")
    nowhere = inside.sweep()
    assert not nowhere.success
    assert "REGISTRU_API_URL" in nowhere.said

    with inside.databases.warehouse() as connection:
        capture = connection.execute(
            text(
                "INSERT INTO source_data (idno, url, outcome, fetched_at, duration_ms, run_id)"
                " VALUES (:idno, :url, 'not_found', now(), 1, 'a run') RETURNING id"
            ),
            {"idno": captured, "url": inside.site.page_url(captured)},
        ).scalar_one()
        for position, path in enumerate((f"fin-data-v1/{captured}", f"companies/{captured}")):
            connection.execute(
                text("INSERT INTO source_payloads VALUES (:capture, :position, :url, 404, NULL)"),
                {"capture": capture, "position": position, "url": f"{inside.site.api_url}/api/{path}"},
            )
    assert inside.sweep().metadata["finished"]


def test_a_file_is_swept_like_the_list(inside: Inside, tmp_path: Path) -> None:
    extra: list[list[Cell]] = [["1003600069774", None, "FALSĂ"]]
    path = write_register(tmp_path / "register.xlsx", range(30), RegisterOptions(extra_rows=extra))
    first = inside.sweep(source="file", path=str(path), page_size=10, max_pages=2)
    second = inside.sweep(source="file", path=str(path))

    assert (first.metadata["pages"], first.metadata["finished"]) == (2, False)
    assert second.metadata["source"] == first.metadata["source"] == f"xlsx:{_sha256(path)}"
    assert (second.metadata["added"], second.metadata["refused"], second.metadata["total"]) == (10, 1, 31)
    [problem] = second.metadata["problems"]
    assert problem.data["value"] == "1003600069774"
    assert "its last digit is 4" in str(problem.data["reason"])
    assert inside.tracked() == _idnos(range(30))
    assert inside.query("SELECT count(*) FROM tracked_companies WHERE NOT is_active")[0]["count"] > 0
    assert inside.list_requests() == 0


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_is_no_register_is_refused_with_what_is_missing(inside: Inside, tmp_path: Path) -> None:
    path = write_register(tmp_path / "register.xlsx", range(3), RegisterOptions(sheet="Foaie1"))
    refused = inside.sweep(source="file", path=str(path))
    assert not refused.success
    assert "it has no sheet 'Company'; its sheets: 'Despre', 'Foaie1'" in refused.said


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"source": "web"}, "source: 'web' given, site or file are allowed"),
        ({"source": "file"}, "path: None given with source 'file'"),
        ({"path": "register.xlsx"}, "path: 'register.xlsx' given with source 'site'"),
        ({"page_size": 0}, "page_size"),
        ({"max_pages": 0}, "max_pages"),
    ],
)
def test_a_wrong_config_is_refused_with_what_is_allowed(
    inside: Inside, config: dict[str, object], said: str
) -> None:
    refused = inside.sweep(**config)
    assert not refused.success
    assert said in refused.said
    assert not inside.site.requests
