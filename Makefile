# `make demo` and `make test` need CPython 3.11-3.13 with venv and pip, and make. Nothing else.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
GO ?= go
OTELCOL := build/otelcol/otelcol
# One more than there are cores: tests wait for servers much of their time.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')

.DEFAULT_GOAL := help

# Tests start hundreds of processes: each would compile all of ours again, and pytest every test in each of its own.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "agentvigil needs CPython 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.server: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server,dev]'
	@# A collector to test with. It has wheels for glibc 2.34 and newer and for macOS only.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: rotel==0.0.1a15 || \
		echo "no Rotel for this machine: the tests with it are skipped"
	@touch $@ $(VENV)/.server

demo: $(VENV)/.server ## Start everything and play a fleet of agents; Ctrl-C ends it
	@exec $(BIN)/agentvigil demo $(ARGS)

test: $(VENV)/.dev ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: $(VENV)/.dev ## Run the tests that take long, which `make test` leaves out (some minutes)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m long $(ARGS)

test-deep: $(VENV)/.dev ## Kill, cut off and tell stories much more often than the tests do (half an hour)
	AGENTVIGIL_TEST_KILLS=50 AGENTVIGIL_TEST_OUTAGE_S=120 AGENTVIGIL_TEST_SEEDS=20 $(BIN)/python -m pytest -m '' --timeout 3600 \
		tests/integration/test_kill.py tests/integration/test_privacy.py tests/integration/test_spool.py \
		tests/integration/api/test_rollups.py tests/integration/api/test_pages.py $(ARGS)

check: $(VENV)/.dev ## Run the static checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Reformat the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Module proxies may lack modules that only the tests of components need. The builder gives up then, and go does not.
$(OTELCOL): tests/interop/otelcol/builder.yaml
	@mkdir -p $(@D)
	-$(GO) run go.opentelemetry.io/collector/cmd/builder@v0.155.0 --config $< --skip-compilation
	cd $(@D) && $(GO) mod tidy -e && $(GO) build -trimpath -ldflags='-s -w' -o $(@F) .

interop: $(VENV)/.dev $(OTELCOL) ## Test with a real OpenTelemetry Collector and clickhouse-go (needs Go 1.26, some minutes)
	AGENTVIGIL_OTELCOL=$(abspath $(OTELCOL)) $(BIN)/python -m pytest -m '' tests/integration/test_collectors.py tests/interop $(ARGS)

matrix: $(VENV)/.dev ## Test instrumentors on the oldest and newest versions of frameworks (half an hour, some GB)
	$(BIN)/python tools/matrix/run.py $(ARGS)

bench-overhead: $(VENV)/.dev ## Measure what instrumentation costs an application (some minutes)
	$(BIN)/python benchmarks/overhead/run.py $(ARGS)

bench: $(VENV)/.dev ## Run the ingest benchmark (some minutes)
	$(BIN)/python benchmarks/ingest/run.py $(ARGS)

bench-settling: $(VENV)/.dev ## Measure settling on a day of a million runs (half an hour)
	$(BIN)/python benchmarks/settling/run.py $(ARGS)

bench-query: $(VENV)/.dev ## Measure the API on a million runs, idle and under load (a quarter of an hour)
	$(BIN)/python benchmarks/query/run.py $(ARGS)

bench-detection: $(VENV)/.dev ## Measure false alarms and power of the detectors (hours; ARGS=--quick: minutes)
	$(BIN)/python benchmarks/detection/run.py $(or $(ARGS),--full)

fuzz-api: $(VENV)/.dev ## Ask the API much more than the tests do (half an hour)
	AGENTVIGIL_TEST_API_EXAMPLES=300 $(BIN)/python -m pytest --timeout 3600 tests/integration/api/test_conformance.py $(ARGS)

grafana: $(VENV)/.dev ## Write Grafana's dashboards and alert rules anew
	PYTHONPATH=grafana $(BIN)/python -m agentvigil_grafana $(ARGS)

goldens: $(VENV)/.dev ## Record the payloads of real libraries anew (an environment for each, some GB)
	$(BIN)/python tools/goldens/make.py $(ARGS)

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.PHONY: help demo test test-long test-deep check format interop matrix bench bench-overhead bench-settling bench-query bench-detection fuzz-api grafana goldens clean
