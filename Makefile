# Every target makes the environment it needs first; Python 3.11 or later is all that has to be there.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo test faults-long check bench lock clean

PYTHON_IN_VENV := .venv/bin/python
export PYTHONPATH := $(CURDIR)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Make the environment for running (.venv)
	@sh deploy/setup.sh runtime

setup-dev: ## Make the environment for tests and checks as well
	@sh deploy/setup.sh dev

run: setup ## Start everything with the demo county and keep it running until Ctrl-C (data in ./data, port 8080)
	@exec $(PYTHON_IN_VENV) -m dirigent demo --keep

demo: setup ## Play the demo from the first event to the last invoice, check every sum, and end
	@exec $(PYTHON_IN_VENV) -m dirigent demo

# Each process has a PostgreSQL and a Redis of its own; some tests alone are quicker in one.
ALL_TESTS := -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

test: setup-dev ## Run the whole test suite against a real PostgreSQL and a real Redis (ARGS="-k name" for some of it)
	@exec $(PYTHON_IN_VENV) -m pytest $(or $(ARGS),$(ALL_TESTS))

faults-long: setup-dev ## Faults, histories and generated requests at full size, for hours: what CI runs a sample of
	DIRIGENT_ZOO_MESSAGES=10000 DIRIGENT_ORACLE_HISTORIES=100000 DIRIGENT_HISTORIES=10000 DIRIGENT_STORIES_TO=100 DIRIGENT_GENERATED_REQUESTS=100 \
		$(PYTHON_IN_VENV) -m pytest tests/faults tests/oracle tests/unit/planning/test_any_order.py \
		tests/integration/billing/test_random_stories.py tests/contract/test_generated_requests.py

check: setup-dev ## Style, types, architecture, migrations against tables, and the quick tests
	$(PYTHON_IN_VENV) -m ruff check .
	$(PYTHON_IN_VENV) -m ruff format --check .
	$(PYTHON_IN_VENV) -m mypy
	$(PYTHON_IN_VENV) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'
	$(PYTHON_IN_VENV) -m pytest tests/unit tests/architecture tests/integration/test_migrations.py

bench: setup-dev ## Measure every speed claim beside its baseline, in about two minutes
	@exec $(PYTHON_IN_VENV) -m benchmarks

lock: setup-dev ## Bring the hash-locked requirements up to date with pyproject.toml (UPGRADE=1 takes newer versions too)
	@sh deploy/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## Remove the environment, caches and the demo's data
	@if [ -x $(PYTHON_IN_VENV) ]; then $(PYTHON_IN_VENV) -m dirigent.supervisor.folder; fi
	rm -rf .venv.old && { [ ! -e .venv ] || mv .venv .venv.old; }
	rm -rf .venv.old .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
