# Everything sets itself up: the environments are made on first use and again when the pinned requirements change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test soak chaos fuzz troubles check bench lock clean

# Runs the whole bot on a simulated market with a local Slack workspace: no account, network or database server.
demo: $(VENV)/.run
	$(BIN)/python -m bot demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n 3 --dist loadfile tests

# Recommended sales on 20,000 random books against HiGHS (BOOKS= for more; a thousand are part of `test`), then what must
# hold of anything, on other examples than those of `test`.
BOOKS ?= 20000
soak: $(VENV)/.dev
	COVER_BOOKS=$(BOOKS) $(BIN)/python -m pytest -q --hypothesis-profile default --timeout 36000 tests/unit/test_cover_oracle.py tests/unit/test_cover_missing.py
	$(BIN)/python -m pytest -q -n 3 --hypothesis-profile default --timeout 600 tests/unit tests/store

# Kills and freezes the real bot while Slack and the sources fail; N= for more kills (and a stop for five of them).
N ?= 200
chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos --kills $(N)

# Malformed bodies, payloads and texts at the whole bot; N= for more or fewer, SEED= of an earlier run, ONLY=1234 of it.
fuzz: CASES = $(if $(filter command line environment,$(origin N)),$(N),100000)
fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz --cases $(CASES) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

# The database away, locked and full, for a minute each.
troubles: $(VENV)/.dev
	OUTAGE_S=60 $(BIN)/python -m pytest -q tests/edge/test_database_troubles.py

# What must hold besides the tests: lint, format, types, directions of imports, migrations.
check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	rm -rf var/check && mkdir -p var/check
	DATABASE_URL=sqlite:///var/check/check.db $(BIN)/python -m bot db upgrade
	DATABASE_URL=sqlite:///var/check/check.db $(BIN)/alembic check

# Prints ratios against baselines measured in the same run; asserts nothing.
bench: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks

# Pins every dependency with its hashes; needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
		-o requirements.txt pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q \
		--group dev -c requirements.txt -o requirements-dev.txt pyproject.toml

clean:
	rm -rf $(VENV) var dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.run: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps -e .
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(PIP) install --require-hashes -r requirements-dev.txt
	touch $@
