"""Erasure on request: a name is nowhere any more, does not come back, and what happened is written down."""

import subprocess
import sys

import pytest
from sqlalchemy import text

from stack.databases import served
from stack.home import PROJECT
from stack.sealing import Sealed, _holds, seal_bodies
from stack.stack_error import StackError
from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform, PlatformUser
from tests.warehouse.evidence.capture_factory import capture, payload, sha256, store
from tests.warehouse_server import Databases
from warehouse.evidence import CaptureEvidence
from warehouse.evidence.read import load_evidence
from warehouse.records.redaction import ERASED, Suppression
from warehouse.schema import database_roles

REASON = "her letter of 2026-11-20; GDPR article 17"


def registru(platform: Platform, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stack.cli", *arguments, "--home", str(platform.home.path)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


def tables_that_hold(platform: Platform, words: str, beside: str = "") -> list[str]:
    """Every table of every database in which any row holds these words, and others beside them if wanted."""
    found = []
    with served(platform.home) as databases:
        for database in databases:
            with database.engine().connect() as connection:
                tables = connection.scalars(
                    text(
                        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'raw_documents'"
                    )
                )
                for table in tables.all():
                    count = text(
                        f'SELECT count(*) FROM "{table}" t'
                        " WHERE position(:words IN t::text) > 0 AND position(:beside IN t::text) > 0"
                    )
                    if connection.scalar(count, {"words": words, "beside": beside}):
                        found.append(f"{database.name}.{table}")
    return found


def ask_together(platform: Platform, name: str, other: str) -> None:
    """Have the launches and runs of somebody be those of two, as when a run is launched again for all who wait."""
    with served(platform.home) as databases:
        for database in databases:
            if database.name == database_roles.USERS_DATABASE:
                changes = [
                    "UPDATE launches SET requested_by = :name || ', ' || :other WHERE requested_by = :name"
                ]
            elif database.name == database_roles.DAGSTER_DATABASE:
                changes = [
                    "UPDATE runs SET run_body ="
                    " replace(run_body, format('\"%s\"', :name), format('\"%s, %s\"', :name, :other))",
                    "UPDATE run_tags SET value = :name || ', ' || :other WHERE value = :name",
                ]
            else:
                continue
            with database.engine().begin() as connection:
                for change in changes:
                    connection.execute(text(change), {"name": name, "other": other})


def test_an_account_holder_is_forgotten_in_all_databases(platform: Platform) -> None:
    platform.wait_until_healthy()
    assert platform.admin
    idno = make_idno(3900)
    with platform.signed_in() as user:
        assert user.fetch(idno)["state"] == "succeeded"
        assert {"users.users", "users.audit_log", "warehouse.source_data", "dagster.run_tags"} <= set(
            tables_that_hold(platform, user.username)
        )
        ask_together(platform, user.username, "zoe")

        done = registru(platform, "erase-user", user.username, "--by", "boss", "--reason", REASON)

        assert done.returncode == 0, done.stderr
        assert tables_that_hold(platform, user.username) == []
        assert {"users.launches", "dagster.runs", "dagster.run_tags"} <= set(
            tables_that_hold(platform, ", zoe")
        )
        assert user.http.get("/auth/me/").status_code == 401
    [entry] = platform.audit("person_erased")[:1]
    assert REASON in entry["detail"] and "boss" in entry["detail"]
    assert entry["subject"].startswith("erased-")
    # What was captured can still be proved, under another name; the hash that it had first is kept.
    with platform.warehouse() as connection:
        [held] = load_evidence(connection, idno)
        first = connection.scalar(
            text("SELECT first_evidence_sha256 FROM source_data WHERE idno = :idno"), {"idno": idno}
        )
    assert held.evidence.requested_by == entry["subject"]
    assert first not in (None, held.sha256)


def test_a_person_is_named_in_a_record_no_longer_whatever_comes_later(
    platform: Platform, user: PlatformUser
) -> None:
    assert platform.admin
    idno = make_idno(3901)
    assert user.fetch(idno)["state"] == "succeeded"
    before = user.http.get(f"/companies/{idno}/").json()
    person = next(party for party in before["administrators"] if party["kind"] == "person")
    name = person["name"]

    done = registru(platform, "erase-person", idno, name.lower(), "--by", "boss", "--reason", REASON)

    assert done.returncode == 0, done.stderr
    visits = [user.http.get(f"/companies/{idno}/").json(), user.fetch(idno)["data"]]
    for record in [*visits, user.http.get(f"/companies/{idno}/").json()]:
        assert name not in str(record)
        erased = [party for party in record["administrators"] if party["name"] == ERASED]
        assert [(party["kind"], party["role"]) for party in erased] == [("person", person["role"])]
        # Nothing else has changed, and nothing was lost.
        assert len(record["administrators"]) == len(before["administrators"])
        assert record["name"] == before["name"]
    assert name not in str(user.http.get(f"/companies/{idno}/provenance/").json())
    assert user.http.get(f"/companies/{idno}/changes/").json()["changes"] == []
    # (Other companies may have an administrator of that name.)
    held = tables_that_hold(platform, name, beside=idno)
    assert [table for table in held if table.startswith("warehouse.")] == []
    [removal] = platform.query("SELECT * FROM removals WHERE idno = :idno", idno=idno)
    assert (removal["removed_by"], removal["because"]) == ("boss", "erasure")
    assert REASON in removal["detail"]


def test_evidence_follows_once_the_source_does_not_show_the_name(databases: Databases) -> None:
    idno, pages = (
        make_idno(3903),
        [b"<p>Ion &#536;TEFAN</p>", b'{"name": "\\u0218tefan Ion"}', b"<p>nobody</p>"],
    )
    picture, shared = b"a picture of it", b"<app-root></app-root>"
    owner = databases.engine(database_roles.WAREHOUSE_OWNER)
    with owner.connect() as connection:
        old = capture(
            idno,
            raw_html_sha256=sha256(pages[0]),
            document_sha256=sha256(shared),
            screenshot_sha256=sha256(picture),
            payloads=(payload(0, pages[1]),),
        )
        store(connection, old, bodies=(*pages, picture, shared))
        with pytest.raises(StackError, match="the source still shows it"):
            seal_bodies(connection, idno, "Stefan ION")
        new = capture(
            idno,
            raw_html_sha256=sha256(pages[2]),
            document_sha256=sha256(shared),
            screenshot_sha256=None,
            payloads=(),
        )
        store(connection, new, bodies=())
        sealed = seal_bodies(connection, idno, "Stefan ION")
        assert sealed == Sealed(bodies=3, bytes=sum(map(len, (*pages[:2], picture))), shared=0)
        held = list(load_evidence(connection, idno))
        connection.rollback()
    # The capture is still there, and its hash still right; of the bodies it is said that they were erased.
    assert set(held[0].removed) == {sha256(body) for body in (*pages[:2], picture)}
    assert all("erasure" in why for why in held[0].removed.values())
    assert set(held[1].bodies) == {sha256(pages[2]), sha256(shared)}


def test_evidence_of_other_companies_and_words_that_only_look_like_the_name_stay(
    databases: Databases,
) -> None:
    idno, another = make_idno(3904), make_idno(3905)
    shell = b"<script>function open() { popup() }</script><app-root></app-root>"
    listing, own = b'["Pop Ion"]', b"<script>data = '\\nIon \\u0050op'</script>"

    def seen(company: str, html: bytes, *bodies: bytes) -> CaptureEvidence:
        return capture(
            company,
            raw_html_sha256=sha256(html),
            document_sha256=sha256(shell),
            screenshot_sha256=None,
            payloads=tuple(payload(position, body) for position, body in enumerate(bodies)),
        )

    with databases.engine(database_roles.WAREHOUSE_OWNER).connect() as connection:
        store(connection, seen(idno, own, listing), bodies=(own, shell, listing))
        for each in (idno, another):
            store(connection, seen(each, shell, listing), bodies=())
        assert seal_bodies(connection, idno, "Ion Pop") == Sealed(bodies=1, bytes=len(own), shared=1)
        held = next(iter(load_evidence(connection, idno)))
        assert set(held.removed) == {sha256(own)}
        assert set(held.bodies) == {sha256(shell), sha256(listing)}
        # Once the other company's newest capture does without it, and its record without the name, it goes.
        erased = Suppression.of(another, "pop ION")
        connection.execute(
            text("INSERT INTO suppressions (idno, salt, name_sha256) VALUES (:idno, :salt, :sha256)"),
            {"idno": another, "salt": erased.salt, "sha256": erased.name_sha256},
        )
        assert seal_bodies(connection, idno, "Ion Pop").shared == 1
        for each in (idno, another):
            store(connection, seen(each, shell), bodies=())
        assert seal_bodies(connection, idno, "Ion Pop") == Sealed(bodies=1, bytes=len(listing), shared=0)
        connection.rollback()


@pytest.mark.parametrize(
    "body",
    [
        '{"founders": "Founders:\\nIon Pop"}',
        '{"founders": "Ion\\tPOP"}',
        '{"page": "{\\"name\\": \\"\\\\u0050op\\\\nIon\\"}"}',
        "<a href='/search?q=%20Ion%20Pop%20'>",
        "<i data-name='ion_pop'>",
        "<script>x = '\\x22Ion Pop\\x22'</script>",
        "<p>POP,&nbsp;Ion</p>",
    ],
)
def test_a_name_is_found_however_it_is_written(body: str) -> None:
    assert _holds(body.encode(), "Ion Pop")
    assert not _holds(body.encode(), "Ion Popa")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("erase-user", "nobody-here", "--by", "boss", "--reason", REASON),
            "there is no account nobody-here",
        ),
        (("erase-user", "boss", "--by", "boss", "--reason", REASON), "let another administrator order it"),
        (
            ("erase-user", "operator", "--by", "operator", "--reason", REASON),
            "there is no administrator of that",
        ),
        (("erase-user", "operator", "--by", "boss", "--reason", " "), "--reason is empty"),
        (
            ("erase-person", CASES[CaseName.NOT_FOUND].idno, "ANA", "--by", "boss", "--reason", REASON),
            "names 'ANA'; nothing was done",
        ),
    ],
)
def test_what_cannot_be_erased_is_refused_in_a_sentence(
    platform: Platform, arguments: tuple[str, ...], said: str
) -> None:
    assert platform.admin
    done = registru(platform, *arguments)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr


def test_a_name_is_known_in_any_order_and_spelling_and_for_its_company_alone() -> None:
    suppression = Suppression.of(make_idno(1), "ȘTEFAN Răzvan")
    for same in ("Răzvan Ștefan", "STEFAN RAZVAN", "ştefan  răzvan"):
        assert suppression.fits(make_idno(1), same)
    assert not suppression.fits(make_idno(1), "Ștefan")
    assert not suppression.fits(make_idno(2), "Ștefan Răzvan")


def test_the_storage_and_the_retention_are_reported(platform: Platform, user: PlatformUser) -> None:
    assert user.fetch(make_idno(3902))["state"] == "succeeded"
    storage, retention = registru(platform, "storage"), registru(platform, "retention")
    assert storage.returncode == 0, storage.stderr
    for said in ("source_data", "event_logs", "captures ok:", "a company", "compute logs on disk:"):
        assert said in storage.stdout
    assert retention.returncode == 0, retention.stderr
    for said in ("all are kept (REGISTRU_KEEP_BODIES_DAYS is not set)", "runs of more than 90 days ago"):
        assert said in retention.stdout
