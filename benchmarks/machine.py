"""The machine that a benchmark runs on."""

import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import psutil

from stack.chrome import find_chrome


@dataclass(frozen=True)
class Machine:
    """The machine of a measurement, its Chrome and Python, and the time of the measurement."""

    cores: int
    memory_gigabytes: float
    python: str
    chrome: str
    measured_at: str

    @classmethod
    def current(cls) -> Self:
        """Return the description of this machine at the current time."""
        version = subprocess.run(
            [find_chrome().binary, "--version"], capture_output=True, text=True, check=True
        )
        return cls(
            cores=psutil.cpu_count() or 0,
            memory_gigabytes=round(psutil.virtual_memory().total / 1024**3, 1),
            python=platform.python_version(),
            chrome=version.stdout.strip(),
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
