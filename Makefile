# mbgate: the commands are listed by `make help`.
# The first Python that runs and is new enough: a version manager may have names for ones that it can't start.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.mbgate-installed

# The virtual environment's Node.js runs the Node programs, whatever the machine has.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo demo-down test test-ci nightly mutants fuzz bench-policy check format clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## virtual environment, Node parts, Pulumi CLI
	@$(BIN)/mbgate setup

$(STAMP): pyproject.toml requirements.lock package-lock.json
	@test -n "$(PYTHON)" || \
	  { echo "mbgate needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv), or PYTHON=/path/to/it"; exit 1; }
	@echo "making the virtual environment (1 of 3)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the Python parts (2 of 3)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m infra.environments.node
	@echo "installing the Node parts (3 of 3)"
	@npm install --no-save --ignore-scripts --silent
	@touch $(STAMP)

demo: setup ## deploy the whole system on this machine and leave it running
	@$(BIN)/mbgate local up

demo-down: ## destroy it and stop every part
	@test -x $(BIN)/mbgate || { echo "nothing is set up here"; exit 0; }
	@if test -x $(BIN)/mbgate; then $(BIN)/mbgate local down; fi

test: setup ## every test that needs neither root nor an engine of its own
	@$(BIN)/python -m pytest -m "not docker and not browser"

test-ci: setup ## the tests that need root, Docker or Chromium (what .ci/run prepares)
	@$(BIN)/python -m pytest -m "docker or browser"

nightly: setup mutants fuzz ## the long tests, which need what test-ci needs: mutants, fuzzing, fifty kills of engine and local cloud
	@MBGATE_KILLS=50 MBGATE_CLOUD_KILLS=50 $(BIN)/python -m pytest tests/recovery

FUZZ_SECONDS ?= 60
fuzz: setup ## search for inputs that break loader or decision; FUZZ_SECONDS=60 for each of five targets
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[fuzz]'
	@$(BIN)/python -m tests.fuzz.run --seconds $(FUZZ_SECONDS)

mutants: $(STAMP) ## change the decision in every spot, in a copy: some test must notice (WRITE=1 renews the list of exceptions)
	@$(BIN)/python -m tests.access.mutants $(if $(WRITE),--write)

check: $(STAMP) ## format, lint, types, import rules, fast tests: about a minute and a half
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@node_modules/.bin/biome check --error-on-warnings .
	@$(BIN)/python -m pytest -q -m "not engine and not demo and not docker and not browser and not slow"

bench-policy: $(STAMP) ## how large policies bear on check and on a decision, against limits: some minutes, build/bench-policy.json
	@$(BIN)/python -m tests.bench

format: $(STAMP) ## rewrite the sources in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@node_modules/.bin/biome check --write .

clean: ## remove what setup made in the checkout
	rm -rf .venv node_modules build .pytest_cache .mypy_cache .ruff_cache .hypothesis
