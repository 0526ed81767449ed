"""Cohorts: companies by the year in their IDNO. Re-transformations are divided into runs by cohort."""

from sqlalchemy import ColumnElement, and_, or_

from pipeline.records.cohort_names import FIRST_YEAR, LAST_YEAR, OTHERS
from warehouse.idno import IDNO_LENGTH


def in_cohort(idno: ColumnElement[str], cohort: str) -> ColumnElement[bool]:
    """Return the SQL condition that an IDNO belongs to a cohort. PostgreSQL can evaluate it with an index."""
    if cohort == OTHERS:
        return or_(idno < _first(FIRST_YEAR), idno > _last(LAST_YEAR))
    return and_(idno >= _first(int(cohort)), idno <= _last(int(cohort)))


def _prefix(year: int) -> str:
    return f"1{year - 2000:03d}"


def _first(year: int) -> str:
    return _prefix(year).ljust(IDNO_LENGTH, "0")


def _last(year: int) -> str:
    return _prefix(year).ljust(IDNO_LENGTH, "9")
