"""Cohorts: companies by the year in their IDNO. Re-transformations are divided into runs by cohort."""

from sqlalchemy import ColumnElement, and_, or_

from warehouse.idno import IDNO_LENGTH

FIRST_YEAR, LAST_YEAR = 2000, 2039
OTHERS = "others"
"""The cohort of all IDNOs that belong to none of these years. (An IDNO that begins with 1003 belongs to 2003.)"""
COHORTS = (*(str(year) for year in range(FIRST_YEAR, LAST_YEAR + 1)), OTHERS)
"""The names of all cohorts. They are the partition keys of the job that re-transforms companies."""


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
