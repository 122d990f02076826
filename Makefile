# The two commands of the README are `make run` and `make test`. Each makes .venv, if need be, with what it needs.

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
STACK ?= song-intake

RUNTIME_PINS := layers/dependencies/requirements.txt
LOCAL_PINS := tests/local/requirements.txt
TEST_PINS := tests/requirements.txt

# What `make coverage` runs, and the least that it accepts, in percent of lines and branches: in all, and by room.
COVERING := $(wildcard tests/unit tests/integration tests/properties tests/wire)
FLOOR := 98
ROOM_FLOORS := contract=100 ledger=100 music_api=99 work=99

.DEFAULT_GOAL := help
.PHONY: help run test lint pytest coverage campaign bench bench-quick cost model build redrive resolve intake pins clean

help:  ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.local  ## The whole stack on this machine: sends the samples and some dozens more, and shows what became of them
	@$(BIN)/python -m tests.local.run

test: lint pytest  ## Lint, types, and every test

lint: $(VENV)/.test  ## ruff, mypy, cfn-lint on the template and on the transformed one
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml
	$(BIN)/python -m tests.template.lint_transformed

pytest: $(VENV)/.test  ## The tests alone
	$(BIN)/python -m pytest -n 2 --dist loadfile

coverage: $(VENV)/.test  ## Branch coverage by the tests that run in this process, and its floors
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile $(COVERING)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --show-missing --fail-under=$(FLOOR)
	@missed=0; for floor in $(ROOM_FLOORS); do \
	    room=$${floor%=*}; least=$${floor#*=}; \
	    percent=$$($(BIN)/coverage report --format=total --include="*/song_intake/$$room/*" --fail-under=$$least) || missed=1; \
	    echo "$$room: $$percent %, at least $$least %"; \
	done; exit $$missed

campaign: $(VENV)/.test  ## Random schedules of crashes, duplicates and delays, for minutes instead of seconds
	HYPOTHESIS_PROFILE=campaign $(BIN)/python -m pytest tests/properties --timeout 3600

bench: $(VENV)/.test  ## The handler against other ways to write it, in 5 minutes: BENCH_JSON=file, BENCH_README=1, BENCH_PARTS=warm,...
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.performance.run_bench

bench-quick: $(VENV)/.test  ## That each of them does the same work
	@$(BIN)/python -m pytest -q tests/performance

cost: $(VENV)/.test  ## What a million songs cost, from stated prices and measured figures: prints it, and puts it into the README
	@PYTHONPATH=layers/song_intake $(BIN)/python -m tests.performance.cost README.md

model: $(VENV)/.test  ## The TLA+ model of the ledger (needs Java)
	$(BIN)/python -m tests.model.check_model

build:  ## What `sam deploy` ships (needs the SAM CLI and Python 3.13, and no Docker)
	sam build

redrive: $(VENV)/.local  ## Dead letters back to their queue: make redrive STACK=song-intake
	@PYTHONPATH=layers/song_intake $(BIN)/python -m song_intake.commands.redrive $(STACK)

resolve: $(VENV)/.local  ## A word on a request in doubt: make resolve STACK=... REQUEST=... TASK=... or NOT_CREATED=1; or LIST=1
	@PYTHONPATH=layers/song_intake $(BIN)/python -m song_intake.commands.resolve $(STACK) \
	    $(if $(filter 1,$(LIST)),--list) $(if $(REQUEST),--request='$(REQUEST)') \
	    $(if $(TASK),--task='$(TASK)') $(if $(filter 1,$(NOT_CREATED)),--not-created)

intake: $(VENV)/.local  ## How the intake stands, and by hand off and on: make intake STACK=... OFF=1 or ON=1
	@PYTHONPATH=layers/song_intake $(BIN)/python -m song_intake.commands.intake $(STACK) \
	    $(if $(filter 1,$(OFF)),--off) $(if $(filter 1,$(ON)),--on)

pins: $(VENV)/.test  ## Resolve every pin anew, with hashes, for all supported Pythons
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    pyproject.toml -o $(RUNTIME_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    -c $(RUNTIME_PINS) --group local -o $(LOCAL_PINS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    -c $(RUNTIME_PINS) -c $(LOCAL_PINS) --group local --group test -o $(TEST_PINS)

clean:  ## Remove what the other targets made
	rm -rf $(VENV) .coverage* .aws-sam .hypothesis .mypy_cache .pytest_cache .ruff_cache .tla

$(BIN)/python:
	@python=$$(sh tests/local/find_python.sh "$(PYTHON)") && "$$python" -m venv $(VENV)

$(VENV)/.local: $(RUNTIME_PINS) $(LOCAL_PINS) | $(BIN)/python
	@echo "Installing what the local stack needs into $(VENV)"
	@$(PIP) -r $(RUNTIME_PINS) -r $(LOCAL_PINS)
	@touch $@

$(VENV)/.test: $(RUNTIME_PINS) $(TEST_PINS) | $(BIN)/python
	@echo "Installing what the tests need into $(VENV)"
	@$(PIP) -r $(RUNTIME_PINS) -r $(TEST_PINS)
	@touch $@ $(VENV)/.local
