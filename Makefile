# The whole interface of this repository. Every target installs what the machine lacks (scripts/setup), starts a Docker
# Engine if none runs (scripts/with-docker), and stops what it started. ARGS goes to pytest or the benchmark:
#   make test ARGS="-n 0 -x -k rolling"
SHELL := /bin/bash
BIN := .venv/bin
ARGS ?=
PYTEST := $(BIN)/python -m pytest -q
# Docker tests share one Engine and one host network: two processes run them (tests/conftest.py sees to it), while the
# others run all else, much of which waits for Terraform, whose provider sleeps for a minute after it has made a
# load balancer.
PARALLEL := -n 4 --durations 25
TYPED := $(wildcard src tests bench sim examples scripts/*.py)

.DEFAULT_GOAL := help
.PHONY: help setup fetch demo test test-quick check format soak soak-docker bench lock coverage-page clean

help: ## what there is to run
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

setup: ## install what is missing: Debian packages, .venv
	@scripts/setup

# What tests read from the package index, fetched once and before them: a private Engine's network may have no internet.
fetch: setup
	@$(BIN)/python -c "from tests.support.protocol_cases import archive; archive()"
	@scripts/fetch-ansible

demo: setup ## see it work: services of real containers, replaced, rolled over, cleaned up
	@scripts/with-docker $(BIN)/python examples/demo/demo.py $(ARGS)

test: fetch ## all tests, with real containers; fails if the Docker tests cannot run
	@LONGSHORE_REQUIRE_DOCKER=1 scripts/with-docker $(PYTEST) $(PARALLEL) $(ARGS)

test-quick: fetch ## the tests that need no Docker Engine
	@$(PYTEST) -m "not docker" -n 2 $(ARGS)

check: setup ## style, types, import rules
	@echo "check: ruff" && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "check: mypy" && $(BIN)/mypy $(TYPED)
	@echo "check: imports" && $(BIN)/lint-imports

format: setup ## let ruff rewrite what it can
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

soak: setup ## any number of simulated worlds: make soak ARGS="--seeds 10000 --first 1000"
	@$(BIN)/python -m sim $(ARGS)

soak-docker: setup ## kills on real containers (root): make soak-docker ARGS="--kills 50 --engine-kills 10 --seed 1"
	@$(BIN)/python -m tests.support.soak $(ARGS)

bench: setup ## benchmarks, each with its baseline measured in the same run
	@scripts/with-docker $(BIN)/python -m bench $(ARGS)

lock: ## write constraints.txt anew with the newest versions
	@scripts/lock

coverage-page: setup ## write docs/coverage.md anew
	@$(BIN)/python -m longshore.api.coverage > docs/coverage.md.new && mv docs/coverage.md.new docs/coverage.md

clean: ## remove all that is not in git: .venv, caches, the private Engine's images
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
