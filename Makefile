# The commands of the project; each does its own set-up, says what it is doing, and is quick the second time.
# Not responsible for how things are compiled (CMakeLists.txt) nor for what the package needs (pyproject.toml).
#
# PYTHON  interpreter that .venv is made with          JOBS  parallel compilations and test processes
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
JOBS ?= $(shell nproc)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
STAMPS := $(VENV)/stamps
EMPTY := build/empty-environment
EXTRAS := torch,hf,plot,notebook,test,dev
TRANSFORMERS_OLD := 5.17.0
TRANSFORMERS_OLD_DIR := build/transformers-$(TRANSFORMERS_OLD)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
# What is tested is the installed package.
unexport PYTHONPATH

say = @printf '\n\033[1m== %s\033[0m\n' "$(1)"

.PHONY: help demo test test-core test-wheel test-python sanitize build install packages stubs lint format bench clean distclean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: install ## from nothing to a tour of the package on the embedded model; pictures and models land in build/demo
	$(call say,Tour on the embedded model)
	$(PY) -m haagenti.cli.demo tests/models/stories260K tests/models/tinystories_eval.txt build/demo

test: test-core test-wheel test-python ## all tests: the C++ core alone, the wheel by itself, the installed package

test-core: packages ## build the core without Python and CUDA and run its GoogleTest cases
	$(call say,Core: build and test)
	cmake --preset core
	cmake --build --preset core
	ctest --preset core --parallel $(JOBS)

test-python: install $(TRANSFORMERS_OLD_DIR)/.complete ## run the Python tests against the installed package
	$(call say,Python tests)
	@.ci/packages.sh --tools
	HAAGENTI_TRANSFORMERS_517=$(CURDIR)/$(TRANSFORMERS_OLD_DIR) HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 \
	  $(PY) -m pytest -n $(JOBS) $(PYTEST_ARGS)

test-wheel: $(EMPTY)/.complete ## install the wheel into an empty environment and use it

sanitize: packages ## core tests under the address and undefined-behaviour sanitizers
	$(call say,Core under the sanitizers)
	cmake --preset sanitize
	cmake --build --preset sanitize
	ctest --preset sanitize --parallel $(JOBS)

build: $(STAMPS)/requirements packages ## compile _core into python/haagenti, for PYTHONPATH=python
	$(call say,Python module in place)
	cmake --preset python-dev -DPython_EXECUTABLE=$(CURDIR)/$(PY)
	cmake --build --preset python-dev

install: $(STAMPS)/installed ## install the package into .venv

packages: ## system packages: installed when root, else the command is printed
	$(call say,System packages)
	@.ci/packages.sh $(PYTHON)

# --- virtual environment ---------------------------------------------------------------------------------------------------------------------------------

$(PY): | packages
	$(call say,Virtual environment in $(VENV))
	$(PYTHON) -m venv $(VENV)

# torch first and alone: constraints.txt says why.
$(STAMPS)/requirements: constraints.txt .ci/torch.sh | $(PY)
	$(call say,Python packages: torch and the build tools)
	.ci/torch.sh $(PY)
	$(PIP) install --quiet --constraint constraints.txt scikit-build-core 'pybind11>=3'
	@mkdir -p $(STAMPS) && touch $@

# A digest of every file the package is made of; its file changes only when one of them does, is added or removed.
$(STAMPS)/sources: FORCE | $(STAMPS)/requirements
	@find CMakeLists.txt pyproject.toml README.md cpp python -type f ! -name '*.so' ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(STAMPS)/installed: $(STAMPS)/sources $(STAMPS)/requirements
	$(call say,Package: build and install into $(VENV))
	@echo "compiling takes a minute or two the first time"
	$(PIP) install --quiet --constraint constraints.txt --no-build-isolation --config-settings build-dir=build/wheel '.[$(EXTRAS)]'
	@touch $@

# The oldest supported transformers, beside the one in .venv. It needs huggingface_hub 1.x, and that httpx.
$(TRANSFORMERS_OLD_DIR)/.complete: tests/transformers-$(TRANSFORMERS_OLD).txt | $(STAMPS)/installed
	$(call say,transformers $(TRANSFORMERS_OLD) in $(TRANSFORMERS_OLD_DIR))
	rm -rf $(TRANSFORMERS_OLD_DIR)
	$(PIP) install --quiet --no-deps --target $(TRANSFORMERS_OLD_DIR) --requirement $<
	@touch $@

# The wheel with what it requires and no extra: the command line converts, shows and verifies the embedded model.
$(EMPTY)/.complete: $(STAMPS)/sources $(STAMPS)/installed
	$(call say,Wheel in an empty environment)
	rm -rf $(EMPTY) dist
	$(PIP) wheel --quiet --no-deps --no-build-isolation --config-settings build-dir=build/wheel --wheel-dir dist .
	$(PYTHON) -m venv $(EMPTY)
	$(EMPTY)/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt dist/*.whl
	$(EMPTY)/bin/haagenti convert tests/models/stories260K $(EMPTY)/model --preset int4
	$(EMPTY)/bin/haagenti inspect $(EMPTY)/model
	$(EMPTY)/bin/haagenti verify $(EMPTY)/model --against tests/models/stories260K
	$(EMPTY)/bin/haagenti compress --keep --stdout README.md | $(EMPTY)/bin/haagenti decompress | cmp - README.md
	$(EMPTY)/bin/haagenti doctor
	@touch $@

# --- for developers ---------------------------------------------------------------------------------------------------------------------------------------

stubs: install ## write python/haagenti/_core.pyi from the compiled module
	$(call say,Stub of _core)
	$(PY) python/bindings/generate_stub.py

lint: install ## ruff, mypy, and the stub of _core against the module
	$(call say,Lint)
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(PY) -m mypy.stubtest haagenti._core --allowlist tests/stubtest_allowlist.txt --ignore-unused-allowlist

format: $(STAMPS)/installed ## sort imports and apply ruff's safe fixes
	$(VENV)/bin/ruff check --fix

bench: install ## every benchmark: a table on the terminal, a CSV file in benchmarks/results
	$(call say,Benchmarks)
	for question in $$(grep -l '^if __name__' benchmarks/*.py); do $(PY) "$$question"; done

clean: ## remove everything built, keep .venv
	rm -rf build dist python/haagenti/*.so $(STAMPS)/installed $(STAMPS)/sources

distclean: clean ## remove .venv too
	rm -rf $(VENV)
