# The habits of this project. `make` lists them. Needs Python 3.11+ with pip; everything else goes into .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up test heavy test-pythons programs chaos canary steady e2e pictures deploy-test check clients fmt docs captures coverage fuzz abuse docs-site jobs wheel-test bench-pickup bench-startup bench-accuracy bench-cost bench-rates bench-memory bench-long-run bench-webhooks bench-scaling bench-growth bench-aa bench-load bench-exports bench-web bench-keys bench-writers rules release release-test lock clean .test-runs .test-engine .test-api .test-stored .test-rest .heavy-worker .heavy-shared .heavy-rest .chaos-writes-sqlite .chaos-writes-postgresql .chaos-work-sqlite .chaos-work-postgresql .chaos-servers-sqlite .chaos-servers-postgresql

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# uv installs the locked packages in seconds; where it cannot (an index that only pip knows), pip does. Compiled once,
# so that no process of the stack does it again at its start (5 s where Python is told to write no bytecode).
INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1) 2>$(VENV)/uv.log \
	|| $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(1)

help: ## list what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.build: requirements/build.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv and pip is needed (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@touch $@

# The project itself, as an editable install without its dependencies: those come from the lock files. Compiled as well.
PROJECT = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable . \
	&& $(BIN)/python -m compileall -q api worker shared simulator cli migrations

$(VENV)/.runtime: $(VENV)/.build requirements/runtime.txt pyproject.toml
	@echo "installing the locked packages"
	@$(call INSTALL,requirements/runtime.txt)
	@$(PROJECT)
	@touch $@

$(VENV)/.dev: $(VENV)/.build requirements/dev.txt pyproject.toml
	@echo "installing the locked packages and the tools"
	@$(call INSTALL,requirements/dev.txt)
	@$(PROJECT)
	@touch $@ $(VENV)/.runtime

setup: $(VENV)/.runtime ## install what the programs need into .venv

setup-dev: $(VENV)/.dev ## install the tools of test and check too

demo: $(VENV)/.runtime ## run a first benchmark against the simulator; KEEP=1 stays up
	@$(BIN)/llmbench demo $(if $(KEEP),--keep)

up: $(VENV)/.runtime ## start the embedded stack in this folder
	@$(BIN)/llmbench up

test: $(VENV)/.dev ## run the suite on SQLite and PostgreSQL with a real Redis; ARGS="tests/api -x" a part of it
	@$(if $(COVERAGE),$(BIN)/coverage erase)
ifdef ARGS
	@$(PYTEST) $(ARGS)
else
	@echo "five parts at once, each with servers of its own; each is shown when it ends"
	@$(MAKE) --no-print-directory --keep-going --jobs=5 --output-sync=target $(PARTS)
endif
	@$(if $(COVERAGE),$(BIN)/coverage combine -q && $(BIN)/coverage report $(if $(ARGS),--fail-under=0))

# Measured on two cores: counting lines and branches takes half as much processor time again. Where Python is told to
# write no bytecode, each of the seven processes would compile all tests again, and each program that a test starts what
# has changed since `make setup-dev`.
PYTEST = PYTHONDONTWRITEBYTECODE= $(if $(COVERAGE),$(BIN)/coverage run -m pytest,$(BIN)/pytest)

# Much of the suite waits for streams and processes: five parts at once keep two cores busy. `--durations=0` says what
# a folder takes.
PARTS = .test-runs .test-engine .test-api .test-stored .test-rest
PART = $(PYTEST) -q -m "not heavy"
WORKER = tests/worker
RUNS = $(WORKER)/run
ENGINE = $(RUNS)/budgets $(WORKER)/engine
PAGES = tests/api/access tests/api/live tests/api/pages
STORED = tests/shared/db
.test-runs:
	@$(PART) $(RUNS) --ignore=$(RUNS)/budgets

.test-engine:
	@$(PART) $(ENGINE)

.test-api:
	@$(PART) tests/api tests/cli $(addprefix --ignore=,$(PAGES))

