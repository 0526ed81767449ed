"""An erasure removes a name from a record's parties, from the texts that it quotes, and from its history."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from stack.record_erasure import erase_history, erase_parties, erase_texts
from standin.site_facts import make_idno
from tests.api.record_factory import store_record
from tests.warehouse_server import Databases
from warehouse.records.models import CompanyFacts, Party, PartyKind
from warehouse.records.redaction import ERASED, Suppression, TextRedaction
from warehouse.schema import database_roles

NAME = "MODELEANU-TEST ION"
NOW = datetime(2026, 9, 1, tzinfo=UTC)
ION = Party(name=NAME, kind=PartyKind.PERSON, remark="27000 lei", source_id="1")
ANA = Party(name="POPA ANA", kind=PartyKind.PERSON, remark=f"25 % together with {NAME}", source_id="2")


def erase(connection: Connection, idno: str) -> tuple[int, int, int]:
    """Erase the name; return the numbers of changed parties, changes and texts."""
    suppression = Suppression.of(idno, NAME)
    parties, fields = erase_parties(connection, idno, suppression)
    redaction = TextRedaction(idno, [suppression], fields)
    return parties, erase_history(connection, redaction), erase_texts(connection, redaction)


def test_name_is_removed_from_parties_remarks_unread_texts_and_history(databases: Databases) -> None:
    idno = make_idno(3951)
    unread = [
        {"field": "administrators", "text": f"{NAME}, 2 din 3", "reason": "not a party"},
        {"field": "status", "text": "suspendat", "reason": "not a status"},
    ]
    first = CompanyFacts(
        idno=idno, name="X", founders=(ION, ANA), remarks={"founders": (NAME,), "status": ("în lichidare",)}
    )
    with databases.warehouse(database_roles.WAREHOUSE_OWNER) as connection:
        store_record(connection, first, at=NOW)
        later = first.model_copy(update={"founders": (ANA,), "remarks": {}})
        store_record(connection, later, at=NOW + timedelta(days=1))
        store_record(
            connection,
            first,
            at=NOW + timedelta(days=2),
            unread=unread,
            notes=[f"administrators: a list: '{NAME}'", "a note"],
            sources={"founders": {"source_data_id": 1, "reading": "html", "raw": NAME}},
        )

        assert erase(connection, idno) == (2, 4, 3)

        parties = connection.execute(
            text("SELECT name, remark, source_id FROM company_parties WHERE idno = :idno ORDER BY position"),
            {"idno": idno},
        )
        assert [tuple(row) for row in parties] == [(ERASED, None, None), ("POPA ANA", None, "2")]
        head = connection.execute(
            text("SELECT * FROM transformed_data WHERE idno = :idno"), {"idno": idno}
        ).one()
        assert head.remarks == {"status": ["în lichidare"]}
        assert head.unread == unread[1:]
        assert head.notes[0] == "a note"
        assert [note.partition(" on 20")[0] for note in head.notes[1:]] == [
            "administrators: a person's name was erased on request",
            "founders: a person's name was erased on request",
        ]
        history = connection.scalars(
            text("SELECT old::text || new::text FROM company_changes WHERE idno = :idno"), {"idno": idno}
        )
        assert not any(NAME in (change or "") for change in history.all())
        assert NAME not in str(head)


def test_name_that_only_an_unread_text_contains_is_removed(databases: Databases) -> None:
    idno = make_idno(3952)
    unread = [{"field": "founders", "text": f"{NAME} și alții", "reason": "not a party"}]
    with databases.warehouse(database_roles.WAREHOUSE_OWNER) as connection:
        store_record(connection, CompanyFacts(idno=idno, name="X"), at=NOW, unread=unread)
        assert erase(connection, idno) == (0, 0, 1)
        assert erase(connection, idno) == (0, 0, 0)
