# `make help` lists what can be done. Nothing has to be installed by hand before `make book` or `make test`
# but git, make, Python 3.11-3.13 and a C compiler (tools/check_machine.py says what is missing).

# the first that runs: a version manager may answer to names that it cannot run
PYTHON  ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
             $$name -c '' 2>/dev/null && echo $$name && break; done)
PROFILE ?= demo
BIN     := .venv/bin
PIP     := $(BIN)/python -m pip --disable-pip-version-check
READY   := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help book look pdf test bench lint types format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock requirements-pyradiomics.lock pyproject.toml tools/check_machine.py
	@$(or $(PYTHON),python3) tools/check_machine.py
	$(PYTHON) -m venv --clear .venv
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@# pyradiomics needs numpy and setuptools at hand while it is built, and names that Python 3.12 dropped.
	PYTHONPATH=tools/pyradiomics_build $(PIP) install --quiet --require-hashes --no-deps --no-build-isolation \
	  --requirement requirements-pyradiomics.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python tools/compile_engine.py
	@touch $@

book: $(READY) ## execute the chapters and render the book (PROFILE=smoke|demo|paper)
	$(BIN)/lnm book --profile $(PROFILE)

look: $(READY) ## open every page of the rendered book in Chromium: faults, accessibility, links (_build/browser/report.md)
	@test -f _build/html/index.html || { echo "no book in _build/html yet: make book" >&2; exit 1; }
	$(BIN)/python -m tools.browser _build/html

pdf: $(READY) ## print the rendered book with Chromium into one PDF, _build/book.pdf
	$(BIN)/python -m tools.browser.pdf _build/html _build/book.pdf

test: $(READY) lint types ## lint, type-check and run all tests
	@# one thread a process: two processes with two threads each wait for each other most of the time
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

lint: $(READY) ## ruff on code and notebooks; no outputs in notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -z '*.ipynb' | xargs -0 --no-run-if-empty $(BIN)/nbstripout --verify

types: $(READY) ## mypy on the package
	$(BIN)/mypy

bench: $(READY) ## measure speed, always as a ratio to something in the same run (a quarter of an hour, leave it alone)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks --only training

format: $(READY) ## let ruff and nbstripout put the files in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files -z '*.ipynb' | xargs -0 --no-run-if-empty $(BIN)/nbstripout

lock: ## renew the exact versions (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --unsafe-package pyradiomics pyproject.toml --output-file requirements.lock
	grep -o 'pyradiomics==[0-9.]*' pyproject.toml | uv pip compile --quiet --universal --no-deps --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url - --output-file requirements-pyradiomics.lock

clean: ## remove the environment, the caches and what was built (runs/ and cohorts/ stay)
	rm -rf .venv _build .lnm_cache .pytest_cache .mypy_cache .ruff_cache
