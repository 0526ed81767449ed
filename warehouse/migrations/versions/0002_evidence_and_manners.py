"""Add complete evidence to captures; create the tables of run results, sweeps and tracked companies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.schema.database_roles import API, PIPELINE

revision = "0002"
down_revision = "0001"

REWRITTEN = ("run_results", "sweeps", "tracked_companies")


def upgrade() -> None:
    _complete_captures()
    _create_run_results()
    _create_sweeps()
    _create_tracked_companies()
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(REWRITTEN)} TO {PIPELINE}")
    op.execute(f"GRANT SELECT, INSERT ON sweep_pages TO {PIPELINE}")
    op.execute(f"GRANT SELECT ON {', '.join(REWRITTEN)}, sweep_pages TO {API}")


def _body(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text, sa.ForeignKey("raw_documents.sha256"))


def _when(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _complete_captures() -> None:
    # Earlier captures do not have these values, so the columns stay NULL there.
    for column in (
        sa.Column("capture_id", sa.Uuid, unique=True),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
        sa.Column("response_headers", JSONB),
        sa.Column("redirects", JSONB, nullable=False, server_default="[]"),
        sa.Column("timings", JSONB),
        _body("document_sha256"),
        _body("screenshot_sha256"),
        sa.Column("evidence_sha256", sa.Text),
    ):
        op.add_column("source_data", column)
    op.add_column("source_payloads", sa.Column("response_headers", JSONB))
    op.create_index(
        "source_data_failed",
        "source_data",
        ["id"],
        postgresql_include=["idno"],
        postgresql_where=sa.text("outcome NOT IN ('ok', 'not_found')"),
    )


def _create_run_results() -> None:
    op.create_table(
        "run_results",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("idno", sa.Text, primary_key=True),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("source_data_id", sa.BigInteger, sa.ForeignKey("source_data.id")),
        sa.Column("attempts", sa.Integer, nullable=False),
        _when("deferred_until"),
        sa.Column("reason", sa.Text),
        _when("ended_at", nullable=False),
        sa.CheckConstraint(
            "result IN ('captured', 'skipped', 'deferred')", name="run_results_result_is_known"
        ),
        sa.CheckConstraint(
            "(result = 'deferred') = (source_data_id IS NULL)", name="run_results_name_their_capture"
        ),
        sa.CheckConstraint(
            "(result = 'deferred') = (deferred_until IS NOT NULL)", name="run_results_deferred_have_a_time"
        ),
        comment="What each run came to for each of its companies; written when the run is done with the company.",
    )


def _create_sweeps() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("page_size", sa.Integer, nullable=False),
        sa.Column("next_page", sa.Integer, nullable=False, server_default="0"),
        sa.Column("total", sa.Integer),
        sa.Column("seen", sa.Integer, nullable=False, server_default="0"),
        sa.Column("added", sa.Integer, nullable=False, server_default="0"),
        _when("started_at", nullable=False),
        _when("finished_at"),
        comment="Walks through a list of companies; next_page is where an interrupted one goes on.",
    )
    op.create_table(
        "sweep_pages",
        sa.Column("sweep_id", sa.BigInteger, sa.ForeignKey("sweeps.id"), primary_key=True),
        sa.Column("page", sa.Integer, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status_code", sa.Integer),
        _body("sha256"),
        _when("fetched_at", nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        comment="The evidence of a sweep: each page of the list, as it was received. Append-only.",
    )
    op.execute(
        "CREATE TRIGGER sweep_pages_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sweep_pages"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _create_tracked_companies() -> None:
    op.create_table(
        "tracked_companies",
        sa.Column("idno", sa.Text, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("legal_form", sa.Text),
        sa.Column("is_active", sa.Boolean),
        sa.Column("registered_on", sa.Date),
        sa.Column("every_hours", sa.Integer, nullable=False),
        _when("due_at", nullable=False),
        _when("captured_at"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sweep_id", sa.BigInteger, sa.ForeignKey("sweeps.id"), nullable=False),
        sa.Column("sweep_page", sa.Integer, nullable=False),
        _when("first_seen_at", nullable=False),
        _when("last_seen_at", nullable=False),
        sa.CheckConstraint("idno ~ '^[0-9]{13}$'", name="tracked_companies_idno_is_13_digits"),
        sa.CheckConstraint("every_hours > 0", name="tracked_companies_interval_is_positive"),
        comment="What the platform keeps fresh, and how often; names as the list has them (facts are in"
        " transformed_data).",
    )
    op.create_index("tracked_companies_by_due", "tracked_companies", ["due_at", "idno"])
