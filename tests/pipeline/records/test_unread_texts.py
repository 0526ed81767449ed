"""Remarks, unread texts and incomplete lists are stored with the record. Found by a newer parser, they are no news."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.records import record_updates
from pipeline.transform.merge import Transformed, transform
from pipeline.transform.reading import Unread
from standin.site_facts import make_idno
from tests.pipeline.records.records_harness import RecordsHarness
from warehouse.records.models import Party
from warehouse.records.redaction import ERASURE_NOTE, Suppression

IDNO = make_idno(14)
NAME = "MODELEANU-TEST ION"
FOUNDERS: dict[str, Any] = {
    "personFounders": [{"fullName": NAME, "id": "f" * 64, "shares": 100}],
    "companyFounders": [],
}
UNREAD = (Unread("administrators", f"{NAME} '\t\\", "not a party"), Unread("status", "suspendat", "odd"))


def remarked(transformed: Transformed) -> Transformed:
    """Add to a transformation what the readers find on an imperfect page."""
    founders = tuple(
        party.model_copy(update={"remark": "27 000\tlei"}) for party in transformed.facts.founders
    )
    return replace(
        transformed,
        facts=transformed.facts.model_copy(update={"founders": founders}),
        remarks={"status": ("radiată la 01.02.2024",)},
        unread=UNREAD,
        incomplete=frozenset({"founders"}),
    )


@pytest.fixture
def read_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Transformed], Transformed]], None]:
    """Make the parser return changed readings."""

    def patch(change: Callable[[Transformed], Transformed]) -> None:
        monkeypatch.setattr(record_updates, "transform", lambda **capture: change(transform(**capture)))

    return patch


def test_a_record_keeps_remarks_unread_texts_and_incomplete_lists(
    harness: RecordsHarness, read_with: Callable[..., None]
) -> None:
    read_with(remarked)
    harness.put(IDNO, changes=FOUNDERS)
    [done] = harness.transform(IDNO)

    facts = harness.facts(IDNO)
    assert facts is not None
    assert facts.founders[0].remark == "27 000\tlei"
    assert facts.remarks == {"status": ("radiată la 01.02.2024",)}
    assert facts.incomplete_lists == ("founders",)
    [row] = harness.rows("SELECT unread, sources FROM transformed_data")
    assert [(each["field"], each["text"], each["reason"]) for each in row["unread"]] == [
        (each.field, each.text, each.reason) for each in UNREAD
    ]
    assert row["sources"]["status"]["rule"] == "key companies.isActive"
    assert done.unread == UNREAD


def test_remarks_that_a_newer_version_finds_are_changes_by_the_parser(
    harness: RecordsHarness, read_with: Callable[..., None]
) -> None:
    harness.put(IDNO, changes=FOUNDERS)
    harness.transform(IDNO)
    harness.version(99)
    read_with(remarked)
    harness.put(IDNO, changes=FOUNDERS)
    harness.transform(IDNO)
    assert harness.changes(IDNO) == [
        ("founders", "parser"),
        ("remarks", "parser"),
        ("incomplete_lists", "parser"),
    ]


def test_suppressed_name_is_in_no_column_of_a_later_record(
    harness: RecordsHarness, read_with: Callable[..., None]
) -> None:
    suppression = Suppression.of(IDNO, NAME)
    with harness.owner() as owner:
        owner.exec_driver_sql(
            "INSERT INTO suppressions (idno, salt, name_sha256)"
            f" VALUES ('{IDNO}', '{suppression.salt}', '{suppression.name_sha256}')"
        )

    def quoting(transformed: Transformed) -> Transformed:
        joint = Party(name="ALFA SRL", kind="company", remark=f"împreună cu {NAME}")
        facts = transformed.facts.model_copy(update={"founders": (*transformed.facts.founders, joint)})
        remarks: dict[str, tuple[str, ...]] = {"founders": (f"și {NAME}",), "status": ("radiată",)}
        return replace(remarked(transformed), facts=facts, remarks=remarks)

    read_with(quoting)
    try:
        harness.put(IDNO, changes=FOUNDERS)
        harness.transform(IDNO)
    finally:
        with harness.owner() as owner:
            owner.exec_driver_sql("DELETE FROM suppressions")

    assert not any(NAME in row for rows in harness.tables().values() for row in rows)
    [row] = harness.rows("SELECT remarks, unread, notes FROM transformed_data")
    assert row["remarks"] == {"status": ["radiată"]}
    assert [each["field"] for each in row["unread"]] == ["status"]
    assert row["notes"] == [f"administrators: {ERASURE_NOTE}", f"founders: {ERASURE_NOTE}"]
