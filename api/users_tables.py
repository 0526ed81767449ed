"""Tables of the API's own database `users`; migrations/ creates them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", Text, nullable=False),
    Column("email", Text),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("disabled_at", DateTime(timezone=True)),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("secret_hash", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_used_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("address", Text),
    Column("user_agent", Text),
    comment="Sign-ins. A session that has ended never becomes valid again.",
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("used_at", DateTime(timezone=True)),
    comment="The refresh tokens of each session, as SHA-256. Reuse of a token ends the session.",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("key_hash", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("event", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("actor", Text),
    Column("subject_id", Uuid),
    Column("subject", Text),
    Column("address", Text),
    Column("user_agent", Text),
    Column("detail", Text),
    comment="Security events: the actor, the event, the subject and the client.",
)

launches = Table(
    "launches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("request_id", Text),
    Column("traceparent", Text),
    Column("run_id", Text, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("claimed_until", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("error", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("launched_at", DateTime(timezone=True)),
    Column("cancelled_at", DateTime(timezone=True)),
    comment="Launches: each becomes one Dagster run. Without a run_id, a process has to claim and launch it.",
)

scrapes = Table(
    "scrapes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("idno", Text, nullable=False),
    Column("launch_id", Uuid, ForeignKey("launches.id")),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("attempts", Integer),
    Column("error", Text),
    Column("lost_runs", Integer, nullable=False, server_default="0"),
    Column("deferred_until", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("finished_at", DateTime(timezone=True)),
    comment="Scrapes: each fetches one company, by as many launches as needed. A company has at most one open scrape.",
)

launch_scrapes = Table(
    "launch_scrapes",
    metadata,
    Column("launch_id", Uuid, ForeignKey("launches.id", ondelete="CASCADE"), primary_key=True),
    Column("scrape_id", Uuid, ForeignKey("scrapes.id", ondelete="CASCADE"), primary_key=True),
    comment="Every launch that a scrape was ever in, so that the run of an earlier launch still finds the scrape.",
)

batches = Table(
    "batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("idempotency_key", Text),
    Column("body_sha256", Text, nullable=False),
    Column("force_refresh", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("cancelled_at", DateTime(timezone=True)),
    comment="Batches: many companies requested at once.",
)

batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", Uuid, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("given", Text, nullable=False),
    Column("idno", Text),
    Column("verdict", Text, nullable=False),
    Column("reason", Text),
    Column("scrape_id", Uuid, ForeignKey("scrapes.id")),
    comment="The items of batches, with the verdict on each.",
)

scrape_requests = Table(
    "scrape_requests",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("scrape_id", Uuid, ForeignKey("scrapes.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("batch_id", Uuid, ForeignKey("batches.id", ondelete="CASCADE")),
    Column("force_refresh", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("withdrawn_at", DateTime(timezone=True)),
    comment="Requests: each is one user's for one company; several may share a scrape. Withdrawn means cancelled.",
)
