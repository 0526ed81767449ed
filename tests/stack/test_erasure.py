"""An erasure removes a name everywhere, keeps it from coming back, and is recorded."""

import pytest
from sqlalchemy import text

from stack.databases import open_databases
from stack.sealing import Sealed, _contains_name, seal_bodies
from stack.stack_error import StackError
from standin import CASES, CaseName
from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.stack.command_in_process import FinishedCommand, registru
from tests.warehouse.evidence.capture_factory import capture, payload, sha256, store
from tests.warehouse_server import Databases
from warehouse.evidence import CaptureEvidence
from warehouse.evidence.read import load_evidence
from warehouse.records.redaction import ERASED, Suppression
from warehouse.schema import database_roles

REASON = "her letter of 2026-11-20; GDPR article 17"


def registru_at(platform: Platform, *arguments: str) -> FinishedCommand:
    """Run a command on the platform's home."""
    return registru(*arguments, "--home", platform.home.path)


def tables_containing(platform: Platform, words: str, beside: str = "") -> list[str]:
    """Return the tables of all databases that have a row with `words` and, if given, `beside`."""
    tables_found = []
    with open_databases(platform.home) as databases:
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
                        tables_found.append(f"{database.name}.{table}")
    return tables_found


def add_requester(platform: Platform, name: str, other: str) -> None:
    """Make `other` a second requester of all launches and runs of `name`, as a relaunch for all requests does."""
    with open_databases(platform.home) as databases:
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


def test_erased_account_is_named_in_no_database(platform: Platform) -> None:
    platform.wait_until_healthy()
    assert platform.admin
    idno = make_idno(3900)
    with platform.signed_in() as user:
        assert user.fetch(idno)["state"] == "succeeded"
        assert {"users.users", "users.audit_log", "warehouse.source_data", "dagster.run_tags"} <= set(
            tables_containing(platform, user.username)
        )
        add_requester(platform, user.username, "zoe")

        done = registru_at(platform, "erase-user", user.username, "--by", "boss", "--reason", REASON)

        assert done.status == 0, done.errors
        assert tables_containing(platform, user.username) == []
        assert {"users.launches", "dagster.runs", "dagster.run_tags"} <= set(
            tables_containing(platform, ", zoe")
        )
        assert user.http.get("/auth/me/").status_code == 401
    [entry] = platform.audit("person_erased")[:1]
    assert REASON in entry["detail"] and "boss" in entry["detail"]
    assert entry["subject"].startswith("erased-")
    # The capture still verifies, with the pseudonym as requester. It keeps its first hash.
    with platform.warehouse() as connection:
        [stored] = load_evidence(connection, idno)
        first = connection.scalar(
            text("SELECT first_evidence_sha256 FROM source_data WHERE idno = :idno"), {"idno": idno}
        )
    assert stored.evidence.requested_by == entry["subject"]
    assert first not in (None, stored.sha256)


def test_erased_person_stays_out_of_the_record_after_later_visits(
    platform: Platform, user: PlatformUser
) -> None:
    assert platform.admin
    idno = make_idno(3901)
    assert user.fetch(idno)["state"] == "succeeded"
    before = user.http.get(f"/companies/{idno}/").json()
    person = next(party for party in before["administrators"] if party["kind"] == "person")
    name = person["name"]

    done = registru_at(platform, "erase-person", idno, name.lower(), "--by", "boss", "--reason", REASON)

    assert done.status == 0, done.errors
    visits = [user.http.get(f"/companies/{idno}/").json(), user.fetch(idno)["data"]]
    for record in [*visits, user.http.get(f"/companies/{idno}/").json()]:
        assert name not in str(record)
        erased = [party for party in record["administrators"] if party["name"] == ERASED]
        assert [(party["kind"], party["role"]) for party in erased] == [("person", person["role"])]
        # The rest of the record is unchanged.
        assert len(record["administrators"]) == len(before["administrators"])
        assert record["name"] == before["name"]
    assert name not in str(user.http.get(f"/companies/{idno}/provenance/").json())
    assert user.http.get(f"/companies/{idno}/changes/").json()["changes"] == []
    # (Other companies may have an administrator of that name.)
    tables = tables_containing(platform, name, beside=idno)
    assert [table for table in tables if table.startswith("warehouse.")] == []
    [removal] = platform.query("SELECT * FROM removals WHERE idno = :idno", idno=idno)
    assert (removal["removed_by"], removal["because"]) == ("boss", "erasure")
    assert REASON in removal["detail"]


