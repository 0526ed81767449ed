"""Creates an administrator's account: `python -m api.create_admin --username NAME`.

Run it where the API runs, because it uses the API's own database (REGISTRU_USERS_URL). In containers:
`docker compose run --rm api python -m …`.
"""

import argparse
import sys
from collections.abc import Sequence
from getpass import getpass

from pydantic import Field

from api.auth.roles import Role
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import SecretSettings, load


class _Settings(SecretSettings):
    users_url: str = Field(description="PostgreSQL URL of the API's own database, with the API's role")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that describe the account."""
    parser.add_argument("--username", required=True, help="name with which the administrator signs in")
    parser.add_argument("--email", help="e-mail address of the administrator (optional)")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input instead of prompting",
    )


def create_admin(url: str, options: argparse.Namespace) -> None:
    """Read the password and create the account in the database at `url`. Raises AccountRefused."""
    # Imported here, because the command `registru` imports this module for its options alone.
    from api.users.opening import AccountRefused, open_account

    if options.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass("Password: ")
        if getpass("Repeat the password: ") != password:
            raise AccountRefused("the passwords differ; no account was created")
    open_account(url, username=options.username, email=options.email, password=password, role=Role.ADMIN)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    from api.users.opening import AccountRefused

    parser = argparse.ArgumentParser(
        prog="python -m api.create_admin", description="Create an administrator's account."
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        url = load(_Settings).users_url
    except SettingsRefused as reason:
        sys.exit(f"create_admin: {reason}; run this where the API runs")
    try:
        create_admin(url, options)
    except AccountRefused as reason:
        sys.exit(f"create_admin: {reason}")
    sys.stdout.write(f"{options.username} can sign in as an administrator\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
