"""Tests mutants: `make mutation CODE=api/auth TESTS="tests/api/test_auth.py …"`.

    python -m tests.mutation CODE TEST… [--sample N] [--seed N] [--seconds N]

The tests are collected once. For each mutant, a forked process puts the mutated code into the functions of the running
program and runs the tests until the first failure. A mutant that fails no test survives; inspect it: either a test is
missing, or the change makes no difference.
"""

import argparse
import contextlib
import functools
import gc
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.mutation.mutants import Mutant, mutants_of

_KILLED, _SURVIVED, _TIMEOUT, _NOT_RUN = "killed", "survived", "timeout", "not run"
_PASSED, _NO_FUNCTION = 0, 100


class _MutantRunner:
    """A plug-in of pytest that tests mutants instead of running the collected tests once."""

    def __init__(self, mutants: Sequence[Mutant], seconds: float) -> None:
        self._mutants, self._seconds = mutants, seconds
        self.results: Counter[str] = Counter()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork a process for each mutant and report its result."""
        gc.freeze()
        if self._in_child(session, None) != _KILLED:
            for mutant in self._mutants:
                result = self._in_child(session, mutant)
                self.results[result] += 1
                _show(f"{result:9} {mutant.path}:{mutant.line} {mutant.function}: {mutant.change}")
        else:
            _show("the tests fail without a mutant")
        return True

    def _in_child(self, session: pytest.Session, mutant: Mutant | None) -> str:
        child = os.fork()
        if child == 0:
            os.setsid()
            with contextlib.suppress(BaseException):
                os._exit(self._run(session, mutant))
            os._exit(1)
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                os.killpg(child, signal.SIGKILL) if _has_group(child) else None
                return {_PASSED: _SURVIVED, _NO_FUNCTION: _NOT_RUN}.get(
                    os.waitstatus_to_exitcode(status), _KILLED
                )
            time.sleep(0.05)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return _TIMEOUT

    def _run(self, session: pytest.Session, mutant: Mutant | None) -> int:
        """Run the tests in the forked process; return the exit code."""
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        gc.unfreeze()
        if mutant is not None and not _apply(mutant):
            return _NO_FUNCTION
        for number, item in enumerate(session.items):
            following = session.items[number + 1] if number + 1 < len(session.items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return 1
        return _PASSED


def _has_group(group: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


def _apply(mutant: Mutant) -> bool:
    """Give the mutated code to all functions that run the original code; return whether there are any."""
    path = str(mutant.path.resolve())
    code = next(_codes(compile(mutant.tree, path, "exec"), mutant.function), None)
    functions = [
        function
        for function in gc.get_objects()
        if isinstance(function, FunctionType)
        and function.__code__.co_qualname == mutant.function
        and function.__code__.co_filename == path
    ]
    if (
        code is None
        or not functions
        or any(len(f.__code__.co_freevars) != len(code.co_freevars) for f in functions)
    ):
        return False
    for function in functions:
        function.__code__ = code
    for cached in gc.get_objects():
        if isinstance(cached, functools._lru_cache_wrapper):
            cached.cache_clear()
    return True


def _codes(code: CodeType, qualname: str) -> Iterator[CodeType]:
    if code.co_qualname == qualname:
        yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant, qualname)


def _show(line: str) -> None:
    sys.__stdout__.write(f"{line}\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def main() -> int:
    """Test a random sample of mutants."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("code", type=Path, help="a module or a folder with modules")
    parser.add_argument("tests", nargs="+", help="the tests, the likeliest to fail first")
    parser.add_argument("--sample", type=int, default=100, help="how many mutants to test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=180, help="time limit for a mutant")
    arguments = parser.parse_args()
    files = sorted(arguments.code.rglob("*.py")) if arguments.code.is_dir() else [arguments.code]
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    sample = random.Random(arguments.seed).sample(mutants, min(arguments.sample, len(mutants)))
    _show(f"{len(mutants)} mutants, {len(sample)} tested")
    runner = _MutantRunner(sample, arguments.seconds)
    options = ["-q", "-x", "-s", *(f"-pno:{name}" for name in ("randomly", "xdist", "cacheprovider"))]
    pytest.main([*options, *arguments.tests], [runner])
    _show(", ".join(f"{count} {result}" for result, count in sorted(runner.results.items())))
    return 0 if runner.results.total() == len(sample) else 1


if __name__ == "__main__":
    sys.exit(main())