.test-stored:
	@$(PART) $(STORED) $(PAGES)

.test-rest:
	@$(PART) tests $(addprefix --ignore=,$(RUNS) $(ENGINE) tests/api tests/cli $(STORED))

heavy: $(VENV)/.dev ## run the tests that `make test` leaves out: volumes, many draws, pages on PostgreSQL; ARGS="tests/api" a part of them
ifdef ARGS
	@$(PYTEST) -m heavy $(ARGS)
else
	@echo "three parts at once; each is shown when it ends"
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target .heavy-worker .heavy-shared .heavy-rest
endif

.heavy-worker:
	@$(PYTEST) -q -m heavy $(WORKER)

.heavy-shared:
	@$(PYTEST) -q -m heavy tests/shared

.heavy-rest:
	@$(PYTEST) -q -m heavy tests --ignore=$(WORKER) --ignore=tests/shared

test-pythons: $(VENV)/.dev ## run the part of the suite without workers on each other Python that pyproject.toml names
	@.ci/pythons

programs: $(VENV)/.dev ## start `llmbench` and whole deployments as users do; ARGS="-k cli_up"
	@$(BIN)/pytest -q tests/programs $(ARGS)

chaos: $(VENV)/.dev ## break real deployments in every way that is promised to be survived; ARGS="-k redis"
ifdef ARGS
	@$(BIN)/pytest -q tests/chaos $(ARGS)
else
	@echo "three parts for each database, four at a time; each is shown when it ends"
	@$(MAKE) --no-print-directory --keep-going --jobs=4 --output-sync=target $(CHAOS)
endif

# The deployments mostly wait for leases that end.
CHAOS = $(foreach part,writes work servers,.chaos-$(part)-sqlite .chaos-$(part)-postgresql)
WRITES = tests/chaos/test_cancelled.py
WORK = $(addprefix tests/chaos/,test_processes.py test_budgets.py test_loads.py test_webhook_deliveries.py)
ONE_PART = $(BIN)/pytest -q $(1) -k $(if $(findstring sqlite,$@),"not postgresql",postgresql)
.chaos-writes-sqlite .chaos-writes-postgresql:
	@$(call ONE_PART,$(WRITES))

.chaos-work-sqlite .chaos-work-postgresql:
	@$(call ONE_PART,$(WORK))

.chaos-servers-sqlite .chaos-servers-postgresql:
	@$(call ONE_PART,tests/chaos $(addprefix --ignore=,$(WRITES) $(WORK)))

fuzz: $(VENV)/.dev ## try made-up requests, steps of leases and N=100000 damaged answers; SEED=… repeats a run, ONLY=… one answer
	@$(if $(ONLY),,$(BIN)/pytest -q $(MADE_UP))
	@$(BIN)/python -m tests.fuzz --answers $(or $(N),100000) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

MADE_UP = tests/api/openapi/test_schema_fuzz.py tests/shared/db/runs/test_lease_machine.py tests/fuzz/test_fuzz.py tests/fuzz/test_growth.py

abuse: $(VENV)/.dev ## send a real API what could hurt it, then made-up requests for MINUTES=10; ARGS="--quick"
	@$(BIN)/python -m benchmarks.abuse --minutes $(or $(MINUTES),10) $(ARGS)

canary: $(VENV)/.dev ## plant secrets in a whole deployment, and look for them in all that it leaves behind
	@$(BIN)/pytest -q tests/programs/canary $(ARGS)

steady: $(VENV)/.dev ## run test, heavy, programs and chaos N=20 times with one core kept busy; WHAT=test one of them, ARGS a part, ANEW=1 forgets earlier runs
	@$(BIN)/python -m benchmarks.steady --runs $(or $(N),20) --what $(or $(WHAT),all) --args="$(ARGS)" $(if $(ANEW),--anew)

