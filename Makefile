# The README's two commands are `make run` and `make test`. Each creates .venv with its packages, if necessary.

SHELL := /bin/sh
VENV ?= .venv
SCAN_VENV ?= .venv-scan
BIN := $(VENV)/bin
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet --require-hashes
PIP := $(BIN)/python $(PIP_INSTALL)
# Where STACK comes from. It has no default: a typo (STCK=x) would act on another stack.
STACK_SOURCE := $(origin STACK)

# What an operator types goes to the commands in environment variables, exactly as typed: make does not expand it (a
# simple variable is expanded once, and $(value) gives its text), and no shell parses it.
OPERATORS_VALUES := ARGS STACK PAID REQUEST TASK LIST NOT_CREATED SINCE UNTIL REASON YES OFF ON LIMIT OLDER DRY_RUN BY DAY
$(foreach name,$(OPERATORS_VALUES),$(eval override $(name) := $$(value $(name))))
export $(OPERATORS_VALUES)

RUNTIME_PINS := layers/dependencies/requirements.txt
OPERATOR_PINS := layers/song_intake/operators.txt
LOCAL_PINS := tests/local/requirements.txt
TEST_PINS := tests/requirements.txt
SCAN_PINS := tests/scan/requirements.txt
FUZZ_PINS := tests/fuzz/requirements.txt
MUTANT_PINS := tests/mutants/requirements.txt

# What `make coverage` runs, and the least that it accepts, in percent of lines and branches: in all, and by room.
COVERING := $(wildcard tests/unit tests/integration tests/properties tests/wire)
FLOOR := 99
ROOM_FLOORS := contract=100 ledger=100 music_api=100 recordings=100 work=100

# One of each partition, and some others. cfn-lint tries every combination of regions and conditions, so all regions
# would take minutes.
SCAN_REGIONS := us-east-1 us-gov-west-1 cn-north-1 eu-central-1 ap-northeast-1 af-south-1

.DEFAULT_GOAL := help
.PHONY: help run test tests lint pytest slow coverage scan campaign soak load mutants fuzz outage bench bench-quick cost pictures model build ops doctor redrive resolve cancel intake usage pins clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.local  ## Run the whole stack on this machine: send the samples and about 50 more requests, and show each result
	@$(BIN)/python -m tests.local.run

tests: test

test: lint pytest  ## Run linters, type checks and all tests

