"""The account by which the commands of this machine sign in."""

from api.auth.roles import Role
from api.users.opening import is_taken, open_account, set_password
from stack.secrets import OPERATOR, Secrets


def ensure_operator(url: str, secrets: Secrets) -> None:
    """Open the account by which the commands of this machine sign in, if there is none yet."""
    if not is_taken(url, OPERATOR):
        open_account(url, username=OPERATOR, email=None, password=secrets.operator, role=Role.STANDARD)


def renew_operator(url: str, secrets: Secrets) -> None:
    """Give the operator's account, where there is one, the password that this machine's commands know."""
    set_password(url, username=OPERATOR, password=secrets.operator)
