"""Create batches, and create launches, so that a scrape can have several runs, one after another."""

import sqlalchemy as sa
from alembic import op

from warehouse.schema.database_roles import API

revision = "0003"
down_revision = "0002"

OPEN = "state IN ('launching', 'queued', 'running', 'deferred')"
STATES = f"{OPEN[:-1]}, 'succeeded', 'not_found', 'blocked', 'failed', 'cancelled')"


def upgrade() -> None:
    _launches()
    _scrapes()
    _carry_over()
    _batches()
    _requests()
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON launches, launch_scrapes, batches, batch_items TO {API}"
    )


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def _when(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True))


def _id_of(name: str, table: str, *, primary_key: bool = False) -> sa.Column[object]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.Uuid, key, primary_key=primary_key, nullable=False)


def _launches() -> None:
    op.create_table(
        "launches",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, unique=True),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        _now("claimed_until"),
        sa.Column("error", sa.Text),
        _now("created_at"),
        _when("launched_at"),
        _when("cancelled_at"),
        sa.CheckConstraint("kind IN ('person', 'bulk')", name="launches_kind_is_known"),
        comment="One Dagster run that is to be launched (no run_id yet: whoever claims it launches it) or was.",
    )
    op.create_table(
        "launch_scrapes",
        _id_of("launch_id", "launches", primary_key=True),
        _id_of("scrape_id", "scrapes", primary_key=True),
        comment="Every launch that a scrape was ever in, so that it is still found by the run of an earlier one.",
    )
    op.create_index("launch_scrapes_by_scrape", "launch_scrapes", ["scrape_id"])


def _scrapes() -> None:
    op.add_column("scrapes", sa.Column("launch_id", sa.Uuid, sa.ForeignKey("launches.id")))
    op.add_column("scrapes", sa.Column("outcome", sa.Text))
    op.add_column("scrapes", sa.Column("attempts", sa.Integer))
    op.add_column("scrapes", sa.Column("lost_runs", sa.Integer, nullable=False, server_default="0"))
    op.add_column("scrapes", _when("deferred_until"))
    op.drop_constraint("scrapes_have_a_run", "scrapes")
    op.drop_constraint("scrapes_state_is_known", "scrapes")
    op.create_check_constraint("scrapes_state_is_known", "scrapes", STATES)
    op.create_check_constraint(
        "scrapes_deferred_have_a_time", "scrapes", "(state = 'deferred') = (deferred_until IS NOT NULL)"
    )
    for name, column, unique in (
        ("scrapes_open_by_company", "idno", True),
        ("scrapes_open", "created_at", False),
    ):
        op.drop_index(name, "scrapes")
        op.create_index(name, "scrapes", [column], unique=unique, postgresql_where=sa.text(OPEN))
    op.create_index("scrapes_by_launch", "scrapes", ["launch_id"])


def _carry_over() -> None:
    """Create a launch for each scrape that has a run or waits for one. The launch gets the id of its scrape."""
    op.execute(
        "INSERT INTO launches (id, kind, requested_by, run_id, created_at, launched_at, claimed_until)"
        " SELECT s.id, 'person', coalesce((SELECT u.username FROM scrape_requests r JOIN users u ON u.id = r.user_id"
        "   WHERE r.scrape_id = s.id ORDER BY r.id LIMIT 1), 'unknown'),"
        " s.run_id, s.created_at, CASE WHEN s.run_id IS NOT NULL THEN s.created_at END, s.created_at"
        " FROM scrapes s WHERE s.run_id IS NOT NULL OR s.state = 'launching'"
    )
    op.execute("INSERT INTO launch_scrapes (launch_id, scrape_id) SELECT id, id FROM launches")
    op.execute("UPDATE scrapes SET launch_id = launches.id FROM launches WHERE launches.id = scrapes.id")
    # Other scrapes keep their error; details of their outcome are in the warehouse.
    op.execute(
        "UPDATE scrapes SET outcome = CASE state WHEN 'succeeded' THEN 'ok' ELSE state END"
        " WHERE state IN ('succeeded', 'not_found', 'blocked')"
    )
    op.drop_column("scrapes", "run_id")
    op.execute(
        "COMMENT ON TABLE scrapes IS 'One company''s fetch, from asked for to ended, by as many launches as it takes;"
        " one open a company.'"
    )


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid, primary_key=True),
        _id_of("user_id", "users"),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("body_sha256", sa.Text, nullable=False),
        sa.Column("force_refresh", sa.Boolean, nullable=False),
        _now("created_at"),
        _when("cancelled_at"),
        # Of two concurrent requests with the same key, only one creates the batch: the constraint decides.
        sa.UniqueConstraint("user_id", "idempotency_key", name="batches_by_key"),
        comment="Many companies asked for at once.",
    )
    op.create_table(
        "batch_items",
        _id_of("batch_id", "batches", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("given", sa.Text, nullable=False),
        sa.Column("idno", sa.Text),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("scrape_id", sa.Uuid, sa.ForeignKey("scrapes.id")),
        sa.CheckConstraint(
            "verdict IN ('accepted', 'joined', 'cached', 'invalid', 'duplicate')",
            name="batch_items_verdict_is_known",
        ),
        sa.CheckConstraint(
            "(verdict IN ('accepted', 'joined')) = (scrape_id IS NOT NULL)",
            name="batch_items_have_their_scrape",
        ),
        comment="What became of each item of a batch when it was asked for.",
    )
    op.create_index("batch_items_by_scrape", "batch_items", ["scrape_id"])


def _requests() -> None:
    op.add_column(
        "scrape_requests", sa.Column("batch_id", sa.Uuid, sa.ForeignKey("batches.id", ondelete="CASCADE"))
    )
    op.add_column("scrape_requests", _when("withdrawn_at"))
    op.create_index("scrape_requests_by_batch", "scrape_requests", ["batch_id"])
