#!/bin/sh
# Makes .env for docker-compose.yml out of .env.example: every secret that is empty there is made up, 256 random bits.
# Usage: sh deploy/docker/make-env.sh [FILE]   (default: .env beside docker-compose.yml; one that is there is left alone)
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:-$project/.env}

if [ -e "$target" ]; then
    echo "make-env: $target is there; its secrets are in use, so it is left as it is" >&2
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
echo "make-env: wrote $target; look at its first part, then: docker compose up --build --detach"
