"""What a run works on, as typed into Dagster's launchpad or sent by the API."""

from datetime import datetime
from typing import Any, Self

from dagster import Config
from pydantic import Field, field_validator, model_validator

from pipeline.records.cohorts import COHORTS as COHORT_KEYS
from pipeline.records.cohorts import OTHERS
from pipeline.register.tracking import CompanySet
from warehouse.contract import STALE
from warehouse.idno import InvalidIdno, parse_idno

MOST_COMPANIES = 1000
"""That one config may name."""
MOST_SELECTED = 10_000
COHORTS = range(2000, 2100)


_SETS = f"{', '.join(list(CompanySet)[:-1])} or {list(CompanySet)[-1]}"
_COHORTS_ALLOWED = (
    f"a year from {COHORTS[0]} to {COHORTS[-1]} is allowed (2003 stands for the IDNOs that begin with 1003)"
)


class CompanySelection(Config):
    """The companies of a run: named, or selected."""

    idnos: list[str] = Field(
        default_factory=list,
        description=f"IDNOs of the companies, 13 digits each, 1 to {MOST_COMPANIES}; written twice counts once",
        examples=[["1003600069773"]],
    )
    select: str | None = Field(
        default=None,
        description=f"In place of idnos: {_SETS}. failed: their newest capture is neither ok nor not_found;"
        " due: tracked and to be visited by now, most overdue first; all: tracked or captured, by IDNO",
    )
    # Any: Dagster has no type for "a whole number, or a text that holds one".
    cohort: Any = Field(
        default=None, description="Only selected companies whose IDNO was given in this year, such as 2003"
    )
    limit: int = Field(
        default=1000, ge=1, le=MOST_SELECTED, description=f"The most that select takes, 1 to {MOST_SELECTED}"
    )
    since: str | None = Field(
        default=None,
        description="A time such as 2026-09-01T00:00:00Z: who has been captured well since then is not visited",
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
        if isinstance(cohort, bool) or not (text.isascii() and text.isdigit() and int(text[:9]) in COHORTS):
            raise ValueError(f"cohort: {cohort!r} given, {_COHORTS_ALLOWED}")
        return int(text)

    @field_validator("since")
    @classmethod
    def _is_a_time(cls, since: str | None) -> str | None:
        return None if since is None else _aware(since).isoformat()

    @model_validator(mode="after")
    def _names_or_selects(self) -> Self:
        if self.select is None:
            _check_count(self.idnos, or_else=f"; or give select: {_SETS}")
            if self.cohort is not None:
                raise ValueError(f"cohort: {self.cohort} given beside idnos, it goes with select ({_SETS})")
        elif self.idnos:
            raise ValueError(
                f"select: {self.select!r} given beside {len(self.idnos)} idnos, one of the two is allowed"
            )
        return self

    @field_validator("idnos")
    @classmethod
    def _are_idnos(cls, idnos: list[str]) -> list[str]:
        return _checked(idnos)

    @property
    def since_time(self) -> datetime | None:
        """`since` as a time."""
        return None if self.since is None else datetime.fromisoformat(self.since)

    def as_config(self) -> dict[str, Any]:
        """Return the config that this was read from, as it is passed on in a graph."""
        return self.model_dump(exclude_none=True)


class TransformSelection(Config):
    """The companies to transform; none named or selected: those captured in the same run."""

    idnos: list[str] = Field(
        default_factory=list,
        description="IDNOs to transform from their newest good capture; empty: what this run captured",
    )
    select: str | None = Field(
        default=None,
        description=f"In place of idnos: {STALE}, all whose record an older version of the transformation read, or of"
        " which a newer capture waits",
    )
    # Any: Dagster has no type for "a whole number, or a text".
    cohort: Any = Field(
        default=None,
        description=f"With select: only IDNOs given in this year, such as 2003, or {OTHERS!r} for those without one",
    )

    @field_validator("idnos")
    @classmethod
    def _are_idnos(cls, idnos: list[str]) -> list[str]:
        checked = _checked(idnos)
        if checked:
            _check_count(checked)
        return checked

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
        if cohort is not None and text not in COHORT_KEYS:
            allowed = f"{COHORT_KEYS[0]} to {COHORT_KEYS[-2]}, or {OTHERS}, is allowed"
            raise ValueError(f"cohort: {cohort!r} given, {allowed}")
        return text

    @model_validator(mode="after")
    def _names_or_selects(self) -> Self:
        if self.select is not None and self.idnos:
            raise ValueError(
                f"select: {self.select!r} given beside {len(self.idnos)} idnos, one of the two is allowed"
            )
        if self.cohort is not None and self.select is None:
            raise ValueError(f"cohort: {self.cohort} given without select, it goes with select: {STALE}")
        return self


def _check_count(idnos: list[str], *, or_else: str = "") -> None:
    if not 1 <= len(idnos) <= MOST_COMPANIES:
        raise ValueError(f"idnos: {len(idnos)} given, 1 to {MOST_COMPANIES} are allowed{or_else}")


def _checked(idnos: list[str]) -> list[str]:
    valid, reasons = [], []
    for idno in idnos:
        try:
            valid.append(parse_idno(idno))
        except InvalidIdno as reason:
            reasons.append(str(reason))
    if reasons:
        raise ValueError("idnos: " + "; ".join(reasons))
    return list(dict.fromkeys(valid))


def _aware(text: str) -> datetime:
    example = "2026-09-01T00:00:00Z"
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"since: {text!r} given, a time such as {example} is allowed") from None
    if time.tzinfo is None:
        raise ValueError(f"since: {text!r} given without a time zone, a time such as {example} is allowed")
    return time
