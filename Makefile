# `make` lists what there is. Every target does its own set-up; the second time that is quick.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?=                # which Python to make the environment with; else the first of 3.11 or newer
VENV ?= .venv
SPEED ?=                 # make demo SPEED=5000: so many seconds of 2013 in one of ours
STAY ?=                  # make demo STAY=1: leave the gateway up after the summary
FLIGHTS ?=               # make demo FLIGHTS=5000: more than one day
PROCESSES ?= 2           # make test PROCESSES=: one after the other, about 40 minutes on two cores instead of 24
TESTS ?= tests           # make test TESTS=tests/unit
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: install
install: ## make the environment from the lock
	@.ci/install $(VENV) $(PYTHON)

.PHONY: demo
demo: install ## play a day of real flights through two workers, and watch
	@$(BIN)/headrace demo --folder build/demo $(addprefix --speed ,$(SPEED)) $(addprefix --flights ,$(FLIGHTS)) $(if $(STAY),--stay)

.PHONY: test
test: install ## run every test, on a real Kafka where it takes one
	$(PYTEST) $(if $(strip $(PROCESSES)),-n $(strip $(PROCESSES)) --dist worksteal) $(TESTS)

.PHONY: storm
storm: install ## 100,000 real events, three workers and 22 faults; CHAOS_SEED=random for another storm
	$(PYTEST) -s -m storm tests/acceptance

.PHONY: million
million: install ## a million jobs parked over a year: memory, restarts, punctuality
	$(PYTEST) -s -m million tests/acceptance

.PHONY: check
check: lint types layers test coverage ## the whole gate: format, lint, types, imports, tests, coverage

.PHONY: lint
lint: install ## formatting and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: types
types: install ## mypy, strict
	$(BIN)/mypy

.PHONY: layers
layers: install ## imports go one way
	$(BIN)/lint-imports

# One after the other: coverage slows workers down as it is. Workers that tests start are measured too; one
# killed with -9 leaves no data, which is fine.
check: PROCESSES =
check: PYTEST = $(BIN)/coverage erase && $(BIN)/coverage run -m pytest

.PHONY: coverage
coverage: test
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: format
format: install ## write the formatting, and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: install ## measure against bare aiokafka, bare Faust, ARQ and Celery
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.http_rows

.PHONY: lock
lock: install ## pin every dependency with its hashes; UPGRADE=--upgrade takes the newest
	.ci/lock $(BIN)/python $(UPGRADE)

.PHONY: clean
clean: ## remove what was made: environment, caches, demo and bench results
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
