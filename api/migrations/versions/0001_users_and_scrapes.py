"""Create accounts and requests for companies."""

import sqlalchemy as sa
from alembic import op

from warehouse.schema.database_roles import API

revision = "0001"
down_revision = None

OPEN = "state IN ('launching', 'queued', 'running')"


def upgrade() -> None:
    now = sa.text("now()")
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    )
    op.create_index("users_by_username", "users", [sa.text("lower(username)")], unique=True)
    op.create_index("users_by_email", "users", [sa.text("lower(email)")], unique=True)
    op.create_table(
        "scrapes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("idno", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "state IN ('launching', 'queued', 'running', 'succeeded', 'not_found', 'blocked', 'failed', 'cancelled')",
            name="scrapes_state_is_known",
        ),
        sa.CheckConstraint(
            "state = 'launching' OR run_id IS NOT NULL OR state = 'failed'", name="scrapes_have_a_run"
        ),
        comment="One run of the pipeline for one company; at most one a company is open at a time.",
    )
    # Only one scrape per company is open at a time, even if requests race: the index enforces it.
    op.create_index(
        "scrapes_open_by_company", "scrapes", ["idno"], unique=True, postgresql_where=sa.text(OPEN)
    )
    op.create_index("scrapes_open", "scrapes", ["created_at"], postgresql_where=sa.text(OPEN))
    op.create_table(
        "scrape_requests",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("scrape_id", sa.Uuid, sa.ForeignKey("scrapes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("force_refresh", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        comment="Who asked for it; many may share one run.",
    )
    op.create_index("scrape_requests_by_scrape", "scrape_requests", ["scrape_id", "user_id"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON users, scrapes, scrape_requests TO {API}")
