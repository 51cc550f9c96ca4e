# make demo   run the gate on sample data     make test   run all tests and checks
# Both install what they need: a Python environment and, for the page tests, Chromium by apt.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p >/dev/null && \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
HOME_FOLDER ?= demo-home
# A test run starts hundreds of Python processes. Without files of bytecode each compiles 2 000 modules.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo run test test-fast test-all test-dates compiler test-postgresql test-slow-sqlite wordpress-check lint types layers browser screenshots lock bench-school \
	kill-test fuzz bench-ingest

help:
	@grep -E '^# ' Makefile | sed 's/^# //'
	@echo "setup demo run test test-fast test-all test-dates test-postgresql wordpress-check lint types layers screenshots lock"
	@echo "kill-test fuzz bench-ingest bench-school"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt install python3 python3-venv"; exit 1; }
	@.ci/make-venv "$(PYTHON)" $(VENV)
	@touch $@

demo: $(READY)
	$(BIN)/consent-gate demo $(HOME_FOLDER)

run: $(READY)
	$(BIN)/consent-gate --home $(HOME_FOLDER) run

# Some tests sleep, so one process more than there are cores keeps all cores busy.
PROCESSES ?= $(shell echo $$(($$(nproc) + 1)))
# numpy would take a thread for each core in each process, and these would wait for each other.
PYTEST := env OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal

# All tests on SQLite, and on PostgreSQL those that depend on the database.
# Prints at its end how long each part took. The second run uses the models' answers of the first.
# mypy needs one process for half a minute, so it runs beside the first tests.
test: $(READY) browser
	@folder=$$(mktemp -d -p "$$(.ci/folder-for-tests)") && trap 'kill $$types 2>/dev/null && wait $$types; rm -rf "$$folder"' EXIT && mkdir "$$folder/answers" && \
	export TMPDIR="$$folder" CONSENT_GATE_TEST_ANSWERS="$$folder/answers" && timed=".ci/timed $$folder/times" && \
	{ $$timed "types" $(MAKE) --no-print-directory --output-sync=target types & } && types=$$! && \
	$$timed "lint and layers" $(MAKE) --no-print-directory lint layers && \
	$$timed "tests on SQLite" $(PYTEST) -m "not slow and not wordpress" && \
	$$timed "tests on PostgreSQL" $(PYTEST) --database postgresql -m "dialect and not slow and not wordpress" \
	$$(grep -rl --include='test_*.py' mark.dialect tests) && \
	wait $$types && cat "$$folder/times"

# For use while writing code: no home, no database, no browser, no face models. Takes less than a
# minute on 2 idle cores, with mypy's cache.
test-fast: $(READY) lint types
	$(PYTEST) --numprocesses $(shell nproc) -m "not slow and not costly" tests/unit

# The tests that depend on the date, with the machine's date set to leap days, clock changes and so on.
test-dates: $(READY) compiler
	$(BIN)/python -m tests.support.run_on_dates

# The WordPress plugin in Debian's WordPress, on loopback.
wordpress-check: $(READY)
	@.ci/need-wordpress
	@find docs/cms -name '*.php' -print0 | xargs -0 -n 1 php -l >/dev/null
	$(BIN)/python -m pytest -m wordpress tests/wordpress

# All tests on PostgreSQL, the slow ones too, with all examples of generated input.
test-postgresql: $(READY) browser
	CONSENT_GATE_TEST_THOROUGH=1 $(PYTEST) --database postgresql -m "not wordpress"

# The slow tests that need SQLite: no other target runs them. Pytest ends with 5 if there are none.
test-slow-sqlite: $(READY)
	CONSENT_GATE_TEST_THOROUGH=1 $(PYTEST) -m "slow and sqlite_only" || [ $$? = 5 ]

# `make test`, all tests on PostgreSQL (the slow ones too), and the tests on special dates.
test-all: test test-postgresql test-slow-sqlite test-dates wordpress-check

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --check --quiet consent_gate/web/templates
	$(BIN)/djlint --lint --quiet consent_gate/web/templates
	$(BIN)/hadolint docs/deploy/Dockerfile

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

browser:
	@.ci/need-chromium

compiler:
	@.ci/need-compiler

# Prints what the gate releases and holds of the made-up school's photos (tests/README.md).
bench-school: $(READY)
	$(BIN)/python -m benchmarks.school

# Kills the gate at random moments while this number of files arrives, and checks that none is lost.
KILL_FILES ?= 3000
kill-test: $(READY)
	CONSENT_GATE_KILL_FILES=$(KILL_FILES) $(BIN)/python -m pytest --log-cli-level=INFO \
		tests/faults/test_kill_gate.py -k however_often

# Decodes damaged pictures for this number of seconds, and prints the outcomes.
FUZZ_SECONDS ?= 600
fuzz: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.fuzz_decode --seconds $(FUZZ_SECONDS)

# Compares the running gate with decoding and models alone, and measures the idle gate.
bench-ingest: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.ingest

# Takes screenshots of every page for the documentation: light, dark and narrow.
screenshots: $(READY) browser
	$(BIN)/python -m tests.e2e.screenshots docs/screenshots

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url \
		--universal --python-version 3.11 --quiet -o requirements.lock
