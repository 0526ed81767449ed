"""Tables of the API's own database `users`; migrations/ creates them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
)

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", Text, nullable=False),
    Column("email", Text),
    Column("password_hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

scrapes = Table(
    "scrapes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("idno", Text, nullable=False),
    Column("run_id", Text, unique=True),
    Column("state", Text, nullable=False),
    Column("error", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("finished_at", DateTime(timezone=True)),
    comment="One run of the pipeline for one company; at most one a company is open at a time.",
)

scrape_requests = Table(
    "scrape_requests",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("scrape_id", Uuid, ForeignKey("scrapes.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("force_refresh", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="Who asked for it; many may share one run.",
)
