# Haikube on one machine: `make up` starts the whole platform, `make test` tests it.
.DEFAULT_GOAL := help
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/haikube
VENV := $(CACHE)/venv
LOCK := requirements-dev.lock
INSTALLED := $(VENV)/.installed-$(shell sha256sum $(LOCK) | cut -c1-16)
HAIKUBE := PYTHONPATH=operator $(VENV)/bin/python -m haikube.cli

.PHONY: help up down kubeconfig

help: ## show these targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(INSTALLED): $(LOCK)
	@tools/venv "$(VENV)" "$(LOCK)"
	@touch "$@"

up: $(INSTALLED) ## start the local cluster with the platform, or bring it up to date
	@$(HAIKUBE) local up

down: $(INSTALLED) ## remove the local cluster; caches stay
	@$(HAIKUBE) local down

kubeconfig: $(INSTALLED) ## print the path of the cluster's kubeconfig
	@$(HAIKUBE) local kubeconfig
