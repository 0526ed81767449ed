"""Roles and scopes: the one definition that routes, tokens, API keys and the documentation use."""

from enum import StrEnum


class Role(StrEnum):
    """The role of an account."""

    ADMIN = "admin"
    STANDARD = "standard"
    READONLY = "readonly"


class Scope(StrEnum):
    """One permission."""

    COMPANIES_READ = "companies:read"
    SCRAPE = "scrape"
    DAGSTER_READ = "dagster:read"
    DAGSTER = "dagster"
    ACCOUNT = "account"
    USERS = "users"
    AUDIT_READ = "audit:read"


DESCRIPTIONS = {
    Scope.COMPANIES_READ: "Read company records",
    Scope.SCRAPE: "Request companies and follow their runs",
    Scope.DAGSTER_READ: "Open Dagster's web UI read-only",
    Scope.DAGSTER: "Launch and terminate runs in Dagster's web UI",
    Scope.ACCOUNT: "Manage your own password, sessions and API keys",
    Scope.USERS: "Manage accounts",
    Scope.AUDIT_READ: "Read the audit log and the quarantine",
}

_READONLY = frozenset({Scope.COMPANIES_READ, Scope.DAGSTER_READ, Scope.ACCOUNT})
_STANDARD = _READONLY | {Scope.SCRAPE, Scope.DAGSTER}

SCOPES = {
    Role.READONLY: _READONLY,
    Role.STANDARD: _STANDARD,
    Role.ADMIN: frozenset(Scope),
}
"""The scopes of each role."""

KEY_SCOPES = frozenset(Scope) - {Scope.ACCOUNT}
"""Scopes that an API key can have. A stolen key must not be able to create more keys or change the password."""


def roles_with(scope: Scope) -> list[Role]:
    """Return the roles that have a scope."""
    return [role for role in Role if scope in SCOPES[role]]
