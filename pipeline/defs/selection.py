"""Dagster config that selects a run's companies. Users type it into Dagster's launchpad, or the API sends it."""

from datetime import datetime
from typing import Any, Self

from dagster import Config
from pydantic import Field, field_validator, model_validator

from pipeline.records.cohort_names import COHORTS, OTHERS
from pipeline.register.tracking import CompanySet
from warehouse.contract import STALE
from warehouse.idno import InvalidIdno, parse_idno

MAX_COMPANIES = 1000
"""The maximum number of companies that a config can name in `idnos`."""
MAX_SELECTED = 10_000
"""The maximum number of companies that a config can select with `select`."""
SELECTABLE_YEARS = range(2000, 2100)
"""The years that `CompanySelection.cohort` allows. (The partitions in `records.cohorts` cover fewer years.)"""

_SETS = f"{', '.join(list(CompanySet)[:-1])} or {list(CompanySet)[-1]}"
_YEARS_ALLOWED = (
    f"a year from {SELECTABLE_YEARS[0]} to {SELECTABLE_YEARS[-1]} is allowed"
    " (2003 stands for the IDNOs that begin with 1003)"
)
_TIME_EXAMPLE = "2026-09-01T00:00:00Z"


class CompanySelection(Config):
    """The companies to visit: named by `idnos`, or selected by `select`."""

    idnos: list[str] = Field(
        default_factory=list,
        description=f"IDNOs of the companies, 13 digits each, 1 to {MAX_COMPANIES}; duplicates count once",
        examples=[["1003600069773"]],
    )
    select: str | None = Field(
        default=None,
        description=f"Instead of idnos: {_SETS}. failed: companies whose newest capture is neither ok nor not_found;"
        " due: tracked companies whose next visit is due, the most overdue first; all: all tracked or captured"
        " companies, by IDNO",
    )
    # Any: Dagster has no type for "an integer, or a string that contains one".
    cohort: Any = Field(
        default=None,
        description="With select: only companies whose IDNO was issued in this year, for example 2003",
    )
    limit: int = Field(
        default=1000,
        ge=1,
        le=MAX_SELECTED,
        description=f"The maximum number of companies that select takes, 1 to {MAX_SELECTED}",
    )
    since: str | None = Field(
        default=None,
        description=f"A time such as {_TIME_EXAMPLE}: do not visit companies that have a capture with the outcome ok or"
        " not_found since then",
    )

    @field_validator("select")
    @classmethod
    def _is_a_set(cls, select: str | None) -> str | None:
        if select is not None and select not in set(CompanySet):
            raise ValueError(f"select: {select!r} given, {_SETS} are allowed")
        return select

    @field_validator("cohort")
    @classmethod
    def _is_a_year(cls, cohort: object) -> int | None:
        if cohort is None:
            return None
        text = str(cohort).strip()
        is_number = text.isascii() and text.isdigit() and not isinstance(cohort, bool)
        if not is_number or int(text[:9]) not in SELECTABLE_YEARS:
            raise ValueError(f"cohort: {cohort!r} given, {_YEARS_ALLOWED}")
        return int(text)

    @field_validator("since")
    @classmethod
    def _is_a_time(cls, since: str | None) -> str | None:
        return None if since is None else _parse_time(since).isoformat()

    @model_validator(mode="after")
    def _names_or_selects(self) -> Self:
        if self.select is None:
            _check_count(self.idnos, alternative=f"; or give select: {_SETS}")
            if self.cohort is not None:
                raise ValueError(
                    f"cohort: {self.cohort} given with idnos; it is only allowed with select ({_SETS})"
                )
        elif self.idnos:
            raise ValueError(
                f"select: {self.select!r} given with {len(self.idnos)} idnos; only one of the two is allowed"
            )
        return self

    @field_validator("idnos")
    @classmethod
    def _are_idnos(cls, idnos: list[str]) -> list[str]:
        return _parse_idnos(idnos)

    @property
    def since_time(self) -> datetime | None:
        """`since` as an aware datetime."""
        return None if self.since is None else datetime.fromisoformat(self.since)

    def as_config(self) -> dict[str, Any]:
        """Return this selection as the config of an op."""
        return self.model_dump(exclude_none=True)


class TransformSelection(Config):
    """The companies to transform: named, stale, or by default those that the same run captured."""

    idnos: list[str] = Field(
        default_factory=list,
        description="IDNOs of the companies whose newest good capture is transformed; empty: those that this run"
        " captured",
    )
    select: str | None = Field(
        default=None,
        description=f"Instead of idnos: {STALE}, all companies whose record an older transform version read, or that"
        " have a newer capture pending",
    )
    # Any: Dagster has no type for "an integer, or a string".
    cohort: Any = Field(
        default=None,
        description="With select: only companies whose IDNO was issued in this year, for example 2003, or"
        f" {OTHERS!r} for IDNOs without a year",
    )

    @field_validator("idnos")
    @classmethod
    def _are_idnos(cls, idnos: list[str]) -> list[str]:
        parsed = _parse_idnos(idnos)
        if parsed:
            _check_count(parsed)
        return parsed

    @field_validator("select")
    @classmethod
    def _is_stale(cls, select: str | None) -> str | None:
        if select not in (None, STALE):
            raise ValueError(f"select: {select!r} given, {STALE} is allowed")
        return select

    @field_validator("cohort")
    @classmethod
    def _is_a_cohort(cls, cohort: object) -> str | None:
        text = None if cohort is None or isinstance(cohort, bool) else str(cohort).strip()
        if cohort is not None and text not in COHORTS:
            allowed = f"{COHORTS[0]} to {COHORTS[-2]}, or {OTHERS}, is allowed"
            raise ValueError(f"cohort: {cohort!r} given, {allowed}")
        return text

    @model_validator(mode="after")
    def _names_or_selects(self) -> Self:
        if self.select is not None and self.idnos:
            raise ValueError(
                f"select: {self.select!r} given with {len(self.idnos)} idnos; only one of the two is allowed"
            )
        if self.cohort is not None and self.select is None:
            raise ValueError(
                f"cohort: {self.cohort} given without select; it is only allowed with select: {STALE}"
            )
        return self


def _check_count(idnos: list[str], *, alternative: str = "") -> None:
    if not 1 <= len(idnos) <= MAX_COMPANIES:
        raise ValueError(f"idnos: {len(idnos)} given, 1 to {MAX_COMPANIES} are allowed{alternative}")


def _parse_idnos(idnos: list[str]) -> list[str]:
    """Return the IDNOs without duplicates. Raises ValueError if any is invalid; its message explains each of them."""
    valid, reasons = [], []
    for idno in idnos:
        try:
            valid.append(parse_idno(idno))
        except InvalidIdno as reason:
            reasons.append(str(reason))
    if reasons:
        raise ValueError("idnos: " + "; ".join(reasons))
    return list(dict.fromkeys(valid))


def _parse_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"since: {text!r} given, a time such as {_TIME_EXAMPLE} is allowed") from None
    if time.tzinfo is None:
        raise ValueError(
            f"since: {text!r} given without a time zone, a time such as {_TIME_EXAMPLE} is allowed"
        )
    return time
