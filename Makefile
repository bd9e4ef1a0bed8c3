# `make run` and `make test` do all their own set-up in ./.venv, once; the stamp makes the second time fast.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test test-all lint bench snapshots clean

run: $(STAMP)
	$(BIN)/ultra-console run --profile sim --phase 5.1

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist worksteal tests

# All seeds and examples of random tests as well, and what takes long.
test-all: $(STAMP)
	THOROUGH=1 $(BIN)/python -m pytest -n auto --dist worksteal -m "slow or not slow" tests

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m benchmarks

# Pictures of all screens on made-up figures, to be looked at: nothing of them is kept.
snapshots: $(STAMP)
	$(BIN)/python tests/screens/snapshots.py build/snapshots

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . --group dev
	touch $(STAMP)

clean:
	rm -rf $(VENV) dist build .pytest_cache .ruff_cache .hypothesis
