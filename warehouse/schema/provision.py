"""Creates missing databases and roles, and grants the roles the right to connect to the databases."""

from collections.abc import Mapping

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from warehouse.schema.database_roles import CONNECTS, LOGIN_ROLES, OWNERS


def create_databases(session: Connection, passwords: Mapping[str, str]) -> list[str]:
    """Create missing roles and databases. Return the names of the created databases.

    `session` is in autocommit mode, in the role of a superuser or of a managed server's administrator. `passwords`
    holds the password of each of LOGIN_ROLES. An existing role gets the new password.
    """
    _create_roles(session, passwords)
    return _create_databases(session)


def _create_roles(session: Connection, passwords: Mapping[str, str]) -> None:
    with session.cursor() as cursor:
        for role in LOGIN_ROLES:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            cursor.execute(
                sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(passwords[role])
                )
            )


def _create_databases(session: Connection) -> list[str]:
    made: list[str] = []
    with session.cursor() as cursor:
        for database in ("postgres", "template1"):
            cursor.execute(
                sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))
            )
        for database, owner in OWNERS.items():
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            name = sql.Identifier(database)
            if not cursor.fetchone():
                # The administrator of a managed server can create the database only as a member of the owner's role.
                if not _is_superuser(session):
                    cursor.execute(
                        sql.SQL("GRANT {} TO CURRENT_USER WITH SET TRUE").format(sql.Identifier(owner))
                    )
                cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(owner)))
                made.append(database)
            cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
            for role in CONNECTS[database]:
                cursor.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(role))
                )
    return made


def _is_superuser(session: Connection) -> bool:
    with session.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER")
        [is_superuser] = cursor.fetchone() or (False,)
        return bool(is_superuser)
