"""Create roles, sessions with their refresh tokens, API keys, and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from warehouse.schema.database_roles import API

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _users()
    _sessions()
    _api_keys()
    _audit_log()
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, refresh_tokens, api_keys TO {API}")
    op.execute(f"GRANT SELECT, INSERT ON audit_log TO {API}")


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def _when(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_user() -> sa.Column[object]:
    return sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


def _users() -> None:
    op.add_column("users", sa.Column("role", sa.Text, nullable=False, server_default="standard"))
    op.add_column("users", _when("disabled_at"))
    op.create_check_constraint("users_role_is_known", "users", "role IN ('admin', 'standard', 'readonly')")
    # E-mail addresses are not verified, and an error "taken" would reveal who has an account.
    op.drop_index("users_by_email", "users")
    op.create_index("users_by_email", "users", [sa.text("lower(email)")])
    op.create_index(
        "users_admins", "users", ["id"], postgresql_where=sa.text("role = 'admin' AND disabled_at IS NULL")
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        _of_user(),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text),
        _now("created_at"),
        _now("last_used_at"),
        _when("expires_at", nullable=False),
        _when("ended_at"),
        sa.Column("ended_by", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.CheckConstraint("kind IN ('api', 'browser')", name="sessions_kind_is_known"),
        sa.CheckConstraint(
            "(kind = 'browser') = (secret_hash IS NOT NULL)", name="sessions_cookie_is_hashed"
        ),
        comment="One sign-in of one user; it ends once and for ever.",
    )
    op.create_index("sessions_by_user", "sessions", ["user_id", "created_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        _now("created_at"),
        _when("used_at"),
        comment="Every refresh token of a session, as SHA-256: a used one that comes again ends the session.",
    )
    op.create_index("refresh_tokens_by_session", "refresh_tokens", ["session_id"])


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid, primary_key=True),
        _of_user(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False, unique=True),
        sa.Column("key_hash", sa.Text, nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        _now("created_at"),
        _when("expires_at"),
        _when("last_used_at"),
        _when("revoked_at"),
    )
    op.create_index("api_keys_by_user", "api_keys", ["user_id", "created_at"])


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _now("at"),
        sa.Column("event", sa.Text, nullable=False),
        # No foreign keys: the entries outlive the accounts.
        sa.Column("actor_id", sa.Uuid),
        sa.Column("actor", sa.Text),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("subject", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.Column("detail", sa.Text),
        comment="Security events: who (actor) did what (event) to whom (subject), from where.",
    )
    op.create_index("audit_log_by_event", "audit_log", ["event", "id"])
    op.create_index("audit_log_by_actor", "audit_log", ["actor_id", "id"])
    op.create_index("audit_log_by_subject", "audit_log", ["subject_id", "id"])
    # Grants prevent changes by the API; the trigger prevents accidental changes by all other roles.
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
