# Two commands are all a newcomer needs: `make setup` once, `make run` from then on (it does the first by itself).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-train run test accuracy check lock clean

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
UV := $(VENV)/bin/uv
EXPORT := --quiet --no-emit-project --format requirements-txt

export UV_PYTHON_DOWNLOADS := never
# Where Python may not keep what it compiles, every command would compile 1,000 modules anew (3 s).
ifdef PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1
endif
# A user without a home directory has no place for uv's usual cache.
ifeq ($(wildcard $(HOME)/.),)
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/cache
export PIP_NO_CACHE_DIR := 1
endif

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(UV)  ## create .venv and install exactly what requirements.lock says
	@$(call is_synced,requirements.lock) || $(call is_synced,requirements-test.lock) || { $(call sync,requirements.lock); }

setup-test: $(UV)
	@$(call is_synced,requirements-test.lock) || { $(call sync,requirements-test.lock); }

setup-train:  ## .venv-train with PyTorch too, for faceweb train
	@$(MAKE) --no-print-directory setup-test VENV=.venv-train
	@.venv-train/bin/uv pip install --quiet --python .venv-train/bin/python -r requirements-train.txt

run: setup  ## start everything; ARGS="--host 0.0.0.0 --https" for other devices
	@exec $(VENV)/bin/faceweb up $(ARGS)

test: setup-test  ## run all tests; ARGS="-k name" for some of them
	$(if $(ARGS),$(VENV)/bin/pytest $(ARGS),$(VENV)/bin/python -m tests.side_by_side)

accuracy: setup-test  ## measure the default pack on all of LFW view 1 again, and what else takes minutes to see
	$(VENV)/bin/pytest -m accuracy tests/accuracy

check: setup-test  ## lint, types, import contracts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

lock: $(UV)  ## choose versions anew; uv.lock names registries and stays out of git, the exports hold pins and hashes
	$(UV) lock --upgrade
	$(UV) export $(EXPORT) --no-default-groups -o requirements-web.lock
	$(UV) export $(EXPORT) --no-default-groups --extra worker --extra report -o requirements.lock
	$(UV) export $(EXPORT) --all-groups --extra worker --extra report -o requirements-test.lock

clean:  ## remove .venv and caches; the data in var/ stays
	rm -rf $(VENV) .venv-train .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# What was installed last: a checksum of the lock and of pyproject.toml, which holds the entry points.
checksum = $$(cat $(1) pyproject.toml | sha256sum)
is_synced = [ "$$(cat $(VENV)/.synced-$(1) 2>/dev/null)" = "$(call checksum,$(1))" ]
define sync
	echo "Installing what $(1) lists into $(VENV) ..." >&2 \
	&& rm -f $(VENV)/.synced-* \
	&& $(UV) pip sync --quiet --require-hashes --python $(VENV)/bin/python $(1) \
	&& $(UV) pip install --quiet --no-deps --python $(VENV)/bin/python -e . \
	&& echo "$(call checksum,$(1))" > $(VENV)/.synced-$(1)
endef

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "faceweb needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Choose another one with: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
