#!/bin/sh
# Checks what CI and deployments are made of: workflows, Dockerfiles, compose files. Usage: lint.sh, in `make lint-deploy`.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin

"$bin/zizmor" --offline --quiet .github
"$bin/python" -m check_jsonschema -qq --builtin-schema vendor.github-workflows .github/workflows/*.yml
"$bin/python" -m check_jsonschema -qq --builtin-schema vendor.dependabot .github/dependabot.yml

# No wheel carries actionlint's program; CI installs it from its release.
actionlint=$(command -v actionlint || true)
[ ! -x "$bin/actionlint" ] || actionlint=$bin/actionlint
if [ -n "$actionlint" ]; then
    "$actionlint"
else
    echo "lint-deploy: actionlint is not here, so the workflows were not checked by it"
fi

for dockerfile in deploy/docker/Dockerfile deploy/docker/*.Dockerfile; do
    config=deploy/docker/.hadolint.yaml
    [ -e "$config" ] || config=/dev/null
    [ ! -e "$dockerfile" ] || "$bin/hadolint" --config "$config" "$dockerfile"
done
for compose in docker-compose*.yml deploy/docker-compose*.yml; do
    [ ! -e "$compose" ] || "$bin/python" -m check_jsonschema -qq --builtin-schema vendor.compose-spec "$compose"
done
echo "lint-deploy: all right"
