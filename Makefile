# Everything works on a fresh clone: each target first makes .venv from requirements.lock, with what the machine has.

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$name && break; done)
UV := $(or $(shell command -v uv),.venv/bin/uv)
COMPILE = $(UV) pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
	--no-emit-index-url --no-header -q
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test torture transport-newest check format bench bench-engines up down clean lock
MAKEFLAGS += --no-print-directory

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Send real shop history through the whole pipeline and show what came out (ARGS="--weeks 1-53")
	@.venv/bin/vaart demo $(ARGS)

test: $(READY) ## Pass the tests, on real servers (ARGS="tests/local -x")
	@.venv/bin/pytest -n 2 --dist loadfile $(ARGS)

torture: $(READY) ## Pass the long proofs, about an hour (OUT=figures.txt keeps what they measured)
	@OUT=$(OUT) SEEDS=10000 .venv/bin/pytest -m torture $(ARGS)
	@.venv/bin/pytest --hypothesis-profile=default tests/schemas
	@EXAMPLES=100 .venv/bin/pytest tests/connectors/gateway/test_edge_openapi.py

transport-newest: $(READY) ## Hold the transport's contract against the newest Faust 0.15.x (ARGS=--always for the pinned one)
	@UV=$(UV) .venv/bin/python -m tests.streams.engine.transport.newest $(ARGS)

check: $(READY) ## Check format, rules, types and that the lock file is fresh
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@cp requirements.lock .venv/fresh.lock && $(COMPILE) -o .venv/fresh.lock
	@cmp -s requirements.lock .venv/fresh.lock || { echo "requirements.lock is behind pyproject.toml: run make lock"; exit 1; }

format: $(READY) ## Format the code and mend what can be mended
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: $(READY) ## Measure this machine and print a table (OUT=bench.json for JSON too, ARGS="--only sink")
	@.venv/bin/python -m tests.bench $(if $(OUT),--output $(OUT)) $(ARGS)

bench-engines: $(READY) ## Measure the engine beside its peers, about 15 minutes (OUT=engines.json for JSON too)
	@.venv/bin/python -m tests.bench.engines $(if $(OUT),--output $(OUT)) $(ARGS)

up: $(READY) ## Start Kafka, the schema registry and Postgres on this machine
	@.venv/bin/vaart up $(ARGS)

down: $(READY) ## Stop them
	@.venv/bin/vaart down $(ARGS)

lock: $(READY) ## Bring requirements.lock up to date with pyproject.toml (ARGS=--upgrade for the newest of all)
	@$(COMPILE) $(ARGS) -o requirements.lock

clean: ## Stop the servers, delete what they kept, the virtual environment and all caches of the checkout
	@if [ -x .venv/bin/vaart ]; then .venv/bin/vaart down --erase; fi
	@rm -rf .venv .vaart .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml hatch_build.py schemas/_avro.c
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed on the PATH (or make PYTHON=/path/to/it)"; exit 1; }
	@[ -x .venv/bin/python ] && [ -x $(UV) ] || { rm -rf .venv && \
		if [ $(UV) = .venv/bin/uv ]; then $(PYTHON) -m venv .venv && .venv/bin/python -m pip install -q uv; \
		else $(UV) venv -q --python $(PYTHON) .venv; fi; }
	@$(UV) pip install -q --python .venv/bin/python -r requirements.lock
	@$(UV) pip install -q --python .venv/bin/python --no-deps -e .
	@touch $@
