"""The summary of a transformation counts unread texts, and quotes none about parties."""

from pipeline.defs.ops.transform_summary import _MAX_UNREAD, TransformSummary
from pipeline.records.record_updates import Transformation, TransformResult
from pipeline.transform.reading import Unread
from standin.site_facts import make_idno


def done(number: int, *unread: Unread) -> Transformation:
    return Transformation(make_idno(number), number, TransformResult.TRANSFORMED, unread=unread)


def rows(summary: TransformSummary) -> list[dict[str, object]]:
    return [dict(record.data) for record in summary.metadata()["unread_texts"].records]


def test_unread_texts_are_counted_by_field_and_reason_with_an_example() -> None:
    summary = TransformSummary()
    status = Unread("status", "suspendat", "not a status")
    summary.add([done(1, status), done(2, Unread("founders", "ION", "not a party"), status)])
    assert rows(summary) == [
        {
            "field": "status",
            "reason": "not a status",
            "texts": 2,
            "example": make_idno(1),
            "text": "'suspendat'",
        },
        {"field": "founders", "reason": "not a party", "texts": 1, "example": make_idno(2), "text": ""},
    ]


def test_number_of_rows_and_length_of_texts_are_bounded() -> None:
    summary = TransformSummary()
    summary.add(
        done(number, Unread("address", "x" * 9999, f"reason {number}")) for number in range(_MAX_UNREAD + 5)
    )
    assert sum(int(str(row["texts"])) for row in rows(summary)) >= _MAX_UNREAD
    assert len(rows(summary)) <= _MAX_UNREAD
    assert max(len(str(row["text"])) for row in rows(summary)) < 100


def test_without_unread_texts_there_is_no_table() -> None:
    summary = TransformSummary()
    summary.add([done(1)])
    assert "unread_texts" not in summary.metadata()
