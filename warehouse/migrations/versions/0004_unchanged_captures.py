"""Let an unchanged capture refer to an earlier one and store only its differences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.schema.database_roles import API, PIPELINE

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Earlier captures refer to none, because they are stored completely.
    op.add_column("source_data", sa.Column("same_as", sa.BigInteger, sa.ForeignKey("source_data.id")))
    op.add_column("source_data", sa.Column("changed_headers", JSONB))
    op.create_check_constraint(
        "source_data_same_as_an_earlier_one",
        "source_data",
        "(same_as IS NULL) = (changed_headers IS NULL) AND same_as < id",
    )
    op.execute(
        "CREATE VIEW capture_payloads AS SELECT s.id AS source_data_id, p.position, p.url, p.status_code, p.sha256,"
        " CASE WHEN s.same_as IS NULL THEN p.response_headers"
        " ELSE p.response_headers || (s.changed_headers -> (p.position + 1)) END AS response_headers"
        " FROM source_data s JOIN source_payloads p ON p.source_data_id = coalesce(s.same_as, s.id)"
    )
    op.execute("COMMENT ON VIEW capture_payloads IS 'The JSON bodies that each capture''s page fetched.'")
    op.execute(f"GRANT SELECT ON capture_payloads TO {PIPELINE}, {API}")
