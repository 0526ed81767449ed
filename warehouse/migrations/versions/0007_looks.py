"""Store the look of the rendered page with each capture; let retention treat it like the capture's other bodies."""

import sqlalchemy as sa
from alembic import op

from warehouse.schema.database_roles import API, PIPELINE

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # Earlier captures have no look, so the column stays NULL there.
    op.add_column("source_data", sa.Column("look_sha256", sa.Text, sa.ForeignKey("raw_documents.sha256")))
    _view()
    _prunable()


def _view() -> None:
    # The view is created anew, because columns cannot be inserted into an existing view.
    op.execute("DROP VIEW source_data_html")
    op.execute(
        "CREATE VIEW source_data_html AS"
        " SELECT s.*, convert_from(d.content, 'UTF8') AS raw_html, d.removed_at AS html_removed_at"
        " FROM source_data s LEFT JOIN raw_documents d ON d.sha256 = s.raw_html_sha256"
    )
    op.execute("COMMENT ON VIEW source_data_html IS 'Captures with the page as rendered.'")
    op.execute(f"GRANT SELECT ON source_data_html TO {PIPELINE}, {API}")


def _prunable() -> None:
    """Replace the function that returns the bodies that retention may remove, so that it knows the looks."""
    op.execute(
        "CREATE OR REPLACE FUNCTION prunable_bodies(cutoff timestamptz) RETURNS TABLE (sha256 text, size integer)"
        " LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$"
        " WITH named AS ("
        "   SELECT source_data_id AS id FROM transformed_data"
        "   UNION SELECT (source.value ->> 'source_data_id')::bigint"
        "     FROM transformed_data, jsonb_each(sources) AS source"
        "   UNION SELECT source_data_id FROM company_parties UNION SELECT source_data_id FROM company_activities"
        "   UNION SELECT source_data_id FROM financial_statements"
        "   UNION SELECT source_data_id FROM company_changes"
        "   UNION SELECT previous_source_data_id FROM company_changes"
        "   UNION SELECT source_data_id FROM quarantine UNION SELECT source_data_id FROM pending_captures),"
        # A record is read from the newest captures, and from older ones that fill gaps in these.
        " ranked AS (SELECT s.id, s.fetched_at, s.outcome,"
        "   row_number() OVER (PARTITION BY s.idno ORDER BY s.id DESC) AS newest,"
        "   row_number() OVER (PARTITION BY s.idno, s.outcome = 'ok' ORDER BY s.id DESC) AS alike,"
        "   row_number() OVER (PARTITION BY s.idno, s.outcome = 'ok' AND q.source_data_id IS NULL AND EXISTS"
        "     (SELECT FROM source_payloads p"
        "     WHERE p.source_data_id = coalesce(s.same_as, s.id) AND p.sha256 IS NOT NULL)"
        "     ORDER BY s.id DESC) AS with_data"
        "   FROM source_data s LEFT JOIN quarantine q ON q.source_data_id = s.id),"
        " kept AS (SELECT s.id, s.same_as, s.raw_html_sha256, s.look_sha256, s.document_sha256, s.screenshot_sha256"
        "   FROM source_data s JOIN ranked USING (id) WHERE s.fetched_at >= cutoff OR newest = 1"
        "   OR (s.outcome = 'ok' AND (alike <= 5 OR with_data <= 5)) OR s.id IN (SELECT id FROM named)),"
        " gone AS (SELECT s.id, s.same_as, s.raw_html_sha256, s.look_sha256, s.document_sha256, s.screenshot_sha256"
        "   FROM source_data s WHERE NOT EXISTS (SELECT FROM kept WHERE kept.id = s.id)),"
        " needed AS ("
        "   SELECT raw_html_sha256 AS sha256 FROM kept UNION SELECT look_sha256 FROM kept"
        "   UNION SELECT document_sha256 FROM kept"
        "   UNION SELECT screenshot_sha256 FROM kept UNION SELECT sweep_pages.sha256 FROM sweep_pages"
        "   UNION SELECT p.sha256 FROM source_payloads p"
        "     WHERE p.source_data_id IN (SELECT coalesce(same_as, id) FROM kept)),"
        " old AS ("
        "   SELECT raw_html_sha256 AS sha256 FROM gone UNION SELECT look_sha256 FROM gone"
        "   UNION SELECT document_sha256 FROM gone"
        "   UNION SELECT screenshot_sha256 FROM gone"
        "   UNION SELECT p.sha256 FROM source_payloads p"
        "     WHERE p.source_data_id IN (SELECT coalesce(same_as, id) FROM gone))"
        " SELECT d.sha256, d.size FROM raw_documents d JOIN old USING (sha256)"
        " WHERE d.content IS NOT NULL AND NOT EXISTS (SELECT FROM needed n WHERE n.sha256 = d.sha256) $$"
    )
