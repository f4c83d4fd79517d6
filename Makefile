# Two commands: `make run` shows the bot at work, `make test` runs the suite. Both set themselves up.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test lint check format proof clean

run: $(VENV)/.run
	@$(BIN)/bot run --demo

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 3 --dist worksteal

lint: $(VENV)/.dev    # format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test      # what a commit must pass

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proof: $(VENV)/.dev  # the large matrices at full size
	$(BIN)/python -m pytest -m proof

# Each stamp is as old as the last install, so an unchanged pyproject.toml installs nothing.
$(VENV)/.run: pyproject.toml | $(VENV)
	@echo "Installing wormhorn and what it needs into $(VENV) (PyTorch is large: a minute or more)..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)
	@echo "Installing wormhorn, what it needs and its test tools into $(VENV) (PyTorch is large: a minute or more)..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install the package python3.11." >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV) with $(PYTHON)..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than Python 3.11. Say which to take: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "Python's venv module is missing: install the package python3.11-venv." >&2; exit 1; }

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
