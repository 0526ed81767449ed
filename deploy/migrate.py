"""Prepares the databases before the platform's containers start: `python -m deploy.migrate`.

It creates missing databases and roles, sets the roles' passwords, and runs the migrations of Registru and of Dagster.
It can be run again at any time. The other containers start after it has succeeded. With `--empty` it runs no
migrations, so that a backup can be restored into new, empty databases.
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
    """The address of PostgreSQL, and the password of each database role."""

    model_config = StoreSettings.model_config

    postgres_host: str
    postgres_port: int = 5432
    postgres_superuser: str = "postgres"
    postgres_password: SecretStr = Field(description="Password of the superuser")
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
                raise ValueError(f"{name} is part of URLs; use only letters, digits and . _ ~ -")
        return self

    @property
    def passwords(self) -> dict[str, str]:
        """The password of each role."""
        return {
            role: getattr(self, f"{role}_password").get_secret_value() for role in database_roles.LOGIN_ROLES
        }

    def url(self, role: str, database: str) -> str:
        """Return the URL of a database in a role, with the role's password."""
        password, address = self.passwords[role], f"{self.postgres_host}:{self.postgres_port}"
        return f"postgresql+psycopg2://{role}:{password}@{address}/{database}"


def prepare(settings: MigrateSettings, *, empty: bool, report_progress: Callable[[str], None]) -> None:
    """Create missing databases and roles and, unless `empty`, run all migrations.

    Raises the errors of psycopg2, SQLAlchemy and Alembic.
    """
    made = _create_databases(settings)
    report_progress(f"databases and roles exist{'; created ' + ', '.join(made) if made else ''}")
    if empty:
        return
    for database, owner, scripts in (
        (database_roles.WAREHOUSE_DATABASE, database_roles.WAREHOUSE_OWNER, WAREHOUSE_MIGRATIONS),
        (database_roles.USERS_DATABASE, database_roles.USERS_OWNER, api_migrations.SCRIPTS),
    ):
        migrate(scripts=scripts, url=settings.url(owner, database))
        report_progress(f"{database} is up to date")
    # Dagster's tables are created here, because several processes of Dagster start later at the same time. If two of
    # them created the tables, one would fail.
    subprocess.run([sys.executable, "-m", "dagster", "instance", "migrate"], check=True)
    report_progress("dagster is up to date")


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


def _setting_prefix(location: tuple[int | str, ...]) -> str:
    return f"REGISTRU_{str(location[0]).upper()}: " if location else ""


def main() -> None:
    """Prepare the databases. If this fails, exit with one sentence that says why."""
    parser = argparse.ArgumentParser(description="Prepare the platform's databases.")
    parser.add_argument("--empty", action="store_true", help="create databases and roles, but no tables")
    options = parser.parse_args()
    try:
        settings = MigrateSettings()
    except ValidationError as error:
        problems = [
            f"{_setting_prefix(detail['loc'])}{detail['msg'].removeprefix('Value error, ')}"
            for detail in error.errors()
        ]
        sys.exit("migrate: " + "; ".join(problems))
    try:
        prepare(
            settings,
            empty=options.empty,
            report_progress=lambda text: print(f"migrate: {text}", flush=True),
        )
    except psycopg2.OperationalError as error:
        sys.exit(f"migrate: cannot connect as PostgreSQL's superuser: {str(error).strip()}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"migrate: Dagster's migration failed (exit code {error.returncode}); see above")


if __name__ == "__main__":
    main()
