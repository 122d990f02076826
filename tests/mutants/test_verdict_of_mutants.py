"""The verdict over the mutants: when it fails, and which survivors it accepts. `make mutants` makes and tests them."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.mutant import Mutant
from tests.mutants.outcomes import LEAST_KILLED, Outcome, Outcomes, Reason, reasons, unused

ACCEPTED = Reason(reason="prose", changes_nothing=True, functions=r".*\.wait", changes=r"detail=.* => detail=.*")


def mutant(number: int, change: str = "a < b => a <= b", refused: str = "") -> Mutant:
    name = f"song_intake.work.backoff.xǁBackoffǁwait__mutmut_{number}"
    return Mutant(name, "song_intake.work.backoff.Backoff.wait", change, refused)


def after(folder: Path, *alive: str, killed: int) -> tuple[str, bool]:
    """The verdict over one survivor for each of these changes, and over killed mutants."""
    mutants = [mutant(number, change) for number, change in enumerate((*alive, *["x => y"] * killed))]
    outcomes = Outcomes(mutants, keep=False, file=folder / "outcomes.jsonl")
    for number, one in enumerate(mutants):
        outcomes.add(one.name, Outcome.SURVIVED if number < len(alive) else Outcome.KILLED, "")
    return outcomes.verdict([ACCEPTED])


def test_a_survivor_without_a_reason_fails(tmp_path: Path) -> None:
    text, is_good = after(tmp_path, "a < b => a <= b", killed=1_000)
    assert not is_good
    assert "survivors without a reason" in text
    assert text.endswith("song_intake.work.backoff.Backoff.wait\n  a < b => a <= b")


def test_a_survivor_that_changes_nothing_does_not_count(tmp_path: Path) -> None:
    text, is_good = after(tmp_path, "detail=x => detail=None", killed=1)
    assert is_good
    assert "100.0" in text


def test_too_many_survivors_fail_even_with_reasons(tmp_path: Path) -> None:
    known = [Reason(reason="not worth a test", changes_nothing=False)]
    mutants = [mutant(number) for number in range(100)]
    outcomes = Outcomes(mutants, keep=False, file=tmp_path / "outcomes.jsonl")
    for number, one in enumerate(mutants):
        outcomes.add(one.name, Outcome.UNTESTED if number > LEAST_KILLED else Outcome.HUNG, "")
    assert outcomes.verdict(known)[1]
    outcomes.add(mutants[0].name, Outcome.SURVIVED, "")
    outcomes.add(mutants[1].name, Outcome.SURVIVED, "")
    assert not outcomes.verdict(known)[1]


def test_the_outcomes_of_the_last_run_stay_but_for_survivors(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    mutants = [mutant(1, "a => b"), mutant(2, "c => d"), mutant(3, "e => f", refused="incompatible type")]
    first = Outcomes(mutants, keep=False, file=file)
    assert [one.change for one in first.missing()] == ["a => b", "c => d"]
    first.add(mutants[0].name, Outcome.KILLED, "a test")
    first.add(mutants[1].name, Outcome.SURVIVED, "")
    renumbered = [mutant(7, "a => b"), mutant(8, "c => d"), mutant(9, "g => h")]
    again = Outcomes(renumbered, keep=True, file=file)
    assert [one.change for one in again.missing()] == ["c => d", "g => h"]


def test_the_outcomes_of_the_rooms_that_are_not_tested_stay_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    work, ledger = (
        mutant(1),
        replace(mutant(2), name="song_intake.ledger.row.x_of__mutmut_2", function="song_intake.ledger.row.of"),
    )
    Outcomes([work, ledger], keep=False, file=file).add(ledger.name, Outcome.KILLED, "a test")
    Outcomes([work], keep=True, file=file).add(work.name, Outcome.KILLED, "a test")
    assert Outcomes([work, ledger], keep=True, file=file).missing() == []


def test_a_reason_that_is_about_no_survivor_is_shown() -> None:
    one = mutant(1, "detail=x => detail=None")
    assert unused({one.name: Outcome.SURVIVED}, [one], [ACCEPTED]) == []
    assert unused({one.name: Outcome.KILLED}, [one], [ACCEPTED]) == [ACCEPTED]


@pytest.mark.parametrize(
    ("change", "is_prose"),
    [
        ('Refused("the row changed") => Refused("XXthe row changedXX")', True),
        ('detail = f"after {count} receives" => detail = f"AFTER {count} RECEIVES"', True),
        ('{"at": now} => {"AT": now}', False),
        ('fail("CODE", "a text") => fail("XXCODEXX", "a text")', False),
        ('fail("CODE", "a text") => fail("CODE", None)', False),
        ("a < b => a <= b", False),
    ],
)
def test_only_texts_with_a_blank_are_prose(change: str, is_prose: bool) -> None:  # noqa: FBT001 - of a table
    assert mutant(1, change).is_prose == is_prose


def test_every_reason_is_a_sentence_about_functions_of_the_rooms() -> None:
    for reason in reasons():
        assert len(reason.reason.split()) > 3
        named = reason.function or reason.functions.replace("\\", "")
        assert named.startswith(("song_intake.", ".*", "(")), reason
        assert reason.change or reason.changes or reason.functions, reason
