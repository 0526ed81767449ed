"""The warm supervisor runs a program in the process that it forks, or else in a new interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

from stack.home import PROJECT

pytestmark = pytest.mark.usefixtures("starts_stores")

_PROGRAM = """\
import os, sys
print(__name__, sys.argv[1:], os.environ.get("GIVEN"), os.environ.get("INHERITED"))
sys.exit(int(sys.argv[1]))
"""
_FORK = """\
import os, sys
from pipeline.dagster_host.preloading import imported_files
from stack import warm_supervisor

sys.path.insert(0, sys.argv[1])
warm_supervisor._MODULES = ("program",)
import imported_before
files = imported_files() if sys.argv[2] == "warm" else {}
if sys.argv[3:] == ["changed"]:
    os.utime(imported_before.__file__, (1, 1))
os.environ["INHERITED"] = "yes"


def execve(program, arguments, environment):
    print("new interpreter:", *arguments[1:])
    sys.exit(0)


command = [sys.executable, "-m", "program", "7"]
warm_supervisor._execute(files, execve, command[0], command, {"GIVEN": "1"})
"""


def _execute(folder: Path, *options: str) -> tuple[str, int]:
    """Execute a program as the warm supervisor does in a forked process. Return its output and exit code."""
    (folder / "program.py").write_text(_PROGRAM)
    (folder / "imported_before.py").touch()
    command = [sys.executable, "-c", _FORK, str(folder), *options]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip(), done.returncode


def test_program_gets_its_arguments_and_environment_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    assert _execute(tmp_path, "warm") == ("__main__ ['7'] 1 None", 7)


def test_program_whose_code_has_changed_gets_a_new_interpreter(tmp_path: Path) -> None:
    assert _execute(tmp_path, "warm", "changed") == ("new interpreter: -m program 7", 0)


def test_program_gets_a_new_interpreter_if_the_imports_failed(tmp_path: Path) -> None:
    assert _execute(tmp_path, "cold") == ("new interpreter: -m program 7", 0)
