"""Count the distinct companies of a sweep, its rejected rows, and the changes of the total that the list states."""

import sqlalchemy as sa
from alembic import op

from warehouse.schema.database_roles import API, PIPELINE

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for name in ("rejected", "repeated", "total_changes"):
        op.add_column("sweeps", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "sweep_companies",
        sa.Column("sweep_id", sa.BigInteger, sa.ForeignKey("sweeps.id"), primary_key=True),
        sa.Column("idno", sa.Text, primary_key=True),
        comment="The companies that an unfinished sweep has seen. Deleted when the sweep is finished or abandoned.",
    )
    op.execute(f"GRANT SELECT, INSERT, DELETE ON sweep_companies TO {PIPELINE}")
    op.execute(f"GRANT SELECT ON sweep_companies TO {API}")
    _count_unfinished_sweeps()


def _count_unfinished_sweeps() -> None:
    # An unfinished sweep continues. The tracked companies name the last sweep in which they were seen.
    op.execute(
        "INSERT INTO sweep_companies SELECT t.sweep_id, t.idno FROM tracked_companies t JOIN sweeps s"
        " ON s.id = t.sweep_id WHERE s.finished_at IS NULL"
    )
    op.execute(
        "UPDATE sweeps SET seen = (SELECT count(*) FROM sweep_companies c WHERE c.sweep_id = sweeps.id)"
        " WHERE finished_at IS NULL"
    )
