"""Create the tables of captures (append-only) and of the companies transformed from them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.schema.database_roles import API, PIPELINE

revision = "0001"
down_revision = None

APPEND_ONLY = ("raw_documents", "source_data", "source_payloads")
REWRITTEN = ("transformed_data", "company_parties")


def upgrade() -> None:
    _create_captures()
    _create_companies()
    _refuse_changes()
    _grant()


def _create_captures() -> None:
    op.create_table(
        "raw_documents",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.CheckConstraint("sha256 = encode(sha256(content), 'hex')", name="raw_documents_hash_is_right"),
        comment="Bodies by their content: rendered HTML and the JSON that pages fetched. Append-only.",
    )
    op.create_table(
        "source_data",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("idno", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("final_url", sa.Text),
        sa.Column("status_code", sa.Integer),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("raw_html_sha256", sa.Text, sa.ForeignKey("raw_documents.sha256")),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("browser", sa.Text),
        sa.CheckConstraint(
            "outcome IN ('ok', 'not_found', 'blocked', 'server_error', 'timeout', 'network_error',"
            " 'browser_error', 'wrong_page', 'incomplete')",
            name="source_data_outcome_is_known",
        ),
        sa.CheckConstraint("idno ~ '^[0-9]{13}$'", name="source_data_idno_is_13_digits"),
        sa.CheckConstraint(
            "outcome <> 'ok' OR raw_html_sha256 IS NOT NULL", name="source_data_ok_has_evidence"
        ),
        comment="The audit trail: one row a visit, whatever came of it. Append-only.",
    )
    op.create_index("source_data_by_company", "source_data", ["idno", sa.text("id DESC")])
    op.create_index("source_data_by_run", "source_data", ["run_id"])
    op.create_table(
        "source_payloads",
        sa.Column("source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status_code", sa.Integer),
        sa.Column("sha256", sa.Text, sa.ForeignKey("raw_documents.sha256")),
        comment="The JSON bodies that a page fetched, in their order. Append-only.",
    )
    op.execute(
        "CREATE VIEW source_data_html AS SELECT s.*, convert_from(d.content, 'UTF8') AS raw_html"
        " FROM source_data s LEFT JOIN raw_documents d ON d.sha256 = s.raw_html_sha256"
    )


def _create_companies() -> None:
    op.create_table(
        "transformed_data",
        sa.Column("idno", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("legal_form", sa.Text),
        sa.Column("status", sa.Text),
        sa.Column("registered_on", sa.Date),
        sa.Column("address", sa.Text),
        sa.Column("disagreements", JSONB, nullable=False),
        sa.Column("source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id"), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transform_version", sa.Integer, nullable=False),
        sa.Column("transformed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('active', 'inactive')", name="transformed_data_status_is_known"),
        comment="One current row a company, each traceable to the capture it came from.",
    )
    op.create_table(
        "company_parties",
        sa.Column(
            "idno", sa.Text, sa.ForeignKey("transformed_data.idno", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("relation", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("share", sa.Numeric),
        sa.Column("role", sa.Text),
        sa.Column("party_idno", sa.Text),
        sa.Column("source_id", sa.Text),
        sa.Column("source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id"), nullable=False),
        sa.Column("transform_version", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "relation IN ('founder', 'administrator')", name="company_parties_relation_is_known"
        ),
        sa.CheckConstraint("kind IN ('person', 'company')", name="company_parties_kind_is_known"),
        sa.CheckConstraint("share BETWEEN 0 AND 100", name="company_parties_share_is_per_cent"),
        comment="Founders (share in per cent) and administrators of a company, in the source's order.",
    )


def _refuse_changes() -> None:
    # The pipeline has no privilege to change evidence. The triggers keep all other roles from changing it by accident.
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _grant() -> None:
    evidence, rewritten = ", ".join(APPEND_ONLY), ", ".join(REWRITTEN)
    op.execute(f"GRANT SELECT, INSERT ON {evidence} TO {PIPELINE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {rewritten} TO {PIPELINE}")
    op.execute(f"GRANT SELECT ON source_data_html TO {PIPELINE}, {API}")
    op.execute(f"GRANT SELECT ON {evidence}, {rewritten} TO {API}")
