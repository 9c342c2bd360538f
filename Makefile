# Two commands do everything: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
NAME ?=

.DEFAULT_GOAL := help
# A bank is ten processes: each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help run test check form types tests coverage fix css messages docs reference lock clean bench prove faults install install-dev

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: install ## Run a whole bank here: PORT=8000, BANK_VAR=var
	@exec $(BIN)/python -m bankproject.runtime

test: form ## Check and test everything
	@$(MAKE) --no-print-directory --jobs=2 types tests

check: form types ## Check everything but by tests: form, dependencies, types

form: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --check --lint templates
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .

types:
	$(BIN)/mypy .

# What a test makes is none of this make's jobs.
tests:
	MAKEFLAGS= $(TESTS)

coverage: install-dev ## Test everything, and tell which branches of the code no test takes
	$(TESTS) --cov

fix: install-dev ## Format the code and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --quiet --reformat templates || $(BIN)/djlint --quiet --check templates

css: ## Compile the style sheet from design/ (needs npm)
	@cd design && npm install --no-save --no-audit --no-fund --loglevel=error && npm run --silent css

messages: install-dev ## Collect what the bank says, for locale/, and compile what is translated
	@$(BIN)/python -m bankproject.catalog

docs: install-dev ## Build the documentation as a site, in var/site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

reference: install-dev ## Make the pages of docs/reference/ that come from the code
	@$(BIN)/python -m bankproject.reference

bench: install-dev ## Measure: NAME=ledger …
	@$(call only_known,benchmarks)
	@exec $(BIN)/python -m benchmarks.$(subst -,_,$(NAME))

prove: install-dev ## Run a long proof: NAME=ledger-crash …
	@$(call only_known,tests/proofs)
	@exec $(BIN)/python -m tests.proofs.$(subst -,_,$(NAME))

faults: install-dev ## Break nodes and networks: RANDOM_FAULTS=300, SEED=…
	@exec $(BIN)/python -m tests.faults

lock: install-dev ## Compile requirements*.in to requirements*.txt
	$(BIN)/uv pip compile --quiet $(LOCK) requirements.in --output-file requirements.txt
	$(BIN)/uv pip compile --quiet $(LOCK) requirements-dev.in --output-file requirements-dev.txt
	$(BIN)/uv pip compile --quiet $(LOCK) requirements-failover.in --output-file requirements-failover.txt

clean: install ## Stop what runs here and forget its data
	@exec $(BIN)/python -m bankproject.runtime forget

install:
	@$(find_python) && exec $(PYTHON) bankproject/runtime/install.py requirements.txt

install-dev:
	@$(find_python) && exec $(PYTHON) bankproject/runtime/install.py requirements.txt requirements-dev.txt \
		requirements-failover.txt

TESTS := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

LOCK := --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

find_python = command -v $(PYTHON) >/dev/null || \
	{ echo "Cannot install: no $(PYTHON) here; install Python 3.11 or newer" >&2; exit 1; }

# Modules of folder $1 that may be run by name; a leading underscore or `test_` is no name.
only_known = test -n "$(NAME)" -a -f "$1/$(subst -,_,$(NAME)).py" || { \
	echo "NAME is one of:" >&2; \
	for file in $1/[a-z]*.py; do \
		test -f "$$file" && basename "$$file" .py | tr _ - | sed 's/^/  /' >&2; \
	done; exit 1; }
