"""Roles and scopes: who may do what, said here once for routes, tokens, API keys and the documentation."""

from enum import StrEnum


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"
    STANDARD = "standard"
    READONLY = "readonly"


class Scope(StrEnum):
    """One thing that a caller may be allowed to do."""

    COMPANIES_READ = "companies:read"
    SCRAPE = "scrape"
    DAGSTER_READ = "dagster:read"
    DAGSTER = "dagster"
    ACCOUNT = "account"
    USERS = "users"
    AUDIT_READ = "audit:read"


DESCRIPTIONS = {
    Scope.COMPANIES_READ: "Read the records of companies",
    Scope.SCRAPE: "Ask for companies, follow the runs that fetch them",
    Scope.DAGSTER_READ: "Look at Dagster's web UI",
    Scope.DAGSTER: "Launch and end runs in Dagster's web UI",
    Scope.ACCOUNT: "Manage one's own password, sessions and API keys",
    Scope.USERS: "Manage accounts",
    Scope.AUDIT_READ: "Read the audit log, and which captures could not be transformed",
}

_READONLY = frozenset({Scope.COMPANIES_READ, Scope.DAGSTER_READ, Scope.ACCOUNT})
_STANDARD = _READONLY | {Scope.SCRAPE, Scope.DAGSTER}

SCOPES = {
    Role.READONLY: _READONLY,
    Role.STANDARD: _STANDARD,
    Role.ADMIN: frozenset(Scope),
}
"""What each role may do."""

KEY_SCOPES = frozenset(Scope) - {Scope.ACCOUNT}
"""What an API key can be given: a stolen key must not make itself more keys or change the password."""


def roles_with(scope: Scope) -> list[Role]:
    """Return the roles that hold a scope."""
    return [role for role in Role if scope in SCOPES[role]]