# The driver of the browser, and axe-core. Both are left out where they cannot be had; the tests say so.
$(VENV)/.e2e: $(VENV)/.dev requirements/e2e.txt tests/browser/axe/package-lock.json
	@$(call INSTALL,requirements/e2e.txt)
	@mkdir -p $(VENV)/axe && cp tests/browser/axe/package*.json $(VENV)/axe/
	@npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(VENV)/axe || true
	@touch $@

e2e: $(VENV)/.dev ## walk every page in this machine's Chromium (CHROMIUM names another); ARGS="-k compare"
	@$(MAKE) --no-print-directory $(VENV)/.e2e >/dev/null 2>&1 || true
	@$(BIN)/pytest -q tests/browser $(ARGS)

pictures: $(VENV)/.dev ## take the pictures of docs/img from measured runs; ARGS="--only run"
	@$(MAKE) --no-print-directory $(VENV)/.e2e >/dev/null 2>&1 || true
	@$(BIN)/python -m tests.browser.pictures $(ARGS)

deploy-test: $(VENV)/.dev ## build the images, run the compose stack, break and roll it (needs a Docker engine)
	@docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 \
		|| { printf '\033[1;31mNOT RUN: deploy-test: it needs a Docker engine with Compose v2, and none answers\033[0m\n' >&2; exit 1; }
	@$(BIN)/pytest -q -s -p no:cacheprovider tests/deploy/test_compose.py tests/deploy/test_compose_secrets.py $(ARGS)

coverage: ## as test, and show what it does not reach; fails below the floor
	@$(MAKE) --no-print-directory test COVERAGE=1

check: $(VENV)/.dev ## format, lint, types, import rules, manifests, licences, alert rules, vulnerabilities, clients
	@# Where it cannot be had, checks.site says so.
	@$(MAKE) --no-print-directory $(VENV)/.docs >/dev/null 2>&1 || true
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/deploy tests/checks
	@$(BIN)/python -m checks.licences
	@$(BIN)/python -m checks.manifests
	@$(BIN)/python -m checks.monitoring
	@$(BIN)/python -m checks.site
	@$(MAKE) --no-print-directory clients
	@$(BIN)/python -m checks.audit $(if $(STRICT),--strict)

clients: $(VENV)/.dev ## generate a Python and a TypeScript client, and use a running API through both
	@$(BIN)/python -m checks.clients

fmt: $(VENV)/.dev ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(VENV)/.dev ## write the tables of docs/metrics.md and docs/exports.md from the registries
	@$(BIN)/python -m shared.benchmark.documentation <docs/metrics.md >docs/.metrics.md && mv docs/.metrics.md docs/metrics.md
	@$(BIN)/python -m shared.exports.documentation <docs/exports.md >docs/.exports.md && mv docs/.exports.md docs/exports.md

# The generator of the site. `make check` says so where it cannot be had.
$(VENV)/.docs: $(VENV)/.dev requirements/docs.txt
	@$(call INSTALL,requirements/docs.txt)
	@touch $@

docs-site: $(VENV)/.docs ## build the documentation as a site into dist/site; SERVE=1 shows it and follows changes
	@$(if $(SERVE),NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --strict,$(BIN)/python -m checks.site --into dist/site)

jobs: $(VENV)/.dev ## play each job of docs/jobs in a fresh HOME and an empty folder, and write docs/jobs/transcript.md
	@.ci/jobs $(ARGS)

captures: $(VENV)/.dev ## play the commands in a terminal at 80 and 60 columns into docs/captures (needs tmux)
	@$(BIN)/python -m checks.captures

rules: $(VENV)/.dev ## write the PrometheusRule of Kubernetes from deploy/monitoring/alerts.yaml
	@$(BIN)/python -m checks.rules

# The tool of the SBOM. Nothing else needs it.
$(VENV)/.release: $(VENV)/.dev requirements/release.txt
	@$(call INSTALL,requirements/release.txt)
	@touch $@

release: $(VENV)/.release ## build wheel, images, SBOMs and checksums of the last commit into dist/; IMAGES=no, REPOSITORY=…
	@deploy/release

