"""Store the id of the request (or batch) that caused a launch, so that its run's log lines and spans can be found."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("request_id", "traceparent"):
        op.add_column("launches", sa.Column(name, sa.Text))
