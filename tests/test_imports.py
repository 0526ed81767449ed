"""The rules of who may import whom, which the architecture stands on."""

import subprocess
import sys
from pathlib import Path

from stack.home import PROJECT


def test_the_parts_import_only_what_they_may() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
