#!/bin/sh
# Runs a test command and reports which branches of the product ran, in all processes that the tests start.
# Usage: coverage.sh COMMAND, where the command runs pytest in .venv
set -u
cd "$(dirname "$0")/.."

python=.venv/bin/python
measure="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/a0_measure.pth"
data=$(mktemp -d)
trap 'rm -rf "$measure" "$data"' EXIT

# The platform's processes get only the variables that they declare, so a file in the venv, which every Python reads at
# its start, sets those of coverage. The package's own .pth file, which comes next, starts the measurement.
cat >"$measure" <<PTH
import os; os.environ.update(COVERAGE_PROCESS_START="$PWD/pyproject.toml", COVERAGE_FILE="$data/coverage")
PTH
"$@"
result=$?
rm -f "$measure"
export COVERAGE_FILE="$data/coverage"
"$python" -m coverage combine -q "$data" && "$python" -m coverage html -q && "$python" -m coverage report --skip-covered
exit $result
