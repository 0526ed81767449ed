"""Queries of the warehouse: companies by name, the provenance of a record, statements."""

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
# The characters . @ / - are not separators, because PostgreSQL reads words that they join as host names, file names,
# e-mail addresses or hyphenated words.
_SEPARATORS = re.compile(r"[^\w.@/-]+")


def find_by_name(connection: Connection, name: str, *, limit: int) -> list[CompanyFound]:
    """Return companies whose name contains all words of `name`; each may be the beginning of a longer word.

    Exact matches come first, the others are sorted by name.
    """
    query = select_by_name(name).limit(limit)
    return [CompanyFound.model_validate(row) for row in connection.execute(query)]


def select_by_name(name: str) -> Select[Any]:
    """Return the query for companies by name; see `find_by_name`."""
    record = transformed_data.c
    folded = fold(name)
    # The expression must be the same as in the index; otherwise PostgreSQL does not use the index.
    document = func.to_tsvector(literal_column("'simple'"), record.name_folded)
    return (
        select(record.idno, record.name, record.legal_form, record.status, record.fetched_at)
        .where(document.bool_op("@@")(func.to_tsquery(literal_column("'simple'"), prefix_query(folded))))
        .order_by(record.name_folded != folded, record.name_folded, record.idno)
    )


def prefix_query(folded: str) -> str:
    """Return a text search query for PostgreSQL. Each word of the folded text must begin a word of the name.

    >>> prefix_query("lentile grup")
    "'lentile':* & 'grup':*"
    """
    return " & ".join(_part_query(part) for part in folded.split() if _WORD.search(part))


def _part_query(part: str) -> str:
    words = _WORD.findall(part)
    separate = " & ".join(_word_query(word) for word in words)
    if len(words) == 1:
        return separate
    # PostgreSQL reads "s.r.l." as one word and "vion-impex" as three. The query finds names that are read either way.
    return f"({separate} | '{_SEPARATORS.sub(' ', part)}':*)"


def _word_query(word: str) -> str:
    # PostgreSQL reads the hyphen before a number ("agro-2000") as a minus sign.
    return f"('{word}':* | '-{word}':*)" if word.isdecimal() else f"'{word}':*"


def load_provenance(connection: Connection, idno: str) -> RecordProvenance | None:
    """Return the provenance of each field of a company's record; None if there is no record."""
    record = load_record(connection, idno)
    if record is None:
        return None
    columns = transformed_data.c
    head = connection.execute(
        select(columns.sources, columns.disagreements, columns.notes, columns.unknown, columns.unread).where(
            columns.idno == idno
        )
    ).one()
    sources = {field: FieldProvenance.model_validate(source) for field, source in head.sources.items()}
    captures = captures_by_id(connection, list({source.source_data_id for source in sources.values()}))
    version = record.source.transform_version
    return RecordProvenance(
        idno=idno,
        source=record.source,
        fields={
            field: FieldSource(
                **dict(captures[source.source_data_id]),
                reading=source.reading,
                rule=source.rule,
                raw=source.raw,
                transform_version=version,
            )
            for field, source in sources.items()
        },
        disagreements=head.disagreements,
        remarks=record.remarks,
        unread=head.unread,
        incomplete_lists=record.incomplete_lists,
        notes=head.notes,
        unknown=head.unknown,
    )


def load_filed_figures(connection: Connection, idno: str) -> CompanyStatements | None:
    """Return the key figures of a company's statements; None if the company has no record."""
    filed = financial_statements.c
    query = (
        select(transformed_data.c.idno.label("record_idno"), financial_statements)
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
    """Return a year's statement line by line; None if there is none."""
    filed, column = financial_statements.c, financial_lines.c
    head = connection.execute(
        select(financial_statements).where(filed.idno == idno, filed.year == year)
    ).one_or_none()
    if head is None:
        return None
    lines = connection.execute(
        select(column.form, column.row, column.label, column.value)
        .where(column.idno == idno, column.year == year)
        .order_by(column.form, column.row)
    )
    return FiledStatement(
        idno=idno,
        year=year,
        currency=head.currency,
        document_type=head.document_type,
        cuiio=head.cuiio,
        lines=[Line.model_validate(line) for line in lines],
        source=captures_by_id(connection, [head.source_data_id])[head.source_data_id],
        transform_version=head.transform_version,
    )