release-test: $(VENV)/.release ## build a release twice and compare the bytes; IMAGES=no leaves the images out
	@.ci/release-test

wheel-test: $(VENV)/.dev ## build the wheel and use it in a clean environment
	@PYTHON="$(PYTHON)" .ci/wheel-test

bench-pickup: $(VENV)/.dev ## measure POST to first byte at the provider
	@$(BIN)/python -m benchmarks.pickup

bench-startup: $(VENV)/.dev ## measure the start of llmbench up, a worker and the short commands
	@$(BIN)/python -m benchmarks.startup $(ARGS)

bench-accuracy: $(VENV)/.dev ## what the API returns against an endpoint that logs the truth; ARGS="--concurrency 256"
	@$(BIN)/python -m benchmarks.accuracy $(ARGS)

bench-cost: $(VENV)/.dev ## events/s, CPU by process and the delay of sends; ARGS="--streams 128"
	@$(BIN)/python -m benchmarks.cost $(ARGS)

bench-rates: $(VENV)/.dev ## requested, due and achieved rates and lateness of open loops; ARGS="--rates 500"
	@$(BIN)/python -m benchmarks.rates $(ARGS)

bench-memory: $(VENV)/.dev ## resident memory of worker and measuring process along a million events
	@$(BIN)/python -m benchmarks.memory $(ARGS)

bench-long-run: $(VENV)/.dev ## memory, loop and numbers of a worker over 200,000 short requests
	@$(BIN)/python -m benchmarks.long_run $(ARGS)

bench-webhooks: $(VENV)/.dev ## from the end of a benchmark to its receiver, beside one that hangs
	@$(BIN)/python -m benchmarks.webhooks $(ARGS)

bench-scaling: $(VENV)/.dev ## the same backlog on 1, 2 and 4 workers; 200 benchmarks at once
	@$(BIN)/python -m benchmarks.scaling $(ARGS)

bench-load: $(VENV)/.dev ## stalls, steady window, capacity, seeds and caches of load tests against what is true; ARGS="--only stall"
	@$(BIN)/python -m benchmarks.load_proof $(ARGS)

bench-aa: $(VENV)/.dev ## how often two halves of one run are called different, and whether a true difference is found
	@$(BIN)/python -m benchmarks.aa $(ARGS)

bench-growth: $(VENV)/.dev ## endpoints, claims and deliveries at 1,000 to 100,000 benchmarks; ARGS="--cpu"
	@$(BIN)/python -m benchmarks.growth $(ARGS)

bench-exports: $(VENV)/.dev ## rows/s and memory of an export of a million results; ARGS="--results 100000"
	@$(BIN)/python -m benchmarks.exports $(ARGS)
bench-web: $(VENV)/.dev ## pages, comparisons and exports over a large database; ARGS="--postgresql"
	@$(MAKE) --no-print-directory $(VENV)/.e2e >/dev/null 2>&1 || true
	@$(BIN)/python -m benchmarks.web $(ARGS)

bench-keys: $(VENV)/.dev ## whether the time of a 401 tells a wrong id of a key from a wrong secret; ARGS="--count 5000"
	@$(BIN)/python -m benchmarks.key_timing $(ARGS)

bench-writers: $(VENV)/.dev ## how long processes that write to one SQLite file wait for each other; ARGS="--pause 0"
	@$(BIN)/python -m benchmarks.writers $(ARGS)

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
	--custom-compile-command "make lock"

lock: $(if $(wildcard requirements/build.txt),$(VENV)/.build) ## write the lock files from pyproject.toml; UPGRADE=1 takes newer versions
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements/runtime.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra parquet -c requirements/runtime.txt -o requirements/parquet.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group build -c requirements/dev.txt -o requirements/build.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group clients -o requirements/clients.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group release -c requirements/dev.txt -o requirements/release.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group docs -c requirements/dev.txt -o requirements/docs.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group e2e -c requirements/dev.txt -o requirements/e2e.txt

clean: ## remove .venv, caches and builds
	@rm -rf $(VENV) .venv-* dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