lint: $(VENV)/.test  ## Run ruff, mypy, and cfn-lint on the template before and after its SAM transform, and on the examples
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml events/examples/*/template.yaml
	$(BIN)/python -m tests.template.lint_transformed

# The tests of the local stack wait more than they compute, so there are more workers than the two processors of CI. They
# come first in the order of the files; xdist would begin with the files of the most tests, and end with the longest tests.
pytest: $(VENV)/.test $(VENV)/.node  ## Run only the tests, but for the slow ones
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not slow"

slow: $(VENV)/.test  ## Run the slow tests, in a minute: `make run` in a terminal, the layer of the dependencies, slow services
	$(BIN)/python -m pytest -n 3 --dist loadfile -m slow

coverage: $(VENV)/.test  ## Measure branch coverage, and hold it to its floors
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile $(COVERING)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --show-missing --fail-under=$(FLOOR)
	@missed=0; for floor in $(ROOM_FLOORS); do \
	    room=$${floor%=*}; least=$${floor#*=}; \
	    percent=$$($(BIN)/coverage report --format=total --include="*/song_intake/$$room/*" --fail-under=$$least) || missed=1; \
	    echo "$$room: $$percent %, at least $$least %"; \
	done; exit $$missed

scan: $(VENV)/.test $(SCAN_VENV)/.scan  ## Scan the template, the code and the pins: cfn-lint in several regions, checkov, bandit, pip-audit
	$(BIN)/cfn-lint --regions $(SCAN_REGIONS) --template template.yaml
	$(BIN)/python -m tests.template.lint_transformed $(SCAN_REGIONS)
	@$(BIN)/python -m tests.scan.run_scanners $(SCAN_VENV)/bin

campaign: $(VENV)/.test $(VENV)/.node  ## Test random schedules of crashes, duplicates and delays, for minutes instead of seconds
	HYPOTHESIS_PROFILE=campaign $(BIN)/python -m pytest tests/properties --timeout 3600

soak: $(VENV)/.test  ## Send a million messages through random faults in virtual time, in an hour: SOAK_MESSAGES=10000, SOAK_SEED=7, SOAK_PROCESSES=2
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.soak.run_soak

load: $(VENV)/.test  ## Load the local stack for 10 minutes, then kill 1,000 function processes: LOAD_SECONDS=60, LOAD_KILLS=20 (0 for none)
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.load.run_load

mutants: $(VENV)-mutants/.packages  ## Change the code in 2,000 small ways, and see that a test notices: MUTANTS=work,ledger,music_api, MUTANTS_AGAIN=1
	@$(VENV)-mutants/bin/python -m tests.mutants.run_mutants

fuzz: $(VENV)-fuzz/.packages  ## Fuzz all that reads others' input: TARGET=message,..., EXECUTIONS=1000000; replay with TARGET=message INPUT=file
	@PYTHONPATH=layers/song_intake $(VENV)-fuzz/bin/python -m tests.fuzz \
	    --target="$(TARGET)" --executions="$(EXECUTIONS)" --engine="$(ENGINE)" --jobs="$(JOBS)" --input="$(INPUT)"

outage: $(VENV)/.test  ## Simulate outages of hours and days with 10,000 queued requests, in 3 minutes: CAMPAIGN_JSON=file, QUEUED=60, CASES=503,...
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.outage.run_campaign

bench: $(VENV)/.test  ## Compare the handler with other designs, in 5 minutes: BENCH_JSON=file, BENCH_README=1, BENCH_PARTS=warm,...
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.performance.run_bench

bench-quick: $(VENV)/.test  ## Check that each of these designs does the same work
	@$(BIN)/python -m pytest -q tests/performance

cost: $(VENV)/.test  ## Compute the cost of a million songs from prices and measured figures; print it and update tests/performance/README.md
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.performance.cost tests/performance/README.md

pictures: $(VENV)/.test $(VENV)/.node  ## Draw the pictures of the documents: diagrams, the still of `make run`, and the table of the functions
	node tests/pictures/draw.mjs functions/pictures functions/pictures
	@$(BIN)/python -m tests.pictures.still $(OUTPUT)
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.template.functions_table

model: $(VENV)/.test  ## Check the TLA+ model of the ledger (requires Java)
	$(BIN)/python -m tests.model.check_model

build:  ## Build what `sam deploy` ships (requires the SAM CLI and Python 3.13, but not Docker)
	sam build

# The operators' program. ARGS is read by the program, word by word as a shell would, but nothing in it is executed.
OPERATE = PYTHONPATH=layers/song_intake $(BIN)/python -m song_intake.commands

ops: $(VENV)/.ops  ## Operate a deployed stack: make ops STACK=... ARGS="show order-1042:song-1"; ARGS=--help lists the commands
	@$(OPERATE) $${STACK:+"--stack=$$STACK"} --words "$$ARGS"

# These have variables in place of options. A flag is 1 or nothing: any other value is an error, since 0 and no mean no.
named_stack = $(if $(filter undefined,$(STACK_SOURCE)),$(error name the stack: make $@ STACK=...))
flags = @for flag in $(1); do case "$$(printenv $$flag)" in ""|1) ;; *) echo "$$flag: use 1 or no value" >&2; exit 2;; esac; done

doctor: $(VENV)/.ops  ## Check a deployed stack, one line per check: make doctor STACK=... [PAID=1, which pays for one song]
	$(named_stack)
	$(call flags,PAID)
	@$(OPERATE) "--stack=$$STACK" doctor $${PAID:+--paid}

redrive: $(VENV)/.ops  ## Move dead letters back: make redrive STACK=... [REASON=CODE] [LIMIT=COUNT] [OLDER=HOURS] [DRY_RUN=1]
	$(named_stack)
	$(call flags,DRY_RUN)
	@$(OPERATE) "--stack=$$STACK" redrive $${REASON:+"--reason=$$REASON"} $${LIMIT:+"--limit=$$LIMIT"} \
	    $${OLDER:+"--older=$$OLDER"} $${DRY_RUN:+--dry-run}

resolve: $(VENV)/.ops  ## List or resolve requests in doubt: make resolve STACK=... LIST=1; functions/OPERATE.md has the other forms
	$(named_stack)
	$(call flags,LIST NOT_CREATED YES)
	@if [ -n "$$LIST" ]; then $(OPERATE) "--stack=$$STACK" list --status=IN_DOUBT; else \
	    $(OPERATE) "--stack=$$STACK" resolve $${TASK:+"--task=$$TASK"} $${NOT_CREATED:+--not-created} \
	    $${SINCE:+"--since=$$SINCE"} $${UNTIL:+"--until=$$UNTIL"} $${REASON:+"--reason=$$REASON"} $${YES:+--yes} \
	    $${REQUEST:+-- "$$REQUEST"}; fi

cancel: $(VENV)/.ops  ## Cancel a request that no message has claimed: make cancel STACK=... REQUEST=... [BY=NAME] [YES=1]
	$(named_stack)
	$(call flags,YES)
	@$(OPERATE) "--stack=$$STACK" cancel $${BY:+"--by=$$BY"} $${YES:+--yes} $${REQUEST:+-- "$$REQUEST"}

intake: $(VENV)/.ops  ## Show the intake, or switch it manually: make intake STACK=... OFF=1 or ON=1
	$(named_stack)
	$(call flags,OFF ON)
	@$(OPERATE) "--stack=$$STACK" intake $${OFF:+off} $${ON:+on}

usage: $(VENV)/.ops  ## Show the creates of a UTC day by sender: make usage STACK=... [DAY=2026-07-01]
	$(named_stack)
	@$(OPERATE) "--stack=$$STACK" usage $${DAY:+"--day=$$DAY"}

pins: $(VENV)/.test  ## Update every pinned version, with hashes, for all supported Pythons
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    pyproject.toml -o $(RUNTIME_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    -c $(RUNTIME_PINS) --group operators -o $(OPERATOR_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    -c $(RUNTIME_PINS) --group local -o $(LOCAL_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    -c $(RUNTIME_PINS) -c $(LOCAL_PINS) -c $(OPERATOR_PINS) --group local --group operators --group test -o $(TEST_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    --group scan -o $(SCAN_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    -c $(RUNTIME_PINS) -c $(TEST_PINS) --group fuzz -o $(FUZZ_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    -c $(RUNTIME_PINS) -c $(TEST_PINS) --group mutants -o $(MUTANT_PINS)

clean:  ## Remove what the other targets created
	rm -rf tests/node/node_modules $(VENV) $(SCAN_VENV) $(VENV)-fuzz .fuzz $(VENV)-mutants .mutants .coverage* .aws-sam .hypothesis .mypy_cache .pytest_cache .ruff_cache .tla

# One whose creation was interrupted has a python, but no pip.
$(VENV)/.python:
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
	    { python=$$(sh tests/local/find_python.sh "$(PYTHON)") && "$$python" -m venv --clear $(VENV); }
	@touch $@

# Those of the functions are for the doctor.
$(VENV)/.ops: $(RUNTIME_PINS) $(OPERATOR_PINS) | $(VENV)/.python
	@echo "Installing the packages of the operators' commands into $(VENV)"
	@$(PIP) -r $(RUNTIME_PINS) -r $(OPERATOR_PINS)
	@touch $@

$(VENV)/.local: $(RUNTIME_PINS) $(LOCAL_PINS) $(OPERATOR_PINS) | $(VENV)/.python
	@echo "Installing the packages of the local stack into $(VENV)"
	@$(PIP) -r $(RUNTIME_PINS) -r $(LOCAL_PINS) -r $(OPERATOR_PINS)
	@touch $@ $(VENV)/.ops

# Node is no requirement: without it, the tests of the TypeScript example and of ajv are skipped.
$(VENV)/.node: tests/node/package-lock.json | $(VENV)/.python
	@if ! command -v npm >/dev/null; then echo "npm is missing: the tests in TypeScript are skipped"; \
	elif npm ci --prefix tests/node --silent --no-fund --no-audit; then touch $@; \
	else echo "npm could not install its packages: the tests in TypeScript are skipped"; fi

$(VENV)/.test: $(RUNTIME_PINS) $(TEST_PINS) | $(VENV)/.python
	@echo "Installing the packages of the tests into $(VENV)"
	@$(PIP) -r $(RUNTIME_PINS) -r $(TEST_PINS)
	@touch $@ $(VENV)/.local $(VENV)/.ops

$(SCAN_VENV)/bin/python:
	@python=$$(sh tests/local/find_python.sh "$(PYTHON)") && "$$python" -m venv $(SCAN_VENV)

$(SCAN_VENV)/.scan: $(SCAN_PINS) | $(SCAN_VENV)/bin/python
	@echo "Installing the scanners into $(SCAN_VENV)"
	@$(SCAN_VENV)/bin/python $(PIP_INSTALL) -r $(SCAN_PINS)
	@touch $@

# atheris is large, and not for every machine, so it is not among the packages of the tests.
$(VENV)-fuzz/.packages: $(RUNTIME_PINS) $(FUZZ_PINS)
	@echo "Installing the packages of the fuzzers into $(VENV)-fuzz"
	@python=$$(sh tests/local/find_python.sh "$(PYTHON)") && "$$python" -m venv $(VENV)-fuzz
	@$(VENV)-fuzz/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
	    -r $(RUNTIME_PINS) -r $(FUZZ_PINS)
	@touch $@

$(VENV)-mutants/.packages: $(RUNTIME_PINS) $(TEST_PINS) $(MUTANT_PINS)
	@echo "Installing the packages of the mutants into $(VENV)-mutants"
	@python=$$(sh tests/local/find_python.sh "$(PYTHON)") && "$$python" -m venv $(VENV)-mutants
	@$(VENV)-mutants/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
	    -r $(RUNTIME_PINS) -r $(TEST_PINS) -r $(MUTANT_PINS)
	@touch $@
