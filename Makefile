# The project's tasks; `make` lists them.

VENV := .venv
CAN_RUN := $(VENV)/.can-run
STAMP := $(VENV)/.set-up
SOURCES := kylink_cli tests

# One lock for every Python from 3.11.0 on, and for wheels alone: nothing is ever compiled. It names no index.
LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --only-binary :all: --emit-build-options $(UPGRADE) pyproject.toml

# Another interpreter: make setup PYTHON=/path/to/python
export PYTHON WITH

.DEFAULT_GOAL := help
.PHONY: help setup demo install uninstall deb packages quick test test-all install-test faults fuzz lock audit bench bench-smoke check translations man docs screenshots format clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv with kylink and all that its development needs
	@echo "ready: $(VENV)/bin/kylink"

demo: $(CAN_RUN) ## Show kylink at work, on this machine alone
	@$(VENV)/bin/kylink demo

install: ## Install kylink on this host, or upgrade it (as root); PYTHON=, WITH='a package of a supplier'
	@packaging/install.sh

uninstall: ## Remove what 'make install' has installed, and the timers (as root); data and settings stay
	@packaging/uninstall.sh

deb: ## Build a Debian package for this release of Debian, in dist/
	@packaging/deb.sh

packages: ## Install the Debian packages that some tests need (as root)
	@missing=$$(sed '/^#/d;/^$$/d' tests/packages.txt | while read -r name; do \
		[ "$$(dpkg-query --show --showformat='$${Status}' "$$name" 2>/dev/null)" = "install ok installed" ] || echo "$$name"; \
	done); \
	if [ -n "$$missing" ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$missing; fi

quick: check ## Check, and run the unit tests with few examples: what to do before every commit, in half a minute
	@$(VENV)/bin/pytest --quiet --numprocesses auto --hypothesis-profile quick -m "not slow and not long" tests/unit

test: $(STAMP) ## Run the quick tests, in at most ten minutes on two cores
	@echo "the quick tests take up to ten minutes on two cores; 'make test-all' adds systemd, cron, browsers and long races"
	@$(VENV)/bin/pytest --numprocesses auto -m "not slow and not long"

test-all: $(STAMP) ## Run every test, in a quarter of an hour on two cores
	@echo "all tests take about a quarter of an hour on two cores; 'make test' leaves out the slow ones"
	@$(VENV)/bin/pytest --numprocesses auto

install-test: $(STAMP) ## Install kylink on a pristine Debian 12 and 13, as the documents say (as root); ten minutes
	@$(VENV)/bin/pytest --numprocesses 2 --dist loadscope -m long tests/installation

faults: $(STAMP) ## Break things for half an hour: crashes, disks, clocks, hostile input
	@$(VENV)/bin/pytest --numprocesses auto -m "long or not long" tests/faults

fuzz: $(STAMP) ## Fuzz the parsers, guided by coverage, for some minutes
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check atheris
	@for target in answer campaigns values retry_after; do \
		$(VENV)/bin/python -m tests.faults.fuzz_parsers $$target -max_total_time=120 || exit 1; \
	done

lock: ## Pin anew what pyproject.toml names; UPGRADE=--upgrade takes the newest of all
	@python3 -m venv build/lock
	@build/lock/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@$(LOCK) --extra postgres --extra redis --extra serve --group build --output-file requirements.txt
	@$(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	@rm -rf build/lock

audit: $(STAMP) ## Look up known vulnerabilities of the pinned dependencies; fails if none could be looked up
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@$(VENV)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.txt --requirement requirements-dev.txt

bench: $(STAMP) ## Measure how fast kylink is, and write it into docs/performance.md; ten minutes, on a quiet machine
	@$(VENV)/bin/python -m tests.benchmarks

bench-smoke: $(STAMP) ## The same with a hundredth of the work: that the benchmarks run, not how fast
	@$(VENV)/bin/python -m tests.benchmarks --smoke

check: $(STAMP) ## Check formatting, lint and types
	@$(VENV)/bin/ruff format --check $(SOURCES)
	@$(VENV)/bin/ruff check $(SOURCES)
	@$(VENV)/bin/mypy --strict $(SOURCES)

translations: $(STAMP) ## Bring the translations up to date with the code, and compile them
	@$(VENV)/bin/python -m tests.support.catalogs

man: $(STAMP) ## Write the man page and the reference from the code
	@KYLINK_LANG=en $(VENV)/bin/python -m tests.support.man_page
	@KYLINK_LANG=en $(VENV)/bin/python -m tests.support.reference

docs: $(STAMP) ## Make a site of the documents, in build/site/; a link that leads nowhere is an error
	@rm -rf build/documents build/site && mkdir -p build/documents
	@cp -R README.md README.zh-CN.md CONTRIBUTING.md SECURITY.md CHANGELOG.md LICENSE .env.example docs build/documents/
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --config-file docs/mkdocs.yml
	@echo "made: build/site/index.html"

screenshots: $(STAMP) ## Take the pictures of the README anew, and its recording
	@$(VENV)/bin/python -m tests.support.screenshots
	@$(VENV)/bin/python -m tests.support.recording

format: $(STAMP) ## Format the code, and mend what lint can mend
	@$(VENV)/bin/ruff format $(SOURCES)
	@$(VENV)/bin/ruff check --fix $(SOURCES)

clean: ## Remove .venv and every cache
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(CAN_RUN): requirements.txt pyproject.toml
	@EXPECTED="half a minute" WAY_OUT="make demo" packaging/environment.sh $(VENV) requirements.txt
	@touch $@

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@packaging/environment.sh $(VENV) requirements.txt requirements-dev.txt
	@touch $(CAN_RUN) $@
