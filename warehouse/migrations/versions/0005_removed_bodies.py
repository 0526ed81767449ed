"""Allow the removal of bodies by retention or erasure, while their rows and hashes stay. Add suppressions."""

import sqlalchemy as sa
from alembic import op

from warehouse.schema.database_roles import API, PIPELINE

revision = "0005"
down_revision = "0004"

_DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"


def upgrade() -> None:
    op.execute(f"GRANT SELECT ON alembic_version TO {PIPELINE}, {API}")
    _bodies()
    _exceptions()
    _removals()
    _suppressions()
    op.add_column("source_data", sa.Column("first_evidence_sha256", sa.Text))
    _prunable()
    _prune()
    _refill()


def _bodies() -> None:
    op.alter_column("raw_documents", "content", nullable=True)
    op.add_column("raw_documents", sa.Column("removed_at", sa.DateTime(timezone=True)))
    op.add_column("raw_documents", sa.Column("removed_because", sa.Text))
    op.create_check_constraint(
        "raw_documents_removed_say_why",
        "raw_documents",
        "(content IS NULL) = (removed_at IS NOT NULL) AND (removed_at IS NULL) = (removed_because IS NULL)"
        " AND removed_because IN ('retention', 'erasure')",
    )
    op.execute(
        "COMMENT ON TABLE raw_documents IS 'Bodies by their content: rendered HTML and the JSON that pages fetched."
        " Append-only; the content of one may be removed, its hash stays with when and why.'"
    )


def _exceptions() -> None:
    """Let only the owner change an append-only table, and only while a setting names the operation and the table."""
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('registru.allows', true) = TG_OP || ' ' || TG_TABLE_NAME AND current_user ="
        "   (SELECT tableowner FROM pg_catalog.pg_tables"
        "   WHERE schemaname = TG_TABLE_SCHEMA AND tablename = TG_TABLE_NAME)"
        " THEN RETURN NULL; END IF;"
        " RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP; END $$"
    )


def _removals() -> None:
    op.create_table(
        "removals",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("bodies", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("idno", sa.Text),
        sa.Column("removed_by", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.CheckConstraint("because IN ('retention', 'erasure')", name="removals_reason_is_known"),
        comment="What was removed from the evidence, when, by whom and why. Append-only.",
    )
    op.execute(
        "CREATE TRIGGER removals_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON removals"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(f"GRANT SELECT ON removals TO {PIPELINE}, {API}")


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("idno", sa.Text, nullable=False),
        sa.Column("salt", sa.Text, nullable=False),
        sa.Column("name_sha256", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.CheckConstraint("idno ~ '^[0-9]{13}$'", name="suppressions_idno_is_13_digits"),
        comment="Persons whose names are never again written into a company's record; by salted hash, not by name.",
    )
    op.create_index("suppressions_by_company", "suppressions", ["idno"])
    op.execute(f"GRANT SELECT ON suppressions TO {PIPELINE}")


def _prunable() -> None:
    """Create the function that returns the bodies that retention may remove.

    Only captures older than a given time use these bodies, and no current data needs those captures.
    """
    op.execute(
        "CREATE FUNCTION prunable_bodies(cutoff timestamptz) RETURNS TABLE (sha256 text, size integer)"
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
        " kept AS (SELECT s.id, s.same_as, s.raw_html_sha256, s.document_sha256, s.screenshot_sha256"
        "   FROM source_data s JOIN ranked USING (id) WHERE s.fetched_at >= cutoff OR newest = 1"
        "   OR (s.outcome = 'ok' AND (alike <= 5 OR with_data <= 5)) OR s.id IN (SELECT id FROM named)),"
        " gone AS (SELECT s.id, s.same_as, s.raw_html_sha256, s.document_sha256, s.screenshot_sha256"
        "   FROM source_data s WHERE NOT EXISTS (SELECT FROM kept WHERE kept.id = s.id)),"
        " needed AS ("
        "   SELECT raw_html_sha256 AS sha256 FROM kept UNION SELECT document_sha256 FROM kept"
        "   UNION SELECT screenshot_sha256 FROM kept UNION SELECT sweep_pages.sha256 FROM sweep_pages"
        "   UNION SELECT p.sha256 FROM source_payloads p"
        "     WHERE p.source_data_id IN (SELECT coalesce(same_as, id) FROM kept)),"
        " old AS ("
        "   SELECT raw_html_sha256 AS sha256 FROM gone UNION SELECT document_sha256 FROM gone"
        "   UNION SELECT screenshot_sha256 FROM gone"
        "   UNION SELECT p.sha256 FROM source_payloads p"
        "     WHERE p.source_data_id IN (SELECT coalesce(same_as, id) FROM gone))"
        " SELECT d.sha256, d.size FROM raw_documents d JOIN old USING (sha256)"
        " WHERE d.content IS NOT NULL AND NOT EXISTS (SELECT FROM needed n WHERE n.sha256 = d.sha256) $$"
    )


def _prune() -> None:
    # The pipeline may call this function, which never removes a needed body or a body of the last 30 days.
    op.execute(
        "CREATE FUNCTION prune_bodies(cutoff timestamptz, most integer, run_id text,"
        "   OUT bodies integer, OUT bytes bigint)"
        f" LANGUAGE plpgsql {_DEFINER} AS $$ BEGIN"
        " IF cutoff > now() - interval '30 days' THEN"
        "   RAISE EXCEPTION 'bodies of the last 30 days are kept: % is too late', cutoff; END IF;"
        # Until the removal is committed, the lock makes a new capture wait, so that it cannot use a body being removed.
        " LOCK TABLE raw_documents IN SHARE ROW EXCLUSIVE MODE;"
        " PERFORM set_config('registru.allows', 'UPDATE raw_documents', true);"
        " WITH pruned AS (UPDATE raw_documents d SET content = NULL, removed_at = now(), removed_because = 'retention'"
        "   FROM (SELECT p.sha256 FROM prunable_bodies(cutoff) p LIMIT most) p WHERE d.sha256 = p.sha256"
        "   RETURNING d.size)"
        " SELECT count(*), coalesce(sum(size), 0) INTO bodies, bytes FROM pruned;"
        " PERFORM set_config('registru.allows', '', true);"
        " IF bodies > 0 THEN INSERT INTO removals (because, bodies, bytes, removed_by, detail)"
        "   VALUES ('retention', bodies, bytes, 'run ' || run_id,"
        "     'bodies that only captures before ' || cutoff || ' hold, superseded by later ones'); END IF;"
        " END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION prune_bodies FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION prune_bodies TO {PIPELINE}")


def _refill() -> None:
    """Create the function that stores the content of a body again if a new capture contains it.

    It does so only if retention removed the content. After an erasure, the content stays removed.
    """
    op.execute(
        "CREATE FUNCTION refill_body(body_sha256 text, body bytea) RETURNS void LANGUAGE plpgsql"
        f" {_DEFINER} AS $$ BEGIN"
        " PERFORM set_config('registru.allows', 'UPDATE raw_documents', true);"
        " UPDATE raw_documents SET content = body, removed_at = NULL, removed_because = NULL"
        " WHERE sha256 = body_sha256 AND removed_because = 'retention';"
        " PERFORM set_config('registru.allows', '', true); END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION refill_body FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION refill_body TO {PIPELINE}")
