# Two commands: `make run` and `make test`. Everything lands in .venv and in TRANSOM_HOME.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DOCS ?= examples/documents
TEST_HOME := $(CURDIR)/.test-home

.PHONY: run test lint clean

run: $(VENV)/.installed  ## set up, ingest DOCS and open the chat
	$(BIN)/transom models pull
	$(BIN)/transom ingest $(DOCS) || [ $$? -eq 1 ]  # 1: some files failed, the others are there
	$(BIN)/transom chat

test: $(VENV)/.installed-dev lint  ## everything that CI checks
	TRANSOM_HOME=$(TEST_HOME) $(BIN)/transom models pull starter
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest tests/langchain

lint: $(VENV)/.installed-dev  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.installed: pyproject.toml constraints.txt scripts/install
	scripts/install "$(PYTHON)" "$(VENV)"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:  ## throw the set-up away; TRANSOM_HOME is kept
	rm -rf $(VENV) $(TEST_HOME) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
