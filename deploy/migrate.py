"""Prepares the databases, once before every start of the platform's containers: `python -m deploy.migrate`.

Makes the databases and roles that are missing, runs our migrations and Dagster's. What is there already stays; a
second call changes nothing. The other containers wait until it has ended well. With `--empty` no migration runs: new
databases stay empty, for a backup to be restored into them.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Self

import psycopg2
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings

from api import migrations as api_migrations
from warehouse.config.secrecy import MIN_PASSWORD_LENGTH, check_secret
from warehouse.config.settings import StoreSettings
from warehouse.schema import database_roles
from warehouse.schema.alembic_runner import migrate
from warehouse.schema.provision import create_databases
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS


class MigrateSettings(BaseSettings):
    """Where PostgreSQL is, and the password of each role."""

    model_config = StoreSettings.model_config

    postgres_host: str
    postgres_port: int = 5432
    postgres_superuser: str = "postgres"
    postgres_password: SecretStr = Field(description="The superuser's")
    warehouse_owner_password: SecretStr
    users_owner_password: SecretStr
    pipeline_password: SecretStr
    api_password: SecretStr
    dagster_password: SecretStr

    @model_validator(mode="after")
    def _are_passwords(self) -> Self:
        for role, password in self.passwords.items():
            name = f"REGISTRU_{role.upper()}_PASSWORD"
            check_secret(name, password, min_length=MIN_PASSWORD_LENGTH)
            if not re.fullmatch(r"[A-Za-z0-9._~-]+", password):
                raise ValueError(f"{name} stands in URLs: take only letters, digits and . _ ~ -")
        return self

    @property
    def passwords(self) -> dict[str, str]:
        """A password for each role."""
        return {
            role: getattr(self, f"{role}_password").get_secret_value() for role in database_roles.LOGIN_ROLES
        }

    def url(self, role: str, database: str) -> str:
        """Return the URL by which a role reaches a database."""
        password, place = self.passwords[role], f"{self.postgres_host}:{self.postgres_port}"
        return f"postgresql+psycopg2://{role}:{password}@{place}/{database}"


def prepare(settings: MigrateSettings, *, empty: bool, say: Callable[[str], None]) -> None:
    """Bring everything to what this version needs. Raises psycopg2's, SQLAlchemy's and Alembic's errors.

    With `empty` only databases and roles are made.
    """
    made = _create_databases(settings)
    say(f"databases and roles are there{': made ' + ', '.join(made) if made else ''}")
    if empty:
        return
    for database, owner, scripts in (
        (database_roles.WAREHOUSE_DATABASE, database_roles.WAREHOUSE_OWNER, WAREHOUSE_MIGRATIONS),
        (database_roles.USERS_DATABASE, database_roles.USERS_OWNER, api_migrations.SCRIPTS),
    ):
        migrate(scripts=scripts, url=settings.url(owner, database))
        say(f"{database} is up to date")
    # Two of Dagster's processes must not make its tables at once: one dies of it.
    subprocess.run([sys.executable, "-m", "dagster", "instance", "migrate"], check=True)
    say("dagster is up to date")


def _create_databases(settings: MigrateSettings) -> list[str]:
    session = psycopg2.connect(
        host=settings.postgres_host,
        port=settings.postgres_port,
        user=settings.postgres_superuser,
        password=settings.postgres_password.get_secret_value(),
        dbname="postgres",
        connect_timeout=10,
    )
    try:
        session.autocommit = True
        return create_databases(session, settings.passwords)
    finally:
        session.close()


def _name(location: tuple[int | str, ...]) -> str:
    return f"REGISTRU_{str(location[0]).upper()}: " if location else ""


def main() -> None:
    """Prepare the databases, or say in a sentence why not."""
    parser = argparse.ArgumentParser(description="Prepares the platform's databases.")
    parser.add_argument("--empty", action="store_true", help="make databases and roles, no tables in them")
    options = parser.parse_args()
    try:
        settings = MigrateSettings()
    except ValidationError as error:
        wrong = [
            f"{_name(each['loc'])}{each['msg'].removeprefix('Value error, ')}" for each in error.errors()
        ]
        sys.exit("migrate: " + "; ".join(wrong))
    try:
        prepare(settings, empty=options.empty, say=lambda text: print(f"migrate: {text}", flush=True))
    except psycopg2.OperationalError as error:
        sys.exit(f"migrate: no connection as PostgreSQL's superuser: {str(error).strip()}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"migrate: Dagster's own migration failed (exit code {error.returncode}); see above")


if __name__ == "__main__":
    main()
