"""Queries that both the pipeline and the API need."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, tuple_

from warehouse.contract import Outcome
from warehouse.records.facts import load_figures, load_profiles
from warehouse.records.models import CompanyRecord, CompanyResult, Provenance
from warehouse.schema.tables import run_results, source_data, transformed_data


def load_record(connection: Connection, idno: str) -> CompanyRecord | None:
    """Return the current record of a company, or None if it has none."""
    return load_records(connection, [idno]).get(idno)


def load_records(
    connection: Connection, idnos: Sequence[str], *, captured_after: datetime | None = None
) -> dict[str, CompanyRecord]:
    """Return the current records of these companies, by IDNO.

    With `captured_after`, return only records whose capture was fetched after that time.
    """
    query = (
        select(
            transformed_data,
            source_data.c.url,
            source_data.c.final_url,
            source_data.c.status_code,
            source_data.c.raw_html_sha256,
            source_data.c.run_id,
        )
        .join(source_data, source_data.c.id == transformed_data.c.source_data_id)
        .where(transformed_data.c.idno.in_(idnos))
    )
    if captured_after is not None:
        query = query.where(transformed_data.c.fetched_at > captured_after)
    rows = connection.execute(query).mappings().all()
    profiles = load_profiles(connection, rows)
    figures = load_figures(connection, list(profiles))
    return {
        row["idno"]: CompanyRecord(
            **profiles[row["idno"]],
            statements=figures.get(row["idno"], ()),
            source=Provenance.model_validate({field: row[field] for field in Provenance.model_fields}),
        )
        for row in rows
    }


_IS_TRANSFORMED = func.coalesce(transformed_data.c.fetched_at >= source_data.c.fetched_at, False).label(
    "is_transformed"
)
"""Whether the company's record was read from this capture or a newer one."""


def load_results(connection: Connection, pairs: Sequence[tuple[str, str]]) -> list[CompanyResult]:
    """Return the stored results of these pairs (run id, IDNO). Skip a pair if the run has not finished the company."""
    query = (
        select(run_results, source_data.c.outcome, source_data.c.error, _IS_TRANSFORMED)
        .outerjoin(source_data, source_data.c.id == run_results.c.source_data_id)
        .outerjoin(transformed_data, transformed_data.c.idno == run_results.c.idno)
        .where(tuple_(run_results.c.run_id, run_results.c.idno).in_(pairs))
    )
    return [CompanyResult.model_validate(row) for row in connection.execute(query)]


def load_good_captures(
    connection: Connection, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], bool]:
    """Return the pairs (run id, IDNO) for which there is a good capture.

    The value of a pair tells whether the company's record was read from such a capture or a newer one.
    """
    query = (
        select(source_data.c.run_id, source_data.c.idno, func.bool_or(_IS_TRANSFORMED))
        .outerjoin(transformed_data, transformed_data.c.idno == source_data.c.idno)
        .where(
            tuple_(source_data.c.run_id, source_data.c.idno).in_(pairs), source_data.c.outcome == Outcome.OK
        )
        .group_by(source_data.c.run_id, source_data.c.idno)
    )
    return {(run_id, idno): is_transformed for run_id, idno, is_transformed in connection.execute(query)}
