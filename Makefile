# What can be done here? `make help` lists it. The only needs are make and Python 3.11 or 3.12.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

export UV_PYTHON_DOWNLOADS := never
UV_VERSION := 0.13.8
UV := $(if $(shell uv --version 2> /dev/null),uv,.uv/bin/uv)
BIN := .venv/bin

.PHONY: help
help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/run.stamp ## Start Parley on this machine; Ctrl-C stops all of it
	@exec $(BIN)/parley up

.PHONY: test
test: .venv/dev.stamp .venv/chromium.stamp ## Run every test, on real PostgreSQL, Redis and Chromium
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

.PHONY: check
check: .venv/dev.stamp ## Check style, types and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: .venv/dev.stamp ## Lay the code out and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: soak
soak: .venv/dev.stamp ## Ask 2,000 random definitions of PostgreSQL, DuckDB and plain Python
	STORES=134 $(BIN)/python -m pytest tests/services/test_segments_differential.py $(ARGS)

.PHONY: bench
bench: .venv/dev.stamp ## Measure speed and memory; reports land in report/
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: eval
eval: .venv/dev.stamp ## Measure how often English becomes the right segment
	$(BIN)/parley eval $(ARGS)

.PHONY: chaos
chaos: .venv/dev.stamp ## Send 100,000 messages while everything is killed, and count
	$(BIN)/python -m benchmarks.chaos $(ARGS)

# A lock names versions and hashes, never the place they came from.
LOCK := pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: lock
lock: $(filter .uv/%,$(UV)) ## Choose the newest versions that fit together
	$(UV) $(LOCK) --upgrade --output-file requirements.lock
	$(UV) $(LOCK) --upgrade --group dev --constraints requirements.lock --output-file requirements-dev.lock

.PHONY: clean
clean: ## Remove the environment and the caches, never the data
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The environment. Both locks agree on every version, so the wider one only adds.
.venv/run.stamp: requirements.lock | .venv/made.stamp
	@echo "Installing what Parley needs ..."
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	touch $@

.venv/dev.stamp: requirements-dev.lock | .venv/made.stamp
	@echo "Installing what Parley and its tests need ..."
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	touch $@ .venv/run.stamp

# Parley itself is not copied: the environment points at this folder. The build tool's version and hash are locked too.
.venv/run.stamp .venv/dev.stamp: .venv/parley.stamp
.venv/parley.stamp: pyproject.toml | .venv/made.stamp
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --build-constraints requirements-dev.lock --editable .
	touch $@

.venv/made.stamp: $(filter .uv/%,$(UV))
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python ">=3.11,<3.13" .venv
	touch $@

.uv/bin/uv:
	@echo "Installing uv $(UV_VERSION) into .uv ..."
	python=$$(for name in python3.12 python3.11 python3; do command -v $$name && break; done)
	if "$$python" -m pip --version > /dev/null 2>&1; then
		"$$python" -m pip install --quiet --root-user-action ignore --target .uv "uv==$(UV_VERSION)"
	else
		"$$python" -m venv .uv
		.uv/bin/python -m pip install --quiet "uv==$(UV_VERSION)"
	fi

# Chromium for the browser tests: one that is installed, else the system's package, else Playwright's.
.venv/chromium.stamp: | .venv/dev.stamp
	@if command -v chromium chromium-browser google-chrome > /dev/null; then
		:
	elif command -v apt-get > /dev/null && { [ "$$(id -u)" = 0 ] || sudo -n true 2> /dev/null; }; then
		root=$$([ "$$(id -u)" = 0 ] || echo sudo)
		$$root apt-get update -qq
		$$root apt-get install -qq --no-install-recommends chromium
	else
		$(BIN)/python -m playwright install chromium
	fi
	touch $@
