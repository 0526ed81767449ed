"""What must hold of the stored tables: plain functions of a connection, and Dagster's asset checks around them.

An error blocks what builds on the records; a warning is for a person to look at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster import AssetCheckResult, AssetChecksDefinition, AssetCheckSeverity, asset_check
from sqlalchemy import Connection, text

from pipeline.defs.ops.visit_summary import table
from pipeline.defs.resources import Warehouse
from warehouse.contract import TRANSFORMED_DATA_ASSET

LEAST_COMPANIES = 50
"""With fewer records on one side, a change of a fill rate says nothing."""
LARGEST_DROP = 0.15
"""How far the share of records that state a field may fall against the weeks before."""
LEAST_TRANSFORMED = 0.98
"""Of the companies with a good capture that nobody set aside, how many have a record."""
LATE_DAYS = 7
MOST_LATE = 0.10
"""The share of tracked companies that may be overdue for more than so many days."""
_EXAMPLES = 20
_FIELDS = (
    *("legal_form", "status", "registered_on", "address", "address_city", "address_street", "cuatm_code"),
    *("founders", "administrators", "activities", "statements"),
)


@dataclass(frozen=True)
class Finding:
    """What a check found: whether all is right, in a sentence, with the rows that are not."""

    passed: bool
    said: str
    rows: tuple[Mapping[str, str | int], ...] = ()
    figures: Mapping[str, float | int] = field(default_factory=dict)


def identity(connection: Connection) -> Finding:
    """Every record comes from a good capture of that very company."""
    wrong = _rows(
        connection,
        "SELECT t.idno, t.source_data_id, coalesce(s.idno, 'none') AS capture_is_of,"
        " coalesce(s.outcome, '') AS outcome"
        " FROM transformed_data t LEFT JOIN source_data s ON s.id = t.source_data_id"
        " WHERE s.idno IS DISTINCT FROM t.idno OR s.outcome IS DISTINCT FROM 'ok'",
    )
    return _none_of(wrong, "records that come from no good capture of their company")


def references(connection: Connection) -> Finding:
    """Every row of a companion table belongs to a record and names a good capture of that company."""
    tables = ("company_parties", "company_activities", "financial_statements")
    wrong = _rows(
        connection,
        " UNION ALL ".join(
            f"(SELECT '{name}' AS stored_in, c.idno, c.source_data_id"
            f" FROM (SELECT DISTINCT idno, source_data_id FROM {name}) c"
            " LEFT JOIN source_data s ON s.id = c.source_data_id LEFT JOIN transformed_data t ON t.idno = c.idno"
            " WHERE t.idno IS NULL OR s.idno IS DISTINCT FROM c.idno OR s.outcome IS DISTINCT FROM 'ok'"
            f" LIMIT {_EXAMPLES})"
            for name in tables
        ),
    )
    orphans = _rows(
        connection,
        "SELECT 'financial_lines' AS stored_in, l.idno, min(l.source_data_id) AS source_data_id"
        " FROM financial_lines l LEFT JOIN financial_statements f USING (idno, year)"
        f" WHERE f.idno IS NULL OR f.source_data_id <> l.source_data_id GROUP BY l.idno LIMIT {_EXAMPLES}",
    )
    return _none_of([*wrong, *orphans], "rows that belong to no record, or to no good capture of it")


def counts(connection: Connection) -> Finding:
    """Almost every company with a good capture has a record, but for those that wait or are in quarantine."""
    [row] = _rows(
        connection,
        "SELECT (SELECT count(DISTINCT idno) FROM source_data WHERE outcome = 'ok') AS captured,"
        " (SELECT count(*) FROM transformed_data) AS records,"
        " (SELECT count(*) FROM (SELECT idno FROM quarantine UNION SELECT idno FROM pending_captures) o"
        "  LEFT JOIN transformed_data t USING (idno) WHERE t.idno IS NULL) AS not_yet",
    )
    expected = int(row["captured"]) - int(row["not_yet"])
    records = int(row["records"])
    passed = records >= LEAST_TRANSFORMED * expected
    others = f"{row['not_yet']} more wait or are set aside"
    said = f"{records} records of {expected} companies with a good capture ({others})"
    return Finding(passed, said, figures={name: int(value) for name, value in row.items()})


def fill_rates(connection: Connection) -> Finding:
    """The fields are stated as often in the records captured within a week as in those of the four weeks before."""
    rows = {str(row["is_new"]): row for row in _rows(connection, _FILL_RATES)}
    new, old = rows.get("True"), rows.get("False")
    if new is None or old is None or min(int(new["records"]), int(old["records"])) < LEAST_COMPANIES:
        return Finding(True, f"fewer than {LEAST_COMPANIES} records on one side: nothing to compare")
    compared: list[dict[str, Any]] = [
        {
            "field": name,
            "now_per_cent": round(100 * float(new[name]) / int(new["records"])),
            "before_per_cent": round(100 * float(old[name]) / int(old["records"])),
        }
        for name in _FIELDS
    ]
    fallen = [row for row in compared if row["before_per_cent"] - row["now_per_cent"] > 100 * LARGEST_DROP]
    names = ", ".join(str(row["field"]) for row in fallen)
    said = f"stated far less often than in the weeks before: {names}" if fallen else "as in the weeks before"
    return Finding(not fallen, said, tuple(compared))


_FILL_RATES = (
    "SELECT t.fetched_at > now() - interval '7 days' AS is_new, count(*) AS records,"
    + ",".join(f" count(t.{name}) AS {name}" for name in _FIELDS[: _FIELDS.index("founders")])
    + ","
    + ",".join(
        f" count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {source} c WHERE c.idno = t.idno{condition})) AS {name}"
        for name, source, condition in (
            ("founders", "company_parties", " AND c.relation = 'founder'"),
            ("administrators", "company_parties", " AND c.relation = 'administrator'"),
            ("activities", "company_activities", ""),
            ("statements", "financial_statements", ""),
        )
    )
    + " FROM transformed_data t WHERE t.fetched_at > now() - interval '35 days' GROUP BY 1"
)


def unknown_fields(connection: Connection) -> Finding:
    """No record's capture holds a field or a label that the reading has never seen."""
    found = _rows(
        connection,
        "SELECT field, count(*)::int AS companies, min(idno) AS example FROM transformed_data,"
        " jsonb_array_elements_text(unknown) AS field GROUP BY field ORDER BY count(*) DESC, field",
    )
    return _none_of(found, "fields or labels that the reading does not know")


