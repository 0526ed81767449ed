#!/bin/sh
# Creates .venv with the pinned packages of one requirements file, compiles them to bytecode, and finds a browser.
# If nothing has changed since the last call, it installs nothing. Usage: setup.sh requirements.txt|requirements-dev.txt
set -eu
cd "$(dirname "$0")/.."

requirements=$1
python=${PYTHON:-python3}
venv=.venv

fail() {
    echo "setup: $*" >&2
    exit 1
}

check_python() {
    command -v "$python" >/dev/null 2>&1 || fail "$python was not found; Python 3.11 or newer is needed"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$("$python" --version) is too old; Python 3.11 or newer is needed (make PYTHON=python3.12 ...)"
}

# Debian ships venv in a separate package.
check_venv_module() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing python3-venv with apt-get ..."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module; on Debian or Ubuntu: apt-get install python3-venv"
}

# Identifies an installation: the pins, the Python version and the folder. If one of them changes, install again.
fingerprint() {
    { cat "$1" pyproject.toml stack/setup.sh; "$python" --version; pwd; } | cksum
}

installed() {
    [ -x "$venv/bin/registru" ] && [ "$(cat "$venv/$1.installed" 2>/dev/null)" = "$(fingerprint "$1")" ]
}

install() {
    echo "installing the packages of $requirements into $venv (a minute or two) ..."
    # An existing venv is set up again: its installation may have been interrupted, or Python may have been upgraded.
    "$python" -m venv "$venv" || fail "$python could not create $venv"
    pip="$venv/bin/python -m pip --disable-pip-version-check --no-input"
    # The pins include all dependencies, so pip must not resolve any.
    $pip install -qq --no-deps --require-hashes -r "$requirements" || fail "pip could not install $requirements; see above"
    $pip install -qq --no-deps --no-build-isolation -e . || fail "pip could not install the project; see above"
    # Without bytecode, each process would take two seconds longer to start.
    env -u PYTHONDONTWRITEBYTECODE "$venv/bin/python" -m compileall -q -j 0 "$venv/lib" >/dev/null 2>&1 || true
    fingerprint "$requirements" >"$venv/$requirements.installed"
    # requirements-dev.txt includes requirements.txt.
    [ "$requirements" = requirements.txt ] || fingerprint requirements.txt >"$venv/requirements.txt.installed"
}

check_python
installed "$requirements" || { check_venv_module && install; }
"$venv/bin/python" -m stack.chrome
