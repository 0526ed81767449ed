"""Add the columns since revision 0002, and the time of a page's removal, to the analysts' view of captures."""

from alembic import op

from warehouse.schema.database_roles import API, PIPELINE

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # The view is created anew, because columns cannot be inserted into an existing view.
    op.execute("DROP VIEW source_data_html")
    op.execute(
        "CREATE VIEW source_data_html AS"
        " SELECT s.*, convert_from(d.content, 'UTF8') AS raw_html, d.removed_at AS html_removed_at"
        " FROM source_data s LEFT JOIN raw_documents d ON d.sha256 = s.raw_html_sha256"
    )
    op.execute("COMMENT ON VIEW source_data_html IS 'Captures with the page as rendered.'")
    op.execute(f"GRANT SELECT ON source_data_html TO {PIPELINE}, {API}")