def freshness(connection: Connection) -> Finding:
    """Of the tracked companies few are long overdue."""
    [row] = _rows(
        connection,
        "SELECT count(*) AS tracked,"
        f" count(*) FILTER (WHERE due_at < now() - interval '{LATE_DAYS} days') AS late FROM tracked_companies",
    )
    tracked, late = int(row["tracked"]), int(row["late"])
    said = f"{late} of {tracked} tracked companies are overdue for more than {LATE_DAYS} days"
    return Finding(late <= MOST_LATE * tracked, said, figures={"tracked": tracked, "late": late})


def _rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query)).mappings()]


def _none_of(rows: list[dict[str, Any]], what: str) -> Finding:
    said = f"{len(rows)} {what}" if rows else f"no {what}"
    shown = tuple(
        {key: value if isinstance(value, int) else str(value) for key, value in row.items()} for row in rows
    )
    return Finding(not rows, said, shown[:_EXAMPLES])


def _check(
    look: Callable[[Connection], Finding], severity: AssetCheckSeverity, asset: str
) -> AssetChecksDefinition:
    @asset_check(
        asset=asset,
        name=look.__name__,
        description=look.__doc__,
        blocking=severity is AssetCheckSeverity.ERROR,
    )
    def check(warehouse: Warehouse) -> AssetCheckResult:
        with warehouse.transaction() as connection:
            finding = look(connection)
        metadata: dict[str, Any] = {"found": finding.said, **finding.figures}
        if finding.rows:
            metadata["rows"] = table(finding.rows)
        return AssetCheckResult(
            passed=finding.passed, severity=severity, metadata=metadata, description=finding.said
        )

    return check


CHECKS = [
    _check(identity, AssetCheckSeverity.ERROR, TRANSFORMED_DATA_ASSET),
    _check(references, AssetCheckSeverity.ERROR, TRANSFORMED_DATA_ASSET),
    _check(counts, AssetCheckSeverity.ERROR, TRANSFORMED_DATA_ASSET),
    _check(fill_rates, AssetCheckSeverity.WARN, TRANSFORMED_DATA_ASSET),
    _check(unknown_fields, AssetCheckSeverity.WARN, TRANSFORMED_DATA_ASSET),
    _check(freshness, AssetCheckSeverity.WARN, "tracked_companies"),
]
