"""The tables of the warehouse. The migrations create them; analysts' SQL depends on their names."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.records.models import KEY_FIGURES, AddressParts, Cuatm

metadata = MetaData()

raw_documents = Table(
    "raw_documents",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary),
    Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("removed_at", DateTime(timezone=True)),
    Column("removed_because", Text),
    comment="Bodies by their hash: rendered HTML, its look and the JSON that pages fetched. Append-only; content may be"
    " removed, but the hash stays, with the time and the reason.",
)

removals = Table(
    "removals",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("because", Text, nullable=False),
    Column("bodies", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("idno", Text),
    Column("removed_by", Text, nullable=False),
    Column("detail", Text, nullable=False),
    comment="Removals of evidence, with time, actor and reason. Append-only.",
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("idno", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("name_sha256", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="Persons whose names are never written to a company's record again, by salted hash of the name.",
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
    Column("look_sha256", Text, ForeignKey("raw_documents.sha256")),
    Column("fetched_at", DateTime(timezone=True), nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("requested_by", Text),
    Column("error", Text),
    Column("browser", Text),
    Column("capture_id", Uuid, unique=True),
    Column("attempt", Integer, nullable=False),
    Column("response_headers", JSONB(none_as_null=True)),
    Column("redirects", JSONB, nullable=False),
    Column("timings", JSONB(none_as_null=True)),
    Column("document_sha256", Text, ForeignKey("raw_documents.sha256")),
    Column("screenshot_sha256", Text, ForeignKey("raw_documents.sha256")),
    Column("evidence_sha256", Text),
    Column("same_as", BigInteger, ForeignKey("source_data.id")),
    Column("changed_headers", JSONB(none_as_null=True)),
    Column("first_evidence_sha256", Text),
    comment="The audit trail: one row for each visit, whatever its outcome. Append-only.",
)

source_payloads = Table(
    "source_payloads",
    metadata,
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("status_code", Integer),
    Column("sha256", Text, ForeignKey("raw_documents.sha256")),
    Column("response_headers", JSONB(none_as_null=True)),
    comment="The payloads of captures in order: the JSON bodies that a page fetched. Append-only.",
)

capture_payloads = Table(
    "capture_payloads",
    MetaData(),
    Column("source_data_id", BigInteger),
    Column("position", Integer),
    Column("url", Text),
    Column("status_code", Integer),
    Column("sha256", Text),
    Column("response_headers", JSONB(none_as_null=True)),
    comment="A view: the payloads of each capture, stored with it or with the earlier capture that same_as names.",
)

run_results = Table(
    "run_results",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("idno", Text, primary_key=True),
    Column("result", Text, nullable=False),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id")),
    Column("attempts", Integer, nullable=False),
    Column("deferred_until", DateTime(timezone=True)),
    Column("reason", Text),
    Column("ended_at", DateTime(timezone=True), nullable=False),
    comment="The result of each run for each of its companies, written when the run has finished the company.",
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("page_size", Integer, nullable=False),
    Column("next_page", Integer, nullable=False),
    Column("total", Integer),
    Column("seen", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("repeated", Integer, nullable=False, server_default="0"),
    Column("total_changes", Integer, nullable=False, server_default="0"),
    comment="Sweeps through the register's list; an interrupted one continues at next_page. seen: distinct companies.",
)

sweep_companies = Table(
    "sweep_companies",
    metadata,
    Column("sweep_id", BigInteger, ForeignKey("sweeps.id"), primary_key=True),
    Column("idno", Text, primary_key=True),
    comment="The companies that an unfinished sweep has seen. Deleted when the sweep is finished or abandoned.",
)

sweep_pages = Table(
    "sweep_pages",
    metadata,
    Column("sweep_id", BigInteger, ForeignKey("sweeps.id"), primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("status_code", Integer),
    Column("sha256", Text, ForeignKey("raw_documents.sha256")),
    Column("fetched_at", DateTime(timezone=True), nullable=False),
    Column("run_id", Text, nullable=False),
    comment="The evidence of a sweep: each page of the list as received. Append-only.",
)

tracked_companies = Table(
    "tracked_companies",
    metadata,
    Column("idno", Text, primary_key=True),
    Column("name", Text),
    Column("legal_form", Text),
    Column("is_active", Boolean),
    Column("registered_on", Date),
    Column("every_hours", Integer, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("captured_at", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False),
    Column("sweep_id", BigInteger, ForeignKey("sweeps.id"), nullable=False),
    Column("sweep_page", Integer, nullable=False),
    Column("first_seen_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    comment="Tracked companies and how often they are visited; names are those of the list (facts: transformed_data).",
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
    Column("legal_form_name", Text),
    *(Column(f"address_{part}", Text) for part in AddressParts.model_fields),
    *(Column(f"cuatm_{part}", Text) for part in Cuatm.model_fields),
    Column("name_folded", Text, nullable=False),
    Column("disagreements", JSONB, nullable=False),
    Column("sources", JSONB, nullable=False),
    Column("unknown", JSONB, nullable=False),
    Column("notes", JSONB, nullable=False),
    Column("remarks", JSONB, nullable=False, server_default="{}"),
    Column("unread", JSONB, nullable=False, server_default="[]"),
    Column("incomplete", JSONB, nullable=False, server_default="[]"),
    Column("facts_sha256", Text),
    Column("first_transformed_at", DateTime(timezone=True), nullable=False),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("fetched_at", DateTime(timezone=True), nullable=False),
    Column("transform_version", Integer, nullable=False),
    Column("transformed_at", DateTime(timezone=True), nullable=False),
    comment="The head of each company's current record, with the capture that it was read from.",
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
    Column("remark", Text),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("transform_version", Integer, nullable=False),
    comment="Founders (share in per cent) and administrators of a company, in the source's order.",
)

company_activities = Table(
    "company_activities",
    metadata,
    Column("idno", Text, ForeignKey("transformed_data.idno", ondelete="CASCADE"), primary_key=True),
    Column("is_licensed", Boolean, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("code", Text),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("transform_version", Integer, nullable=False),
    comment="A company's lines of business, licensed and unlicensed.",
)

financial_statements = Table(
    "financial_statements",
    metadata,
    Column("idno", Text, ForeignKey("transformed_data.idno", ondelete="CASCADE"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("currency", Text, nullable=False),
    Column("document_type", Text),
    Column("cuiio", Text),
    *(Column(name, Numeric) for name in KEY_FIGURES),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("transform_version", Integer, nullable=False),
    comment="One row for each year that a company filed, with key figures in `currency`; all lines: financial_lines.",
)

financial_lines = Table(
    "financial_lines",
    metadata,
    Column("idno", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("form", SmallInteger, primary_key=True),
    Column("row", Text, primary_key=True),
    Column("value", Numeric, nullable=False),
    Column("label", Text),
    Column("source_data_id", BigInteger, nullable=False),
    Column("transform_version", Integer, nullable=False),
    comment="Every line of the financial statements: form (5 balance sheet, 6 profit and loss, 7 equity, 8 cash),"
    " row code, label, amount in the statement's currency.",
)

company_changes = Table(
    "company_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("idno", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old", JSONB(none_as_null=True)),
    Column("new", JSONB(none_as_null=True)),
    Column("cause", Text, nullable=False),
    Column("observed_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("previous_source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("previous_version", Integer, nullable=False),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), nullable=False),
    Column("transform_version", Integer, nullable=False),
    comment="Changes of companies' records, caused by the source or by a newer parser. Append-only.",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), primary_key=True),
    Column("idno", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("raw_html_sha256", Text, nullable=False),
    Column("transform_version", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_tried_at", DateTime(timezone=True), nullable=False),
    Column("last_tried_at", DateTime(timezone=True), nullable=False),
    comment="Good captures that could not be transformed, with the reason; retried with a newer transform version.",
)

pending_captures = Table(
    "pending_captures",
    metadata,
    Column("idno", Text, primary_key=True),
    Column("source_data_id", BigInteger, ForeignKey("source_data.id"), primary_key=True),
    comment="Good captures that are not transformed yet; the row is deleted once they are.",
)
