#!/bin/sh
# Checks workflows, Dockerfiles and compose files. `make lint-deploy` runs it.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin

"$bin/zizmor" --offline --quiet .github
"$bin/python" -m check_jsonschema -qq --builtin-schema vendor.github-workflows .github/workflows/*.yml
"$bin/python" -m check_jsonschema -qq --builtin-schema vendor.dependabot .github/dependabot.yml

# No wheel contains the actionlint binary. CI installs it from its release.
actionlint=$(command -v actionlint || true)
[ ! -x "$bin/actionlint" ] || actionlint=$bin/actionlint
if [ -n "$actionlint" ]; then
    "$actionlint"
else
    echo "lint-deploy: actionlint is not installed; skipped its check of the workflows"
fi

for dockerfile in deploy/docker/Dockerfile deploy/docker/*.Dockerfile; do
    config=deploy/docker/.hadolint.yaml
    [ -e "$config" ] || config=/dev/null
    [ ! -e "$dockerfile" ] || "$bin/hadolint" --config "$config" "$dockerfile"
done
for compose in docker-compose*.yml deploy/docker-compose*.yml; do
    [ ! -e "$compose" ] || "$bin/python" -m check_jsonschema -qq --builtin-schema vendor.compose-spec "$compose"
done
echo "lint-deploy: no problems found"
