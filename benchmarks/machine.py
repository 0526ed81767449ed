"""What a benchmark ran on."""

import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import psutil

from stack.chrome import find_chrome


@dataclass(frozen=True)
class Machine:
    """A machine and its browser."""

    cores: int
    memory_gigabytes: float
    python: str
    chrome: str
    measured_at: str

    @classmethod
    def this(cls) -> Self:
        """Return this machine, now."""
        told = subprocess.run([find_chrome().binary, "--version"], capture_output=True, text=True, check=True)
        return cls(
            cores=psutil.cpu_count() or 0,
            memory_gigabytes=round(psutil.virtual_memory().total / 1024**3, 1),
            python=platform.python_version(),
            chrome=told.stdout.strip(),
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
