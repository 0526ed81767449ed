"""Add what the transformation did not read, the remarks beside values, and the lists that are incomplete."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # In existing records, the new columns are empty until re-transformation. Their older version makes them stale.
    # The privileges on the tables include new columns.
    for column in (
        sa.Column("remarks", JSONB, nullable=False, server_default="{}"),
        sa.Column("unread", JSONB, nullable=False, server_default="[]"),
        sa.Column("incomplete", JSONB, nullable=False, server_default="[]"),
    ):
        op.add_column("transformed_data", column)
    op.add_column("company_parties", sa.Column("remark", sa.Text))
