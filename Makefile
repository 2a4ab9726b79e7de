# Every target sets itself up: it needs a Python >= 3.11 with venv, and nothing of ours.
#   make demo      train a network, count its regions as it learns, draw two pictures into demo/
#   make test      lint and tests, as CI runs them
#   make help      all targets

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
# Set up again when the project's requirements change, and only then.
STAMP := $(VENV)/.set-up-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
BENCH_STAMP := $(subst .set-up-,.bench-,$(STAMP))
TUTORIALS_STAMP := $(subst .set-up-,.tutorials-,$(STAMP))
# Where Python may not keep what it compiles, each of some hundred processes compiles all modules anew, and each worker
# all tests.
export PYTHONDONTWRITEBYTECODE :=
PYTEST := $(RUN) pytest -n 2 --dist worksteal
# Options of `make fuzz`.
FUZZ :=

.PHONY: help setup demo test lint pytest fuzz test-all test-plain test-bounds test-long docs tutorials explorer bench bench-quick wheel clean

help: ## say what each target does
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | sort | expand -t 14

setup: $(STAMP) ## make .venv with the project and everything that its tests need

$(STAMP): pyproject.toml constraints.txt
	@sh tools/setup.sh $(VENV)
	@rm -f $(VENV)/.set-up-*
	@touch $@

demo: $(STAMP) ## train [32,32,32] on digits and count its regions 20 times on the way
	@echo "demo: training, counting and drawing into demo/ (a minute and a half at most)"
	@$(BIN)/creases demo --out demo

test: $(STAMP) ## lint, and beside it all tests but the long ones
	@# mypy keeps one core busy for half a minute, in which the other one would wait for it.
	@$(MAKE) --no-print-directory -j 2 lint pytest

lint: $(STAMP) ## ruff, mypy --strict, import contracts, generated docs current
	@echo "lint: ruff, mypy, import contracts, docs"
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/make_cli_docs.py --check
	@$(BIN)/python tools/make_papers_docs.py --check

pytest: $(STAMP)
	@echo "pytest: all tests but the long ones, two at a time"
	@$(PYTEST) -m "not long"

fuzz: $(STAMP) ## 200,000 adversarial cells against rational arithmetic; FUZZ="--seed 7" for others
	@PYTHONPATH=tests $(RUN) fuzz $(FUZZ)

test-all: lint test-plain test-bounds test-long ## the suite three ways: JIT off, bounds checked, long tables

test-plain: $(STAMP) ## the engine's own tests without the JIT, and the lines of it that they reach
	@echo "test-plain: kernels as plain Python, where coverage is true"
	@NUMBA_DISABLE_JIT=1 $(PYTEST) -W ignore::RuntimeWarning -m "not long and not jit" --cov=creases.engine --cov-report=term-missing:skip-covered tests

test-bounds: $(STAMP) ## all tests with every array index checked
	@echo "test-bounds: kernels that check every index, with a cache of their own"
	@NUMBA_BOUNDSCHECK=1 CREASES_CACHE_DIR="$(CURDIR)/build/kernels-boundscheck" $(PYTEST) -m "not long and not jit"

test-long: $(STAMP) ## all tests as they are, the long tables too
	@echo "test-long: everything, the long tables too"
	@CREASES_LONG=1 $(PYTEST)

$(BENCH_STAMP): $(STAMP)
	@sh tools/setup.sh $(VENV) bench
	@rm -f $(VENV)/.bench-*
	@touch $@

bench: $(BENCH_STAMP) ## ratios against other programs and the floor, written into benchmarks/README.md (some minutes)
	@$(RUN) benchmarks --write

bench-quick: $(BENCH_STAMP) ## the same in under a minute, printed only
	@$(RUN) benchmarks --quick

docs: $(STAMP) ## write docs/cli.md and docs/papers.md, make the pictures, and build the site into build/site
	@$(BIN)/python tools/make_cli_docs.py
	@$(BIN)/python tools/make_papers_docs.py
	@rm -rf build/gallery
	@$(BIN)/python docs/gallery.py --folder build/gallery
	@CREASES_GALLERY=build/gallery NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --quiet --clean
	@echo "docs: build/site/index.html"

$(TUTORIALS_STAMP): $(STAMP)
	@sh tools/setup.sh $(VENV) tutorials
	@rm -f $(VENV)/.tutorials-*
	@touch $@

tutorials: $(TUTORIALS_STAMP) ## execute the notebooks of docs/tutorials and write their outputs into them
	@$(BIN)/python tools/run_notebooks.py

explorer: ## bundle the explorer's page and widget into the package (needs Node 20 or later and npm)
	@cd explorer && npm ci --ignore-scripts --no-audit --no-fund && npm run check && npm run build

wheel: $(STAMP) ## build dist/creases-*.whl for this platform, with all kernels compiled
	@$(BIN)/python tools/make_wheel.py

clean: ## remove .venv, caches and results
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* htmlcov
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
