"""A record of an invented company, for tests that need a record but not the pipeline."""

from datetime import date, datetime
from decimal import Decimal
from uuid import uuid4

from warehouse.records.models import (
    Activity,
    AddressParts,
    CompanyRecord,
    CompanyStatus,
    Cuatm,
    Party,
    PartyKind,
    Provenance,
    StatementFigures,
)


def made_up_record(idno: str, fetched_at: datetime) -> CompanyRecord:
    """Return a record of an invented company, as the pipeline would write it."""
    person = Party(name="Ștefan Țurcanu", kind=PartyKind.PERSON, share=Decimal("50.00"), role="Fondator")
    return CompanyRecord(
        idno=idno,
        name="Fabrica de Încercări și Măsurări SRL",
        legal_form="SRL",
        legal_form_name="Societate cu răspundere limitată",
        status=CompanyStatus.ACTIVE,
        registered_on=date(2003, 4, 1),
        address="MD-2001, mun. Chișinău, str. Ștefan cel Mare și Sfânt, 1",
        address_parts=AddressParts(
            postal_code="MD-2001", city="Chișinău", street="Ștefan cel Mare", street_number="1"
        ),
        cuatm=Cuatm(code="0100", name="Chișinău", kind="municipiu"),
        founders=(person, person),
        administrators=(Party(name="Ana Țurcanu", kind=PartyKind.PERSON, role="Administrator"),),
        licensed_activities=(Activity(name="Fabricarea instrumentelor de măsură", code="26.51"),) * 2,
        unlicensed_activities=(Activity(name="Comerț cu ridicata al altor mașini", code="46.69"),) * 6,
        statements=tuple(
            StatementFigures(
                year=year,
                currency="MDL",
                revenue=Decimal("1234567.00"),
                total_assets=Decimal("7654321.00"),
                net_profit=Decimal("-1200.50"),
                equity=Decimal("100000.00"),
            )
            for year in (2025, 2024, 2023)
        ),
        source=Provenance(
            source_data_id=1,
            url=f"https://example.md/companies/{idno}",
            final_url=f"https://example.md/companies/{idno}",
            status_code=200,
            fetched_at=fetched_at,
            raw_html_sha256="b" * 64,
            run_id=str(uuid4()),
            transform_version=1,
            transformed_at=fetched_at,
        ),
    )
