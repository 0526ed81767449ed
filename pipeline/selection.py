"""What a run works on, as typed into Dagster's launchpad or sent by the API."""

from dagster import Config
from pydantic import Field, field_validator

from warehouse.idno import InvalidIdno, parse_idno

MOST_COMPANIES = 1000


class CompanySelection(Config):
    """The companies of a run."""

    idnos: list[str] = Field(
        description=f"IDNOs of the companies, 13 digits each, 1 to {MOST_COMPANIES}; written twice counts once",
        examples=[["1003600069773"]],
    )

    @field_validator("idnos")
    @classmethod
    def _are_idnos(cls, idnos: list[str]) -> list[str]:
        return _checked(idnos, at_least=1)


class TransformSelection(CompanySelection):
    """The companies to transform; none named: those captured in the same run."""

    idnos: list[str] = Field(
        default_factory=list,
        description="IDNOs to transform from their newest good capture; empty: what this run captured",
    )

    @field_validator("idnos")
    @classmethod
    def _are_idnos(cls, idnos: list[str]) -> list[str]:
        return _checked(idnos, at_least=0)


def _checked(idnos: list[str], *, at_least: int) -> list[str]:
    if not at_least <= len(idnos) <= MOST_COMPANIES:
        raise ValueError(f"idnos: {len(idnos)} given, {at_least} to {MOST_COMPANIES} are allowed")
    valid, reasons = [], []
    for idno in idnos:
        try:
            valid.append(parse_idno(idno))
        except InvalidIdno as reason:
            reasons.append(str(reason))
    if reasons:
        raise ValueError("idnos: " + "; ".join(reasons))
    return list(dict.fromkeys(valid))
