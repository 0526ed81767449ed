"""The account by which the commands of this machine sign in."""

from api.auth.roles import Role
from api.users.opening import is_taken, open_account
from stack.secrets import OPERATOR, Secrets


def ensure_operator(url: str, secrets: Secrets) -> None:
    """Open the account by which the commands of this machine sign in, if there is none yet."""
    if not is_taken(url, OPERATOR):
        open_account(url, username=OPERATOR, email=None, password=secrets.operator, role=Role.STANDARD)
