# The one door for people, pre-commit and CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# What `make bench` trains; name a model and rows of yours: make bench BENCH="--models A --dataset B"
BENCH ?= --models minilm --init random --dataset synthetic:train=640,test=100,seed=7 --rows 640

# Processes that run tests; each may start a Ray of its own. 0 runs them in one, as a debugger wants.
TESTS_AT_ONCE ?= 2

.PHONY: demo report test bench check audit format clean

demo: $(STAMP)  ## the main job on made-up data: two small models, one table
	$(BIN)/agnews-ray submit jobs/demo.yaml

report: $(STAMP)  ## an example of the report: the demo over three seeds, measured
	$(BIN)/agnews-ray submit jobs/demo.yaml --seeds 42,43,44 --name example
	$(BIN)/agnews-ray measure runs/example
	$(BIN)/agnews-ray report runs/example

test: $(STAMP)  ## checks and tests
	$(MAKE) check
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile

bench: $(STAMP)  ## the engines' speed side by side; ten minutes on two cores
	$(BIN)/agnews-ray bench $(BENCH)

check: $(STAMP)  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

audit:  ## known weaknesses of the pinned dependencies; needs the network, else it skips
	$(PYTHON) .ci/audit.py

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); sys.exit(not ok and "Python 3.11 to 3.13 is needed; try: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $(STAMP)

clean:
	rm -rf $(VENV) .venv-audit .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
