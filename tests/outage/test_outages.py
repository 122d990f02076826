"""`make outage` in small: each case with few requests, and checks that its figures show what is broken."""

import json
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from song_intake.admission import switch_rules
from song_intake.admission.circuit_breaker import CircuitBreaker
from song_intake.work.submission import Submission
from tests.outage import run_campaign
from tests.outage.cases import CASES, Case
from tests.outage.run_campaign import run_case

COLUMNS = {
    "case",
    "queued",
    "untried_dead_letters",
    "rejected_told",
    "lost",
    "doubts",
    "seconds_to_work_again",
}


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_request_pays_for_an_outage(case: Case) -> None:
    assert run_case(case, case.few).missed() == []


def test_the_names_of_the_cases_differ() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_without_sending_messages_anew_their_receives_run_out() -> None:
    with mock.patch.object(Submission, "before_the_receives_run_out", lambda _self, _message, decision: decision):
        figures = run_case(case_of("DynamoDB away for an hour"), 30)
    assert "untried_dead_letters" in figures.missed()
    assert "rejected_told" in figures.missed()


def test_without_a_breaker_and_a_pause_an_outage_makes_a_doubt_of_each_request() -> None:
    case = case_of("503 to creates for an hour, the balance readable")
    with mock.patch.object(CircuitBreaker, "_open_for"):
        assert "doubts" in run_case(case, 60).missed()


def test_a_pause_that_never_ends_loses_what_waits() -> None:
    with mock.patch.object(switch_rules, "_is_over", return_value=False):
        figures = run_case(replace(case_of("429 of a day"), few=30), 30)
    assert {"lost", "seconds_to_work_again"} <= set(figures.missed())


def test_the_command_writes_a_table_and_json_and_fails_if_a_limit_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    for name, value in {"CAMPAIGN_JSON": str(file), "QUEUED": "30", "CASES": "one throttled read"}.items():
        monkeypatch.setenv(name, value)
    assert run_campaign.main() == 0
    (figures,) = json.loads(file.read_text(encoding="utf-8"))
    assert figures.keys() >= COLUMNS
    assert (figures["queued"], figures["lost"]) == (30, 0)
    assert figures["case"] in capsys.readouterr().out
