# Python 3.11 or newer and make are all that is needed; everything else goes into .venv and .run.
#   make run | test [TESTS=path] | test-clients | check | bench [BENCH=name] [BASELINE=1] [STRICT=1]
#        | profile [PART=name] | crash [KILLS=n] | simulate [SEEDS=n] | compile | requirements | clean
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := run
.PHONY: run test test-clients check bench profile crash simulate compile requirements clean

VENV := .venv
BIN := $(VENV)/bin
# PYTHON=... is the interpreter of a new environment, else exchange_site/choose_python.py chooses one.
PYTHON ?=
PIP_INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check

# The shell becomes the supervisor: it gets Ctrl-C from the terminal and SIGTERM from make, which
# waits for it. Where make itself is killed, the supervisor notices that the process is gone.
run: $(VENV)/.compiled
	@exec $(BIN)/python -m exchange_site.supervisor --while-running $$PPID

# Whole files go to the workers, for their fixtures are whole exchanges; the longest ones, which
# pyproject.toml names first, begin first.
WORKERS ?= 2
test: $(VENV)/.dev $(VENV)/.compiled
	@exec $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

# Clients that need Node or much room, and a thousand rounds where the other tests do a hundred.
test-clients: $(VENV)/.dev $(VENV)/.compiled
	@ROUNDS=1000 exec $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder \
		-m "heavy or not heavy" markets/binance/tests/test_strategy.py tests/clients

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@# No server has to run for these two; Django would say that it could not ask the database.
	$(BIN)/python -W "ignore:Got an error checking a consistent:RuntimeWarning" manage.py makemigrations --check --dry-run
	PRODUCTION=1 SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') ALLOWED_HOSTS=exchange.example \
		$(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

# A report with plots goes to bench/results/: docs/PERFORMANCE.md.
bench: $(VENV)/.dev $(VENV)/.compiled
	@EXCHANGE_COMPILED_CORE=$${EXCHANGE_COMPILED_CORE:-1} exec $(BIN)/python -m bench \
		$(if $(BASELINE),--baseline) $(if $(STRICT),--strict) $(BENCH)

# Flame graphs of parts under load go to docs/profiles/.
profile: $(VENV)/.dev $(VENV)/.compiled
	@EXCHANGE_COMPILED_CORE=$${EXCHANGE_COMPILED_CORE:-1} exec $(BIN)/python -m bench.profile \
		$(if $(PART),--part "$(PART)") $(if $(LOAD),--load $(LOAD))

# Parts are killed under load, and everything is compared: docs/FAILURES.md.
KILLS ?= 20
crash: $(VENV)/.dev $(VENV)/.compiled
	@EXCHANGE_COMPILED_CORE=$${EXCHANGE_COMPILED_CORE:-1} exec $(BIN)/python -m crash --kills $(KILLS) $(CRASH)

# Worlds in memory, one a seed, in which everything breaks: docs/FAILURES.md.
SEEDS ?= 1000
simulate: $(VENV)/.dev
	@exec $(BIN)/python -m simulation --seeds $(SEEDS) $(if $(SEED),--seed $(SEED)) $(if $(BUG),--bug $(BUG)) $(SIMULATE)

# Pins of the whole tree, from the direct dependencies in pyproject.toml. The later files are
# layered on the first, so that one environment can hold all of them.
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
requirements: $(VENV)/.dev
	$(PIP_COMPILE) --output-file requirements.txt pyproject.toml
	$(PIP_COMPILE) --extra embedded --constraint requirements.txt --output-file requirements-embedded.txt pyproject.toml
	$(PIP_COMPILE) --extra embedded --extra dev --constraint requirements-embedded.txt --output-file requirements-dev.txt pyproject.toml

# Installed again only when the pins change.
$(VENV)/bin/python:
	@python="$(PYTHON)"; \
	for any in python3 python3.14 python3.13 python3.12 python3.11; do \
		[ -z "$$python" ] && command -v $$any >/dev/null && python=$$($$any exchange_site/choose_python.py) && break; \
	done; \
	[ -n "$$python" ] || { echo "Python 3.11 or newer is needed."; exit 1; }; \
	echo "making $(VENV) with $$python"; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "cannot make a virtual environment: is Debian's package python3-venv there?"; exit 1; }

$(VENV)/.run: requirements.txt requirements-embedded.txt | $(VENV)/bin/python
	@echo "installing requirements-embedded.txt into $(VENV)"
	@$(PIP_INSTALL) -r requirements-embedded.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "installing requirements-dev.txt into $(VENV)"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# The core as machine code, anew when it changes; without a C compiler it runs as it stands.
compile: $(VENV)/.compiled
$(VENV)/.compiled: $(wildcard engine/core/*.py) engine/wire.py engine/journal.py engine/worker/__init__.py \
		engine/worker/batch.py engine/compiled.py engine/compile_core.py $(VENV)/.run
	@echo "compiling the core"
	@$(BIN)/python -m engine.compile_core && touch $@ || true

# Keeps .run, which holds the accounts, orders and trades of this installation.
clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles build
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
