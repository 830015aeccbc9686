# The commands a reader needs. Each works as the first one on a machine with Python, pip, venv and make.
#   make lab       set up, then open JupyterLab at lesson 0 (LAB_ARGS="--no-browser --port 8890" is passed on)
#   make picture   set up, then paint a bundled photo from the command line
#   make test      set up, then run everything that CI runs
#   make test-gpu  on a machine with a GPU: its tests, and a table of times in gpu-results (GPU=mps for Apple's)
#   make benchmark measure the figures in the README
#   make notebooks rebuild the lessons from notebooks/text

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
.DEFAULT_GOAL := lab
LAB_ARGS ?=
PICTURE  ?= picture.png
GPU      ?= cuda
GPU_OUT  ?= gpu-results

.PHONY: venv lab picture test test-gpu lint notebooks benchmark clean

venv: $(BIN)/pip

lab: $(VENV)/.lab-ready
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/00_a_picture_on_day_one.ipynb \
		$(LAB_ARGS) notebooks/00_a_picture_on_day_one.ipynb

picture: $(VENV)/.lab-ready
	$(BIN)/nst-edu stylize chelsea swirl -o $(PICTURE)

test: $(VENV)/.test-ready lint
	$(BIN)/python -m pytest

lint: $(VENV)/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-gpu: $(VENV)/.test-ready
	$(BIN)/python -m pytest -m gpu
	$(BIN)/python -m benchmarks.engine --device $(GPU) --sizes 256 512 1024 2048 --out $(GPU_OUT)

notebooks: $(VENV)/.test-ready
	$(BIN)/python -m nst_edu.authoring.build
	$(BIN)/python -m nst_edu.authoring.start_page
	$(BIN)/python -m nst_edu.authoring.assignments

benchmark: $(VENV)/.test-ready
	$(BIN)/python -m benchmarks.first_picture

# pip does nothing when all is there already, so a second run costs seconds; a change of pyproject.toml runs it again.
$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.lab-ready: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --editable ".[lab]"
	touch $@

$(VENV)/.test-ready: pyproject.toml | $(BIN)/pip
	$(BIN)/python -m pip install --editable ".[lab,classroom,cluster,dev]"
	touch $(VENV)/.lab-ready $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist
