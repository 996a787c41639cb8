# Two commands: `make demo` runs the main job, `make test` runs all tests.
# Each first builds .venv from pinned, hashed requirement files; a stamp file makes the second run quick.

PYTHON ?= python3
UV ?= uv
KIND ?= retail

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate pyproject.toml --extra build
DEVELOPER := --extra dev --extra explain --extra notebook --extra postgres --extra spark --extra bench --extra profit --extra tune

# LightGBM needs the system's OpenMP library. Where it is missing, the copy that scikit-learn brings stands in.
OPENMP := $(CURDIR)/$(VENV)/openmp
export LD_LIBRARY_PATH := $(OPENMP)$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-fast lint bench notebooks requirements clean
.DELETE_ON_ERROR:

demo: $(VENV)/run.stamp
	$(BIN)/holdfast demo --kind $(KIND)

test: $(VENV)/dev.stamp
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-fail-under=94 --durations=25 -rs $(ARGS)

# What a change is tried with: no Spark, no server, no browser, nothing from end to end.
test-fast: $(VENV)/dev.stamp
	$(PYTEST) -m "not (slow or spark or postgres or browser)" tests/architecture tests/unit tests/property $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	@for script in $(filter-out __init__,$(basename $(notdir $(sort $(wildcard benchmarks/*.py))))); do \
		echo "== benchmarks.$$script"; $(BIN)/python -m benchmarks.$$script || exit 1; \
	done

notebooks: $(VENV)/dev.stamp
	@for notebook in $(sort $(wildcard notebooks/*.ipynb)); do \
		echo "== $$notebook"; $(BIN)/jupyter execute --inplace $$notebook || exit 1; \
	done

requirements: pyproject.toml
	$(COMPILE) $(UPGRADE) --output-file requirements/run.txt
	$(COMPILE) $(UPGRADE) $(DEVELOPER) --constraint requirements/run.txt --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# requirements/dev.txt contains requirements/run.txt, so a development environment serves the demo as well.
$(VENV)/run.stamp: requirements/run.txt pyproject.toml $(VENV)/made.stamp
	$(call install,requirements/run.txt)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml $(VENV)/made.stamp
	$(call install,requirements/dev.txt)
	@touch $(VENV)/run.stamp $@

$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "holdfast needs Python 3.11 or later, found " \
		+ sys.version.split()[0] + ". Name another one: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The files list everything, so nothing is left to resolve; resolving would trip over releases newer than the pins.
define install
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement $(1)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -rf $(OPENMP) && mkdir -p $(OPENMP)
	@env -u LD_LIBRARY_PATH $(BIN)/python -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null \
		|| ln -s $$(ls -d $(CURDIR)/$(VENV)/lib/python3*/site-packages/scikit_learn.libs/libgomp*.so* | head -n 1) $(OPENMP)/libgomp.so.1
endef
