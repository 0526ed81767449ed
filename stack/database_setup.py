"""Prepares the databases of a home: migrates them, and creates the operator's account.

    python -m stack.database_setup --home HOME --port PORT

`registru up` runs this program before the API and Dagster start.
"""

import argparse
import sys
from pathlib import Path

from stack import postgres
from stack.accounts import ensure_operator
from stack.databases import server_databases
from stack.home import Home
from stack.migrations import migrate_all
from stack.secrets import load_or_create
from stack.stack_error import StackError
from warehouse.schema import database_roles


def main() -> int:
    """Prepare the databases. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m stack.database_setup", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the home of the databases")
    parser.add_argument("--port", type=int, required=True, help="PostgreSQL's port")
    options = parser.parse_args()
    secrets = load_or_create(Home.at(options.home).secrets)
    try:
        migrate_all(server_databases(options.port, secrets))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    users = database_roles.USERS_DATABASE
    ensure_operator(postgres.url(options.port, secrets, role=database_roles.API, database=users), secrets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