def test_evidence_is_removed_once_the_source_no_longer_shows_the_name(databases: Databases) -> None:
    idno, pages = (
        make_idno(3903),
        [b"<p>Ion &#536;TEFAN</p>", b'{"name": "\\u0218tefan Ion"}', b"<p>nobody</p>"],
    )
    picture, shared = b"a picture of it", b"<app-root></app-root>"
    look = '{"version":1,"elements":9,"values":[[7,"input","ȘTEFAN ION"]]}'.encode()
    owner = databases.engine(database_roles.WAREHOUSE_OWNER)
    with owner.connect() as connection:
        old = capture(
            idno,
            raw_html_sha256=sha256(pages[0]),
            look_sha256=sha256(look),
            document_sha256=sha256(shared),
            screenshot_sha256=sha256(picture),
            payloads=(payload(0, pages[1]),),
        )
        store(connection, old, bodies=(*pages, look, picture, shared))
        with pytest.raises(StackError, match="the source still shows it"):
            seal_bodies(connection, idno, "Stefan ION")
        new = capture(
            idno,
            raw_html_sha256=sha256(pages[2]),
            look_sha256=None,
            document_sha256=sha256(shared),
            screenshot_sha256=None,
            payloads=(),
        )
        store(connection, new, bodies=())
        sealed = seal_bodies(connection, idno, "Stefan ION")
        assert sealed == Sealed(bodies=4, bytes=sum(map(len, (*pages[:2], look, picture))), shared=0)
        stored = list(load_evidence(connection, idno))
        connection.rollback()
    # The capture is still stored and its hash is valid. Its bodies are marked as erased.
    assert set(stored[0].removed) == {sha256(body) for body in (*pages[:2], look, picture)}
    assert all("erasure" in why for why in stored[0].removed.values())
    assert set(stored[1].bodies) == {sha256(pages[2]), sha256(shared)}


def test_evidence_of_other_companies_and_similar_words_are_kept(
    databases: Databases,
) -> None:
    idno, another = make_idno(3904), make_idno(3905)
    shell = b"<script>function open() { popup() }</script><app-root></app-root>"
    listing, own = b'["Pop Ion"]', b"<script>data = '\\nIon \\u0050op'</script>"

    def seen(company: str, html: bytes, *bodies: bytes) -> CaptureEvidence:
        return capture(
            company,
            raw_html_sha256=sha256(html),
            look_sha256=None,
            document_sha256=sha256(shell),
            screenshot_sha256=None,
            payloads=tuple(payload(position, body) for position, body in enumerate(bodies)),
        )

    with databases.engine(database_roles.WAREHOUSE_OWNER).connect() as connection:
        store(connection, seen(idno, own, listing), bodies=(own, shell, listing))
        for company in (idno, another):
            store(connection, seen(company, shell, listing), bodies=())
        assert seal_bodies(connection, idno, "Ion Pop") == Sealed(bodies=1, bytes=len(own), shared=1)
        stored = next(iter(load_evidence(connection, idno)))
        assert set(stored.removed) == {sha256(own)}
        assert set(stored.bodies) == {sha256(shell), sha256(listing)}
        # The shared body is removed once the other company's newest capture and record no longer need it.
        erased = Suppression.of(another, "pop ION")
        connection.execute(
            text("INSERT INTO suppressions (idno, salt, name_sha256) VALUES (:idno, :salt, :sha256)"),
            {"idno": another, "salt": erased.salt, "sha256": erased.name_sha256},
        )
        assert seal_bodies(connection, idno, "Ion Pop").shared == 1
        for company in (idno, another):
            store(connection, seen(company, shell), bodies=())
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
def test_name_is_found_in_every_spelling_of_html_and_json(body: str) -> None:
    assert _contains_name(body.encode(), "Ion Pop")
    assert not _contains_name(body.encode(), "Ion Popa")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("erase-user", "nobody-here", "--by", "boss", "--reason", REASON),
            "no account is named nobody-here",
        ),
        (("erase-user", "boss", "--by", "boss", "--reason", REASON), "another administrator has to order it"),
        (
            ("erase-user", "operator", "--by", "operator", "--reason", REASON),
            "no active administrator has that name",
        ),
        (("erase-user", "operator", "--by", "boss", "--reason", " "), "--reason is empty"),
        (
            ("erase-person", CASES[CaseName.NOT_FOUND].idno, "ANA", "--by", "boss", "--reason", REASON),
            "contains the name 'ANA'; nothing was changed",
        ),
    ],
)
def test_impossible_erasure_is_refused_with_a_clear_message(
    platform: Platform, arguments: tuple[str, ...], message: str
) -> None:
    assert platform.admin
    done = registru_at(platform, *arguments)
    assert done.status == 1
    assert message in done.errors and "Traceback" not in done.errors


def test_suppression_matches_any_order_and_spelling_for_one_company_only() -> None:
    suppression = Suppression.of(make_idno(1), "ȘTEFAN Răzvan")
    for variant in ("Răzvan Ștefan", "STEFAN RAZVAN", "ştefan  răzvan"):
        assert suppression.matches(make_idno(1), variant)
    assert not suppression.matches(make_idno(1), "Ștefan")
    assert not suppression.matches(make_idno(2), "Ștefan Răzvan")


def test_storage_and_retention_commands_print_their_reports(platform: Platform, user: PlatformUser) -> None:
    assert user.fetch(make_idno(3902))["state"] == "succeeded"
    storage, retention = registru_at(platform, "storage"), registru_at(platform, "retention")
    assert storage.status == 0, storage.errors
    for text_part in ("source_data", "event_logs", "captures ok:", "per company", "compute logs on disk:"):
        assert text_part in storage.output
    assert retention.status == 0, retention.errors
    for text_part in ("REGISTRU_KEEP_BODIES_DAYS is not set, so all are kept", "runs older than 90 days"):
        assert text_part in retention.output
