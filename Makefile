# Few words, the same as in the README: help venv run test check bench.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .venv-peers
PIP := -m pip --disable-pip-version-check -qq

# Some images set it, and then every one of the many Python processes of a run compiles all it imports:
# a start of pytest here takes 12 s of processor time instead of 4.
unexport PYTHONDONTWRITEBYTECODE

# What `make test` hands to pytest beside its own words, for example: make test ARGS="-k lease"
ARGS ?=
# A choice may choose nothing of one half: pytest says 5 then.
NONE_CHOSEN := [ $$? -eq 5 -a -n "$(ARGS)" ]
JOBS ?= auto
COMPILED := .compiled
# What also holds of the compiled copy. Left out are tests that put a defect into the code from outside: into
# compiled code nobody can.
COMPILED_TESTS := tests/controller/safety tests/qa/campaigns tests/qa/scenarios tests/qa/test_exposure_end.py \
  tests/qa/test_link_matrix.py tests/qa/test_pinned.py tests/qa/test_rig.py tests/qa/test_service.py tests/qa/test_stateful.py \
  tests/qa/traffic/test_golden.py
SOURCES := $(shell find controller firmware_protocol simulator qa configs tests -name '*.py' -o -name '*.toml' -o -name '*.json')

.PHONY: help venv run test check compiled test-compiled mutants mutation coverage bench bench-peers sbom evidence campaigns anchors lock clean

help: ## show these words
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

venv: $(STAMP) ## install everything into .venv, once

run: $(STAMP) ## one treatment on a simulated handpiece, from start to record
	@$(BIN)/corneum treat refresh --client demo --simulator

# Tests that measure real seconds come first and one after the other.
test: $(STAMP) ## all tests
	@$(BIN)/python -m pytest -q -m alone $(ARGS) || $(NONE_CHOSEN)
	@$(BIN)/python -m pytest -q -m "not alone" -n $(JOBS) --dist worksteal $(ARGS) || $(NONE_CHOSEN)

check: $(STAMP) ## format, lint, types, import contracts, generated files, hazards without tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate --check
	$(BIN)/python -m tools.generate --trace --check

compiled: $(COMPILED)/.built ## a copy in .compiled whose pure floors are compiled: campaigns in a third of the time

test-compiled: compiled ## the tests of whole treatments and campaigns, in the compiled copy
	@cd $(COMPILED) && $(abspath $(BIN))/python -m pytest -q -p no:cacheprovider -n $(JOBS) \
	  -m "not realtime" -k "not outlives" $(COMPILED_TESTS) $(ARGS)

mutants: $(STAMP) ## seed known bugs one at a time and see the tests catch each; the table
	@$(BIN)/python tests/mutants/run.py $(ARGS)

mutation: $(STAMP) ## change the pure safety modules piece by piece; who notices (ten minutes of two cores)
	@$(BIN)/python -m tests.mutants.mutation $(ARGS)

bench: $(STAMP) ## measure every figure beside its peer; the table, and bench.json
	-@$(MAKE) --no-print-directory compiled
	@$(BIN)/python -m tests.benchmarks.run --peers $(PEERS)

bench-peers: ## install the peers of `make bench` into an environment of their own
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python $(PIP) install -r tests/benchmarks/peers.txt
	@echo "The peers are in $(PEERS); now: make bench"

coverage: $(STAMP) ## branch coverage of protocol, safety, treatment and firmware: all of it, or it fails
	@$(BIN)/python -m pytest -q -n $(JOBS) -m "not realtime" tests/firmware_protocol tests/controller/safety \
	  tests/controller/treatment tests/simulator --cov --cov-fail-under=100 \
	  --cov-report=term-missing:skip-covered

sbom: $(STAMP) ## write sbom.json: every locked package, as CycloneDX
	@$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o sbom.json
	@echo "sbom.json lists what requirements.lock pins."

evidence: $(STAMP) ## run everything and bundle it for an auditor, with hashes (ARGS=--quick: a minute)
	@$(BIN)/python -m tools.evidence $(ARGS)

campaigns: $(STAMP) ## simulate the treatments that documents rest on, into build/campaigns (half an hour; ARGS=--resume)
	@$(BIN)/python -m tools.campaigns make $(ARGS)

anchors: $(STAMP) ## renew removal rate, chances, figures and pages from configs/skin/anchors.toml (half an hour)
	@$(BIN)/corneum-sim anchors --configs configs --renew
	@$(BIN)/python -m tools.campaigns make $(ARGS)
	@$(BIN)/python -m tools.campaigns keep
	@$(BIN)/python -m tools.generate

lock: ## renew requirements.lock from both pyproject.toml (needs uv; UPGRADE=--upgrade for newer releases)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --all-extras --group dev $(UPGRADE) \
	  --no-emit-package corneum pyproject.toml qa/pyproject.toml -o requirements.lock

clean: ## remove what was installed and what tools left behind
	rm -rf $(COMPILED) .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .mutation

$(STAMP): requirements.lock pyproject.toml qa/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Corneum needs Python 3.11 or newer, and '$(PYTHON)' is" \
	    "$$($(PYTHON) --version 2>/dev/null || echo not one)." \
	    "Install one and name it: make PYTHON=python3.12 venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make environments: its venv module is missing." \
	    "Install it (Debian and Ubuntu: apt install python3-venv) and try again." >&2; exit 1; }
	@echo "Installing into $(VENV), once ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python $(PIP) install --no-deps --no-build-isolation -e . -e qa
	@touch $@

$(COMPILED)/.built: $(STAMP) $(SOURCES)
	@$(BIN)/python -m tests.compiled.build $(COMPILED)
	@touch $@
