"""Complete the company record; create the tables of its history, of quarantine and of pending captures."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.schema.database_roles import API, PIPELINE

revision = "0003"
down_revision = "0002"

REWRITTEN = (
    "company_activities",
    "financial_statements",
    "financial_lines",
    "quarantine",
    "pending_captures",
)
APPEND_ONLY = ("company_changes",)
_FIGURES = (
    *("revenue", "cost_of_sales", "gross_profit", "net_profit"),
    *("total_assets", "equity", "current_liabilities", "cash"),
)


def upgrade() -> None:
    _complete_records()
    _create_activities()
    _create_statements()
    _create_changes()
    _create_quarantine()
    _create_pending()
    rewritten, kept = ", ".join(REWRITTEN), ", ".join(APPEND_ONLY)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {rewritten} TO {PIPELINE}")
    op.execute(f"GRANT SELECT, INSERT ON {kept} TO {PIPELINE}")
    op.execute(f"GRANT SELECT ON {rewritten}, {kept} TO {API}")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _when(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _provenance() -> list[sa.Column[int]]:
    return [
        sa.Column("source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id"), nullable=False),
        sa.Column("transform_version", sa.Integer, nullable=False),
    ]


def _complete_records() -> None:
    # In existing records, the new columns are empty until re-transformation. Their older version makes them stale.
    for column in (
        *_texts("legal_form_name", "address_postal_code", "address_city", "address_district"),
        *_texts("address_street", "address_street_number", "address_apartment"),
        *_texts("cuatm_code", "cuatm_name", "cuatm_kind"),
        sa.Column("name_folded", sa.Text, nullable=False, server_default=""),
        sa.Column("sources", JSONB, nullable=False, server_default="{}"),
        sa.Column("unknown", JSONB, nullable=False, server_default="[]"),
        sa.Column("notes", JSONB, nullable=False, server_default="[]"),
        sa.Column("facts_sha256", sa.Text),
        sa.Column("first_transformed_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("transformed_data", column)
    op.execute("UPDATE transformed_data SET first_transformed_at = transformed_at")
    op.alter_column("transformed_data", "first_transformed_at", nullable=False)
    op.create_index("transformed_data_by_version", "transformed_data", ["transform_version", "idno"])
    op.execute(
        "CREATE INDEX transformed_data_by_name ON transformed_data"
        " USING gin (to_tsvector('simple', name_folded))"
    )


def _create_activities() -> None:
    op.create_table(
        "company_activities",
        sa.Column(
            "idno", sa.Text, sa.ForeignKey("transformed_data.idno", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("is_licensed", sa.Boolean, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        *_provenance(),
        comment="Lines of business of a company, those that need a licence and those that do not.",
    )


def _create_statements() -> None:
    op.create_table(
        "financial_statements",
        sa.Column(
            "idno", sa.Text, sa.ForeignKey("transformed_data.idno", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("currency", sa.Text, nullable=False),
        *_texts("document_type", "cuiio"),
        *(sa.Column(name, sa.Numeric) for name in _FIGURES),
        *_provenance(),
        comment="A row a year that a company filed; key figures in `currency`, all rows are in financial_lines.",
    )
    # No foreign keys: each would be checked about 100 times per statement. The asset check `references` checks rows.
    op.create_table(
        "financial_lines",
        sa.Column("idno", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("form", sa.SmallInteger, primary_key=True),
        sa.Column("row", sa.Text, primary_key=True),
        sa.Column("value", sa.Numeric, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("source_data_id", sa.BigInteger, nullable=False),
        sa.Column("transform_version", sa.Integer, nullable=False),
        comment="Every row of the financial statements: form (5 balance sheet, 6 profit and loss, 7 equity, 8 cash),"
        " row code, label, amount in the statement's currency.",
    )


def _create_changes() -> None:
    op.create_table(
        "company_changes",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("idno", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("old", JSONB),
        sa.Column("new", JSONB),
        sa.Column("cause", sa.Text, nullable=False),
        _when("observed_at"),
        _when("recorded_at"),
        sa.Column("previous_source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id"), nullable=False),
        sa.Column("previous_version", sa.Integer, nullable=False),
        *_provenance(),
        sa.CheckConstraint("cause IN ('source', 'parser')", name="company_changes_cause_is_known"),
        comment="What changed in a company's record: at the source (news), or by our reading (none). Append-only.",
    )
    op.create_index("company_changes_by_company", "company_changes", ["idno", sa.text("id DESC")])
    op.execute(
        "CREATE TRIGGER company_changes_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON company_changes"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _create_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id"), primary_key=True),
        sa.Column("idno", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("raw_html_sha256", sa.Text, nullable=False),
        sa.Column("transform_version", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="1"),
        _when("first_tried_at"),
        _when("last_tried_at"),
        comment="Good captures that could not be transformed, and why; tried again when the version grows.",
    )
    op.create_index("quarantine_by_version", "quarantine", ["transform_version", "idno"])
    op.create_index("quarantine_by_company", "quarantine", ["idno"])


def _create_pending() -> None:
    op.create_table(
        "pending_captures",
        sa.Column("idno", sa.Text, primary_key=True),
        sa.Column("source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id"), primary_key=True),
        comment="Good captures that nobody has transformed yet: written with the capture, gone when it is done.",
    )
    op.execute(
        "INSERT INTO pending_captures (idno, source_data_id)"
        " SELECT DISTINCT ON (idno) s.idno, s.id FROM source_data s LEFT JOIN transformed_data t USING (idno)"
        " WHERE s.outcome = 'ok' AND (t.idno IS NULL OR t.fetched_at < s.fetched_at)"
        " ORDER BY s.idno, s.id DESC"
    )
