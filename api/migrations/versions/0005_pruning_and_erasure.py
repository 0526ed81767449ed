"""Allow pruning the audit log and erasing a person from it. Each of the two adds an entry about itself."""

from alembic import op

from warehouse.schema.database_roles import API

revision = "0005"
down_revision = "0004"

_DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"


def upgrade() -> None:
    op.execute(f"GRANT SELECT ON alembic_version TO {API}")
    # As in the warehouse: only the owner may change rows, after it has named the operation in registru.allows.
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('registru.allows', true) = TG_OP || ' ' || TG_TABLE_NAME AND current_user ="
        "   (SELECT tableowner FROM pg_catalog.pg_tables"
        "   WHERE schemaname = TG_TABLE_SCHEMA AND tablename = TG_TABLE_NAME)"
        " THEN RETURN NULL; END IF;"
        " RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    _prune()
    _erase()
    op.create_index("audit_log_by_time", "audit_log", ["at"])


def _prune() -> None:
    # The API may call this function, but cannot use it to hide events of the last 90 days.
    op.execute(
        "CREATE FUNCTION prune_audit_log(cutoff timestamptz) RETURNS integer LANGUAGE plpgsql"
        f" {_DEFINER} AS $$ DECLARE gone integer; BEGIN"
        " IF cutoff > now() - interval '90 days' THEN"
        "   RAISE EXCEPTION 'entries of the last 90 days are kept: % is too late', cutoff; END IF;"
        " PERFORM set_config('registru.allows', 'DELETE audit_log', true);"
        " DELETE FROM audit_log WHERE at < cutoff AND event NOT IN ('log_pruned', 'person_erased', 'restored');"
        " GET DIAGNOSTICS gone = ROW_COUNT;"
        " PERFORM set_config('registru.allows', '', true);"
        " IF gone > 0 THEN INSERT INTO audit_log (event, detail)"
        "   VALUES ('log_pruned', gone || ' entries from before ' || cutoff); END IF;"
        " RETURN gone; END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION prune_audit_log FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION prune_audit_log TO {API}")


def _erase() -> None:
    # Only the owner may call this function, because an erasure cannot be undone.
    op.execute(
        "CREATE FUNCTION erase_person(person uuid, pseudonym text, asked_by text, reason text, OUT entries integer)"
        f" LANGUAGE plpgsql {_DEFINER} AS $$ DECLARE name text; BEGIN"
        " SELECT username INTO STRICT name FROM users WHERE id = person;"
        " PERFORM set_config('registru.allows', 'UPDATE audit_log', true);"
        " UPDATE audit_log SET"
        "   actor = CASE WHEN actor_id = person THEN pseudonym ELSE actor END,"
        "   subject = CASE WHEN subject_id = person THEN pseudonym ELSE subject END,"
        "   address = CASE WHEN actor_id = person THEN NULL ELSE address END,"
        "   user_agent = CASE WHEN actor_id = person THEN NULL ELSE user_agent END,"
        "   detail = replace(detail, name, pseudonym)"
        " WHERE actor_id = person OR subject_id = person;"
        " GET DIAGNOSTICS entries = ROW_COUNT;"
        " PERFORM set_config('registru.allows', '', true);"
        " UPDATE launches SET requested_by ="
        "   array_to_string(array_replace(string_to_array(requested_by, ', '), name, pseudonym), ', ')"
        " WHERE name = ANY(string_to_array(requested_by, ', '));"
        " DELETE FROM users WHERE id = person;"
        " INSERT INTO audit_log (event, subject_id, subject, detail) VALUES ('person_erased', person, pseudonym,"
        "   entries || ' entries made pseudonymous, the account deleted; asked for by ' || asked_by || ': ' || reason);"
        " END $$"
    )
    op.execute("REVOKE ALL ON FUNCTION erase_person FROM PUBLIC")
