# Haikube on one machine: `make up` starts the whole platform, `make test` tests it.
.DEFAULT_GOAL := help
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/haikube
VENV := $(CACHE)/venv
LOCK := requirements-dev.lock
INSTALLED := $(VENV)/.installed-$(shell sha256sum $(LOCK) | cut -c1-16)
HAIKUBE := PYTHONPATH=operator $(VENV)/bin/python -m haikube.cli

.PHONY: help programs up down kubeconfig lint test test-unit test-cluster test-faults test-hostile test-histories test-kept test-languages test-heroku test-issuer test-buildpacks bench bench-scale bench-restart

help: ## show these targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(INSTALLED): $(LOCK)
	@.ci/venv "$(VENV)" "$(LOCK)"
	@touch "$@"

up: $(INSTALLED) ## start the local cluster with the platform, or bring it up to date
	@$(HAIKUBE) local up
	@$(HAIKUBE) sample

down: $(INSTALLED) ## remove the local cluster; caches stay
	@$(HAIKUBE) local down

kubeconfig: $(INSTALLED) ## print the path of the cluster's kubeconfig
	@$(HAIKUBE) local kubeconfig

export PYTHONPATH := $(CURDIR)/operator
PYTEST := $(VENV)/bin/pytest --quiet --durations=10

test: lint test-unit up test-cluster ## everything that a change must pass, on this machine

lint: $(INSTALLED) ## style, types, layers, shell scripts
	@$(VENV)/bin/ruff check --quiet . && $(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache
	@.ci/shellcheck

programs:
	@.ci/programs

UNIT := $(PYTEST) -m 'not cluster and not hostile and not languages and not stack and not heroku and not issuer and not faults' -n 3 --timeout 300
DECIDING := tests/model tests/plan tests/engine tests/operator

test-unit: $(INSTALLED) programs ## all that needs neither a cluster nor an image; coverage where the decisions are tested
	@$(UNIT) $(DECIDING) --cov --cov-fail-under=95 --cov-report=term:skip-covered
	@$(UNIT) $(DECIDING:%=--ignore=%)

test-cluster: $(INSTALLED) ## contract, CRDs and end to end on the local cluster; what changes the platform runs alone
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m 'cluster and not alone' -n 2 --dist loadfile
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m 'cluster and alone'

test-faults: $(INSTALLED) ## the operator killed at, before and after every write, refused, cut off and misled: the end is the same
	@$(PYTEST) -m faults -n 2

test-hostile: up ## builds and pushes that fill the disk or the storage, fork or unpack without end, or look around
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m hostile

test-histories: $(INSTALLED) programs ## 200 random histories from two clones onto two replicas with a failing storage; HAIKUBE_GIT_CLIENT=/path/of/another/git
	@HAIKUBE_HISTORIES="$${HAIKUBE_HISTORIES:-200}" HAIKUBE_BIG_FILE="$${HAIKUBE_BIG_FILE:-150000000}" $(PYTEST) -o tmp_path_retention_policy=failed tests/git/test_histories.py -n 2

test-languages: up ## eight languages on the local cluster: push, 200, cached push, stop, delete
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m 'languages and not kept'

test-kept: up ## an app of each language at 100 requests/s through ten deploys, a restart and a drain: nothing dropped
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m kept

test-heroku: up ## the stock Heroku CLI and client libraries against the local cluster
	@.ci/heroku-clients "$(CACHE)/heroku"
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m heroku -n 2 --ignore tests/heroku/test_broken.py
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m heroku tests/heroku/test_broken.py

test-issuer: up ## automatic certificates with a real cert-manager, which is built first
	@.ci/heroku-clients "$(CACHE)/heroku"
	@.ci/issuer "$(CACHE)/issuer"
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" $(PYTEST) -m issuer

test-buildpacks: $(INSTALLED) programs ## every buildpack in the stack's images, no cluster: more apps, and what may go wrong
	@$(PYTEST) -m stack -n 2 --dist loadfile

bench: $(INSTALLED) ## ratios against references; the table is kept in docs/benchmarks.md
	@PYTHONPATH=operator:tests $(VENV)/bin/python -m bench

bench-scale: $(INSTALLED) ## the operator at 1,000 Apps beside a bare client; OPTIONS="--alone" (no cluster), "--apps 200 --dynos 1"
	@KUBECONFIG="$$($(HAIKUBE) local kubeconfig)" PYTHONPATH=operator:tests $(VENV)/bin/python -m bench.scale $(OPTIONS)

bench-restart: $(INSTALLED) ## restarts with 50,000 releases beside the bare LIST, no cluster; OPTIONS="--apps 5000 --releases 3 --builds 1 --idle 900"
	@PYTHONPATH=operator:tests $(VENV)/bin/python -m bench.restart $(OPTIONS)
