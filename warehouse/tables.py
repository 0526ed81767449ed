"""The warehouse's tables. The names are the contract; migrations/ creates them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

raw_documents = Table(
    "raw_documents",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    comment="Bodies by their content: rendered HTML and the JSON that pages fetched. Append-only.",
)

source_data = Table(
    "source_data",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("idno", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("final_url", Text),
    Column("status_code", Integer),
    Column("outcome", Text, nullable=False),
    Column("raw_html_sha256", Text, ForeignKey("raw_documents.sha256")),
    Column("fetched_at", DateTime(timezone=True), nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("requested_by", Text),
    Column("error", Text),
    Column("browser", Text),
    comment="The audit trail: one row a visit, whatever came of it. Append-only.",
)

source_payloads = Table(
    "source_payloads",
    metadata,
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("status_code", Integer),
    Column("sha256", Text, ForeignKey("raw_documents.sha256")),
    comment="The JSON bodies that a page fetched, in their order. Append-only.",
)

transformed_data = Table(
    "transformed_data",
    metadata,
    Column("idno", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("legal_form", Text),
    Column("status", Text),
    Column("registered_on", Date),
    Column("address", Text),
    Column("disagreements", JSONB, nullable=False),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("fetched_at", DateTime(timezone=True), nullable=False),
    Column("transform_version", Integer, nullable=False),
    Column("transformed_at", DateTime(timezone=True), nullable=False),
    comment="One current row a company, each traceable to the capture it came from.",
)

company_parties = Table(
    "company_parties",
    metadata,
    Column("idno", Text, ForeignKey("transformed_data.idno", ondelete="CASCADE"), primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("share", Numeric),
    Column("role", Text),
    Column("party_idno", Text),
    Column("source_id", Text),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("transform_version", Integer, nullable=False),
    comment="Founders (share in per cent) and administrators of a company, in the source's order.",
)
