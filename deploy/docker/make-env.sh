#!/bin/sh
# Writes .env for docker-compose.yml from .env.example and generates every secret that is empty there (256 random bits).
# Usage: sh deploy/docker/make-env.sh [FILE]   (default: .env next to docker-compose.yml; an existing file is not changed)
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:-$project/.env}

if [ -e "$target" ]; then
    echo "make-env: $target already exists and its secrets may be in use; it was not changed" >&2
    exit 1
fi
umask 077
unfinished=$target.part
while IFS= read -r line; do
    case $line in
    REGISTRU_*=) echo "$line$(od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n')" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <"$project/.env.example" >"$unfinished"
mv "$unfinished" "$target"
echo "make-env: wrote $target; check its first part, then run: docker compose up --build --detach"
