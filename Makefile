# The verbs of this house; people and CI call the same ones. `make` alone lists them.
# Everything stands in relative paths, so that a folder may have a space in its name.

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench check soak mutants fuzz format topics contract matrix kafka lock clean

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
AT_ONCE ?= 0

help: ## lists the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: .venv/project.stamp ## makes .venv with everything pinned in requirements/lock.txt; the second time is instant and offline
	@:

demo: setup ## runs the whole story on embedded servers and ends with a verified audit
	@$(BIN)/seatledger demo $(ARGS)

test: setup .venv/client.stamp .venv/oracle.stamp .venv/node.stamp ## runs the whole test suite; ARGS="-k resize" narrows it, AT_ONCE=2 shares it between two processes
	@$(BIN)/python -m pytest --numprocesses $(AT_ONCE) --dist loadfile $(ARGS)

bench: setup ## measures the ledger against its ceilings; ARGS="--quick" only shows that it works (docs/benchmarks.md)
	@$(BIN)/python -m bench $(ARGS)

check: setup ## format, lint, types, import contracts, tidy tests
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/tidy

soak: setup ## kills everything under load and looks what is left; ARGS="--minutes 20 --seed 7", see docs/soak.md
	@$(BIN)/python -m tools.soak $(ARGS)

mutants: setup ## puts known faults into a copy of the tree, one by one, and shows that a test sees each
	@$(BIN)/python -m tools.mutants $(ARGS)

fuzz: setup .venv/fuzz.stamp ## gives readers of proofs, checkpoints and packs what nobody wrote; ARGS="--seconds 60"
	@$(BIN)/python -m tools.fuzz $(ARGS)

format: setup ## formats the code and mends what the linter can mend
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

topics: setup ## adds new event names with a sample to tests/history/topics.json; ARGS=--rewrite-unreleased before 0.1.0
	@$(BIN)/python -m tests.tidy.topics $(ARGS)

contract: setup ## writes docs/openapi.json, problems.md, who-may.md and events/
	@$(BIN)/python -m tools.contract.http
	@$(BIN)/python -m tools.contract.events $(ARGS)

matrix: setup ## asks the API everything as everybody, and writes down who may: tests/system/http/who_may.csv, docs/who-may.md
	SEATLEDGER_REWRITE=1 $(BIN)/python -m pytest -q tests/system/http/test_who_may.py
	@$(BIN)/python -m tools.contract.http

kafka: setup ## fetches Apache Kafka for the tests marked `kafka` (needs Java 17 and Maven)
	@$(BIN)/python tools/kafka/fetch.py

# No index, no host and no path of a machine may leak into the locks, hence the many --no-emit.
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --annotation-style=line \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

lock: setup ## renews the locks in requirements/ within the ranges of pyproject.toml; ARGS=--upgrade takes the newest
	$(COMPILE) $(ARGS) --extra embedded --extra dev --output-file requirements/lock.txt pyproject.toml
	$(COMPILE) $(ARGS) --constraint requirements/lock.txt --output-file requirements/runtime.txt pyproject.toml
	$(COMPILE) $(ARGS) --constraint requirements/lock.txt --only-build-deps --all-build-deps \
		--output-file requirements/build.txt pyproject.toml
	$(COMPILE) $(ARGS) --output-file requirements/client.txt requirements/client.in
	$(COMPILE) $(ARGS) --output-file requirements/oracle.txt requirements/oracle.in
	$(COMPILE) $(ARGS) --output-file requirements/fuzz.txt requirements/fuzz.in

clean: ## removes what can be made again; .seatledger, where your own ledger lies, stays
	rm -rf .venv build dist seatledger.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/lock.stamp: requirements/lock.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "seatledger needs Python 3.11 or newer as '$(PYTHON)'; name another: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make a virtual environment; install its venv package (Debian: python3-venv)" >&2; exit 1; }
	@echo "setting up .venv (once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/lock.txt
	@touch $@

# The generator of a client from the OpenAPI document: apart, for it wants other versions than the product.
.venv/client.stamp: .venv/lock.stamp requirements/client.txt
	@$(PYTHON) -m venv .venv/client
	@.venv/client/bin/python -m pip install --quiet --require-hashes --requirement requirements/client.txt
	@touch $@

# atheris: beside the rest and not in it, for it has wheels for some Pythons and machines alone.
.venv/fuzz.stamp: .venv/lock.stamp requirements/fuzz.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --upgrade --target .venv/fuzz --requirement requirements/fuzz.txt
	@touch $@

# An independent Merkle tree to compare ours with: apart, for it is GPL-3 and runs in a process of its own.
.venv/oracle.stamp: .venv/lock.stamp requirements/oracle.txt
	@$(PYTHON) -m venv .venv/oracle
	@.venv/oracle/bin/python -m pip install --quiet --require-hashes --requirement requirements/oracle.txt
	@touch $@

# AsyncAPI's own validator and a Kafka client, where there is Node; without it their tests are skipped. No scripts of
# packages are run.
.venv/node.stamp: tools/node/package.json tools/node/package-lock.json
	@if command -v npm >/dev/null; then \
		mkdir -p .venv/node && cp tools/node/package.json tools/node/package-lock.json .venv/node/ && \
		npm ci --prefix .venv/node --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && touch $@; \
	else echo "no npm here: the AsyncAPI document is not validated, and kafkajs does not read the topic"; fi

# No build isolation: the builder is in the lock, so this asks no network even when pyproject.toml changes.
.venv/project.stamp: .venv/lock.stamp pyproject.toml
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@
