"""Queries that load companies' facts from the tables of records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from warehouse.records.models import (
    Activity,
    AddressParts,
    CompanyFacts,
    Cuatm,
    Party,
    Relation,
    Statement,
    StatementFigures,
    StatementLine,
)
from warehouse.schema.tables import (
    company_activities,
    company_parties,
    financial_lines,
    financial_statements,
    transformed_data,
)

_SINGLE = ("idno", "name", "legal_form", "legal_form_name", "status", "registered_on", "address")
_Grouped = Mapping[str, Sequence[RowMapping]]


def load_facts(connection: Connection, idnos: Sequence[str]) -> dict[str, CompanyFacts]:
    """Return all facts of these companies' current records, with complete statements, by IDNO."""
    heads = connection.execute(select(transformed_data).where(transformed_data.c.idno.in_(idnos))).mappings()
    statements = load_statements(connection, idnos)
    profiles = load_profiles(connection, list(heads))
    return {
        idno: CompanyFacts(**profile, statements=statements.get(idno, ()))
        for idno, profile in profiles.items()
    }


def load_profiles(connection: Connection, heads: Sequence[RowMapping]) -> dict[str, dict[str, Any]]:
    """Return, by IDNO, the arguments for creating a CompanyProfile. `heads` are rows of `transformed_data`."""
    idnos = [head["idno"] for head in heads]
    parties = _grouped(connection, company_parties, idnos, "relation", "position")
    activities = _grouped(connection, company_activities, idnos, "is_licensed", "position")
    return {head["idno"]: _profile(head, parties, activities) for head in heads}


def load_figures(connection: Connection, idnos: Sequence[str]) -> dict[str, tuple[StatementFigures, ...]]:
    """Return the key figures of these companies' statements, by IDNO, newest year first."""
    rows = _grouped(connection, financial_statements, idnos, "year")
    fields = StatementFigures.model_fields
    return {
        idno: tuple(StatementFigures(**{field: row[field] for field in fields}) for row in reversed(years))
        for idno, years in rows.items()
    }


def load_statements(connection: Connection, idnos: Sequence[str]) -> dict[str, tuple[Statement, ...]]:
    """Return these companies' complete statements, by IDNO, newest year first."""
    heads = _grouped(connection, financial_statements, idnos, "year")
    lines: dict[tuple[str, int], list[StatementLine]] = defaultdict(list)
    columns = financial_lines.c
    query = (
        select(columns.idno, columns.year, columns.form, columns.row, columns.value, columns.label)
        .where(columns.idno.in_(idnos))
        .order_by(columns.idno, columns.year, columns.form, columns.row)
    )
    for idno, of_year, *line in connection.execute(query):
        lines[idno, of_year].append(StatementLine(*line))
    return {
        idno: tuple(_statement(row, lines[idno, row["year"]]) for row in reversed(years))
        for idno, years in heads.items()
    }


def _grouped(connection: Connection, table: Table, idnos: Sequence[str], *order: str) -> _Grouped:
    query = (
        select(table)
        .where(table.c.idno.in_(idnos))
        .order_by(table.c.idno, *(table.c[column] for column in order))
    )
    rows: dict[str, list[RowMapping]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        rows[row["idno"]].append(row)
    return rows


def _profile(head: RowMapping, parties: _Grouped, activities: _Grouped) -> dict[str, Any]:
    idno = head["idno"]
    return {
        **{field: head[field] for field in _SINGLE},
        "address_parts": _parts(AddressParts, head, "address"),
        "cuatm": _parts(Cuatm, head, "cuatm"),
        "founders": _parties(parties.get(idno, ()), Relation.FOUNDER),
        "administrators": _parties(parties.get(idno, ()), Relation.ADMINISTRATOR),
        "licensed_activities": _activities(activities.get(idno, ()), is_licensed=True),
        "unlicensed_activities": _activities(activities.get(idno, ()), is_licensed=False),
        "remarks": head["remarks"],
        "incomplete_lists": head["incomplete"],
    }


def _parts(model: type[AddressParts] | type[Cuatm], head: RowMapping, prefix: str) -> Any:
    """Return a model whose fields are the columns `{prefix}_{field}`, or None if all of them are NULL."""
    parts = {part: head[f"{prefix}_{part}"] for part in model.model_fields}
    return model(**parts) if any(value is not None for value in parts.values()) else None


def _parties(rows: Sequence[RowMapping], relation: Relation) -> tuple[Party, ...]:
    return tuple(
        Party(
            name=row["name"],
            kind=row["kind"],
            share=row["share"],
            role=row["role"],
            idno=row["party_idno"],
            source_id=row["source_id"],
            remark=row["remark"],
        )
        for row in rows
        if row["relation"] == relation
    )


def _activities(rows: Sequence[RowMapping], *, is_licensed: bool) -> tuple[Activity, ...]:
    return tuple(
        Activity(name=row["name"], code=row["code"]) for row in rows if row["is_licensed"] is is_licensed
    )


def _statement(row: RowMapping, lines: Sequence[StatementLine]) -> Statement:
    return Statement(
        year=row["year"],
        currency=row["currency"],
        document_type=row["document_type"],
        cuiio=row["cuiio"],
        lines=tuple(lines),
    )
