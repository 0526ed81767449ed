"""The operator: the account with which this machine's commands sign in."""

from api.auth.roles import Role
from api.users.opening import is_taken, open_account, set_password
from stack.secrets import OPERATOR, Secrets


def ensure_operator(url: str, secrets: Secrets) -> None:
    """Create the operator's account if it does not exist. `url` is the URL of the API's own database."""
    if not is_taken(url, OPERATOR):
        open_account(url, username=OPERATOR, email=None, password=secrets.operator, role=Role.STANDARD)


def reset_operator_password(url: str, secrets: Secrets) -> None:
    """Set the operator's password to the one in the home's secrets, if the account exists."""
    set_password(url, username=OPERATOR, password=secrets.operator)
