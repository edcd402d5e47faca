# `make demo` and `make test` need Python >= 3.10, make and git; they set up .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN ?= runs/demo

.PHONY: demo web lab test quick slow lint format clean

demo: $(VENV)/installed
	$(BIN)/python examples/cgan.py --steps 2000 --out $(RUN)

# The page that runs the models of savedmodels/ in the browser. It needs npm, for its runtime.
web: $(VENV)/installed
	$(BIN)/python examples/web/build.py --serve

# The small experiments of docs/laboratory.md: about three minutes. LAB is where they write.
LAB ?= runs/lab
LAB_SCRIPTS := optimal_discriminator parallel_lines game_value xy_game gaussians
lab: $(VENV)/installed
	for name in $(LAB_SCRIPTS); do $(BIN)/python examples/lab/$$name.py --out $(LAB) || exit 1; done

test: lint quick

# Two processes: most of a test is tracing and building, on one core.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal --durations=25 --durations-min=5

quick: $(VENV)/dev
	$(PYTEST) -m "not slow"

slow: $(VENV)/dev
	$(PYTEST) -m slow

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Modules are compiled when they are first imported: most of TensorFlow never is.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check

$(VENV)/installed: setup.cfg pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'keras_gans needs Python 3.10 or newer')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	touch $@

$(VENV)/dev: $(VENV)/installed
	$(INSTALL) --editable ".[dev,onnx,tfds]"
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
