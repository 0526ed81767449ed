"""Companies in the warehouse: by name, where their facts were read, their statements."""

import re
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select

from api.companies.schemas import (
    CompanyFound,
    CompanyStatements,
    FieldSource,
    FiledFigures,
    FiledStatement,
    Line,
    RecordProvenance,
)
from warehouse.folding import fold
from warehouse.records.history import captures_by_id
from warehouse.records.models import FieldProvenance
from warehouse.records.queries import load_record
from warehouse.schema.tables import financial_lines, financial_statements, transformed_data

_WORD = re.compile(r"[^\W_]+")
# PostgreSQL takes words with these marks inside for names of hosts and files and for addresses.
_NOT_OF_A_WORD = re.compile(r"[^\w.@/-]+")


def find_by_name(connection: Connection, name: str, *, limit: int) -> list[CompanyFound]:
    """Return companies in whose name every word of `name` begins a word: of just this name first, then by name."""
    return [CompanyFound.model_validate(row) for row in connection.execute(search(name).limit(limit))]


def search(name: str) -> Select[Any]:
    """Return the query for companies by name."""
    record = transformed_data.c
    folded = fold(name)
    # Literally as in the index, or PostgreSQL does not use it.
    document = func.to_tsvector(literal_column("'simple'"), record.name_folded)
    return (
        select(record.idno, record.name, record.legal_form, record.status, record.fetched_at)
        .where(document.bool_op("@@")(func.to_tsquery(literal_column("'simple'"), prefixes(folded))))
        .order_by(record.name_folded != folded, record.name_folded, record.idno)
    )


def prefixes(folded: str) -> str:
    """Return a query of PostgreSQL's text search for every word of a folded text, each as a prefix."""
    return " & ".join(_prefix(part) for part in folded.split() if _WORD.search(part))


def _prefix(part: str) -> str:
    words = _WORD.findall(part)
    apart = " & ".join(_of_word(word) for word in words)
    if len(words) == 1:
        return apart
    # "s.r.l." is one word to it, and "vion-impex" three.
    return f"({apart} | '{_NOT_OF_A_WORD.sub(' ', part)}':*)"


def _of_word(word: str) -> str:
    # The hyphen before a number ("agro-2000") is its sign to it.
    return f"('{word}':* | '-{word}':*)" if word.isdecimal() else f"'{word}':*"


def load_provenance(connection: Connection, idno: str) -> RecordProvenance | None:
    """Return where each field of a company's record was read, None if no record is held."""
    record = load_record(connection, idno)
    if record is None:
        return None
    columns = transformed_data.c
    kept = connection.execute(
        select(columns.sources, columns.disagreements, columns.notes, columns.unknown).where(
            columns.idno == idno
        )
    ).one()
    sources = {field: FieldProvenance.model_validate(source) for field, source in kept.sources.items()}
    captures = captures_by_id(connection, list({source.source_data_id for source in sources.values()}))
    version = record.source.transform_version
    return RecordProvenance(
        idno=idno,
        source=record.source,
        fields={
            field: FieldSource(
                **dict(captures[source.source_data_id]),
                reading=source.reading,
                raw=source.raw,
                transform_version=version,
            )
            for field, source in sources.items()
        },
        disagreements=kept.disagreements,
        notes=kept.notes,
        unknown=kept.unknown,
    )


def load_filed_figures(connection: Connection, idno: str) -> CompanyStatements | None:
    """Return the key figures of a company's statements, None if no record is held."""
    filed = financial_statements.c
    query = (
        select(transformed_data.c.idno.label("held"), financial_statements)
        .outerjoin(financial_statements, filed.idno == transformed_data.c.idno)
        .where(transformed_data.c.idno == idno)
        .order_by(filed.year.desc())
    )
    rows = connection.execute(query).all()
    if not rows:
        return None
    filed_rows = [row for row in rows if row.year is not None]
    statements = [FiledFigures.model_validate(row, from_attributes=True) for row in filed_rows]
    return CompanyStatements(idno=idno, statements=statements)


def load_filed_statement(connection: Connection, idno: str, year: int) -> FiledStatement | None:
    """Return a year's statement line by line, None if there is none."""
    filed, line = financial_statements.c, financial_lines.c
    head = connection.execute(
        select(financial_statements).where(filed.idno == idno, filed.year == year)
    ).one_or_none()
    if head is None:
        return None
    lines = connection.execute(
        select(line.form, line.row, line.label, line.value)
        .where(line.idno == idno, line.year == year)
        .order_by(line.form, line.row)
    )
    return FiledStatement(
        idno=idno,
        year=year,
        currency=head.currency,
        document_type=head.document_type,
        cuiio=head.cuiio,
        lines=[Line.model_validate(each) for each in lines],
        source=captures_by_id(connection, [head.source_data_id])[head.source_data_id],
        transform_version=head.transform_version,
    )
