"""Checks of the stored tables: functions that query a connection, and Dagster asset checks that call them.

A failed check of severity ERROR makes the run of `check_records` fail; one of severity WARN does not. No other run
depends on the checks: people review their results.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster import AssetCheckResult, AssetChecksDefinition, AssetCheckSeverity, asset_check
from sqlalchemy import Connection, text

from pipeline.defs.ops.visit_summary import table
from pipeline.defs.resources import Warehouse
from pipeline.register.sweeps import SweepOutcome, newest_finished_sweeps
from warehouse.contract import TRANSFORMED_DATA_ASSET

MIN_COMPANIES = 50
"""`fill_rates` compares two periods only if each has at least this many records. With fewer, chance would decide."""
MAX_DROP = 0.15
"""How far the share of records that contain a field may fall between the two periods. 0.15: 15 percentage points."""
MIN_TRANSFORMED = 0.98
"""The minimum share of companies with a record, among the companies that `counts` looks at."""
LATE_DAYS = 7
MAX_LATE = 0.10
"""The maximum share of tracked companies that may be overdue for more than LATE_DAYS."""
_EXAMPLES = 20
"""The maximum number of wrong rows that a finding shows."""
_FIELDS = (
    *("legal_form", "status", "registered_on", "address", "address_city", "address_street", "cuatm_code"),
    *("founders", "administrators", "activities", "statements"),
)


@dataclass(frozen=True)
class Finding:
    """The result of a check: whether it passed, a summary in one sentence, and the rows and figures to show."""

    passed: bool
    summary: str
    rows: tuple[Mapping[str, str | int], ...] = ()
    figures: Mapping[str, float | int] = field(default_factory=dict)


def identity(connection: Connection) -> Finding:
    """Every record comes from a good capture of the same company."""
    wrong = _rows(
        connection,
        "SELECT t.idno, t.source_data_id, coalesce(s.idno, 'none') AS capture_is_of,"
        " coalesce(s.outcome, '') AS outcome"
        " FROM transformed_data t LEFT JOIN source_data s ON s.id = t.source_data_id"
        " WHERE s.idno IS DISTINCT FROM t.idno OR s.outcome IS DISTINCT FROM 'ok'",
    )
    return _none_of(wrong, "records that do not come from a good capture of their company")


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
    return _none_of([*wrong, *orphans], "rows without a record, or without a good capture of the company")


def counts(connection: Connection) -> Finding:
    """Almost every company with a good capture has a record.

    Companies without a record are not counted if a capture of theirs is pending or in quarantine.
    """
    [row] = _rows(
        connection,
        "SELECT (SELECT count(DISTINCT idno) FROM source_data WHERE outcome = 'ok') AS captured,"
        " (SELECT count(*) FROM transformed_data) AS records,"
        " (SELECT count(*) FROM (SELECT idno FROM quarantine UNION SELECT idno FROM pending_captures) o"
        "  LEFT JOIN transformed_data t USING (idno) WHERE t.idno IS NULL) AS not_yet",
    )
    expected = int(row["captured"]) - int(row["not_yet"])
    records = int(row["records"])
    passed = records >= MIN_TRANSFORMED * expected
    others = f"{row['not_yet']} others are pending or in quarantine"
    summary = f"{records} records for {expected} companies with a good capture ({others})"
    return Finding(passed, summary, figures={name: int(value) for name, value in row.items()})


def fill_rates(connection: Connection) -> Finding:
    """Each field is present in the records of the last week about as often as in the four weeks before."""
    rows = {str(row["is_new"]): row for row in _rows(connection, _FILL_RATES)}
    new, old = rows.get("True"), rows.get("False")
    if new is None or old is None or min(int(new["records"]), int(old["records"])) < MIN_COMPANIES:
        return Finding(True, f"not compared: fewer than {MIN_COMPANIES} records in one of the two periods")
    compared: list[dict[str, Any]] = [
        {
            "field": name,
            "now_per_cent": round(100 * float(new[name]) / int(new["records"])),
            "before_per_cent": round(100 * float(old[name]) / int(old["records"])),
        }
        for name in _FIELDS
    ]
    fallen = [row for row in compared if row["before_per_cent"] - row["now_per_cent"] > 100 * MAX_DROP]
    names = ", ".join(str(row["field"]) for row in fallen)
    summary = (
        f"present much less often than in the weeks before: {names}" if fallen else "as in the weeks before"
    )
    return Finding(not fallen, summary, tuple(compared))


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
    """No capture of a record contains a field or label that the parser does not know."""
    found = _rows(
        connection,
        "SELECT field, count(*)::int AS companies, min(idno) AS example FROM transformed_data,"
        " jsonb_array_elements_text(unknown) AS field GROUP BY field ORDER BY count(*) DESC, field",
    )
    return _none_of(found, "fields or labels that the parser does not know")


def unread_texts(connection: Connection) -> Finding:
    """No capture of a record has a text in the place of a value that the parser does not understand."""
    # Texts about parties are not shown: Dagster keeps the result, and the erasure of a person does not reach it.
    found = _rows(
        connection,
        "SELECT entry ->> 'field' AS field, entry ->> 'reason' AS reason, count(*)::int AS texts,"
        " count(DISTINCT idno)::int AS companies, min(idno) AS example,"
        " CASE WHEN entry ->> 'field' IN ('founders', 'administrators') THEN ''"
        "  ELSE left((array_agg(entry ->> 'text' ORDER BY idno))[1], 80) END AS text"
        " FROM transformed_data, jsonb_array_elements(unread) AS entry GROUP BY 1, 2"
        " ORDER BY companies DESC, field, reason",
    )
    return _none_of(found, "kinds of texts that the parser does not understand")


def freshness(connection: Connection) -> Finding:
    """Few tracked companies are overdue for more than a week."""
    [row] = _rows(
        connection,
        "SELECT count(*) AS tracked,"
        f" count(*) FILTER (WHERE due_at < now() - interval '{LATE_DAYS} days') AS late FROM tracked_companies",
    )
    tracked, late = int(row["tracked"]), int(row["late"])
    summary = f"{late} of {tracked} tracked companies are overdue for more than {LATE_DAYS} days"
    return Finding(late <= MAX_LATE * tracked, summary, figures={"tracked": tracked, "late": late})


def sweeps(connection: Connection) -> Finding:
    """The newest finished sweep of each list saw all companies that the list states."""
    wrong = [
        {
            "source": sweep.source,
            "outcome": sweep.outcome.value,
            "total": sweep.total or 0,
            "distinct_companies": sweep.seen,
            "refused": sweep.rejected,
            "repeated": sweep.repeated,
            "missing": sweep.missing,
        }
        for sweep in newest_finished_sweeps(connection)
        if sweep.outcome is not SweepOutcome.COMPLETE
    ]
    return _none_of(wrong, "lists of which the newest sweep may have missed companies")


def _rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query)).mappings()]


def _none_of(rows: list[dict[str, Any]], what: str) -> Finding:
    summary = f"{len(rows)} {what}" if rows else f"no {what}"
    shown = tuple(
        {key: value if isinstance(value, int) else str(value) for key, value in row.items()} for row in rows
    )
    return Finding(not rows, summary, shown[:_EXAMPLES])


def _asset_check(
    check: Callable[[Connection], Finding], severity: AssetCheckSeverity, asset: str
) -> AssetChecksDefinition:
    @asset_check(
        asset=asset,
        name=check.__name__,
        description=check.__doc__,
        # With `blocking`, a failed check makes Dagster fail the step and thus the run. No other step depends on it.
        blocking=severity is AssetCheckSeverity.ERROR,
    )
    def run_check(warehouse: Warehouse) -> AssetCheckResult:
        with warehouse.transaction() as connection:
            finding = check(connection)
        metadata: dict[str, Any] = {"found": finding.summary, **finding.figures}
        if finding.rows:
            metadata["rows"] = table(finding.rows)
        return AssetCheckResult(
            passed=finding.passed, severity=severity, metadata=metadata, description=finding.summary
        )

    return run_check


CHECKS = [
    _asset_check(identity, AssetCheckSeverity.ERROR, TRANSFORMED_DATA_ASSET),
    _asset_check(references, AssetCheckSeverity.ERROR, TRANSFORMED_DATA_ASSET),
    _asset_check(counts, AssetCheckSeverity.ERROR, TRANSFORMED_DATA_ASSET),
    _asset_check(fill_rates, AssetCheckSeverity.WARN, TRANSFORMED_DATA_ASSET),
    _asset_check(unknown_fields, AssetCheckSeverity.WARN, TRANSFORMED_DATA_ASSET),
    _asset_check(unread_texts, AssetCheckSeverity.WARN, TRANSFORMED_DATA_ASSET),
    _asset_check(freshness, AssetCheckSeverity.WARN, "tracked_companies"),
    _asset_check(sweeps, AssetCheckSeverity.WARN, "tracked_companies"),
]
