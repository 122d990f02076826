"""The intake switched by faults, looks and words: what the table remembers, and what the mapping is told."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from song_intake.admission.switch import IntakeSwitch, NotSwitched
from song_intake.admission.switch_rules import AUTOMATIC, LONGEST_HOLD_SECONDS, IntakeChange, IntakeState
from song_intake.contract.song_request import SongRequest
from song_intake.domain.reason import Reason
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import LedgerUnavailable
from tests.integration import unreachable
from tests.integration.bench import Bench, song
from tests.integration.conftest import TimePasses
from tests.integration.switching import SimulatedMappings, store_of, switch_of

LOOK = {"intake": "check"}


@pytest.fixture
def mappings() -> SimulatedMappings:
    return SimulatedMappings()


@pytest.fixture
def switch(bench: Bench, mappings: SimulatedMappings) -> IntakeSwitch:
    return switch_of(bench, mappings)


def fault(reason: Reason = Reason.NO_CREDITS, ago: float = 0) -> dict[str, object]:
    """The event as EventBridge delivers it, its time in whole seconds."""
    at = datetime.fromtimestamp(time.time() - ago + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"detail-type": "Account Fault", "source": "song-intake.account", "time": at, "detail": {"reason": reason}}


def by(word: str) -> dict[str, object]:
    return {"intake": word, "by": "ada"}


def metrics(text: str) -> dict[str, float]:
    """The metrics of the last EMF line."""
    last = json.loads(text.splitlines()[-1])
    names = [metric["Name"] for metric in last["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: last[name][0] for name in names}


@pytest.mark.parametrize("reason", [Reason.NO_CREDITS, Reason.TOKEN_REFUSED, Reason.TOKEN_UNAVAILABLE])
def test_a_fault_switches_the_intake_off_and_its_reason_is_kept(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch, reason: Reason
) -> None:
    bench.vendor.credits = 0
    said = switch.handle(fault(reason))
    assert mappings.changes == [False]
    last = store_of(bench).last()
    assert last is not None
    assert (last.state, last.by, last.reason, last.unexplained) == (IntakeState.OFF, AUTOMATIC, reason, 0)
    assert (said["mapping"], said["account"]) == ("Disabling", {"credits": 0, "extra": 0})


def test_when_the_account_can_pay_again_a_look_switches_the_intake_on(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 9
    switch.handle(fault())
    switch.handle(LOOK)
    assert mappings.changes == [False]
    bench.vendor.credits = 10
    switch.handle(LOOK)
    assert mappings.changes == [False, True]
    switch.handle(LOOK)
    assert mappings.changes == [False, True]


def test_when_the_token_works_again_a_look_switches_the_intake_on(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.tokens.clear()
    switch.handle(fault(Reason.TOKEN_REFUSED))
    switch.handle(LOOK)
    assert mappings.changes == [False]
    bench.vendor.tokens.add("fresh-token")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    switch.handle(LOOK)
    assert mappings.changes == [False, True]


def test_a_fault_that_the_balance_does_not_show_holds_the_intake_for_a_while(
    mappings: SimulatedMappings, switch: IntakeSwitch, time_passes: TimePasses
) -> None:
    switch.handle(fault())
    switch.handle(LOOK)
    assert mappings.changes == [False]
    time_passes(700)
    switch.handle(LOOK)
    assert mappings.changes == [False, True]


def test_a_fault_told_after_the_intake_was_switched_on_but_older_changes_nothing(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    old = fault(ago=5)
    switch.handle(fault())
    bench.vendor.credits = 10
    switch.handle(LOOK)
    switch.handle(old)
    assert mappings.changes == [False, True]


def test_what_an_operator_switched_off_stays_off_though_the_account_can_pay(
    mappings: SimulatedMappings, switch: IntakeSwitch, time_passes: TimePasses
) -> None:
    switch.handle(by("off"))
    switch.handle(fault())
    time_passes(LONGEST_HOLD_SECONDS)
    switch.handle(LOOK)
    assert mappings.changes == [False]


def test_what_somebody_switched_off_elsewhere_stays_off_though_the_account_can_pay(
    mappings: SimulatedMappings, switch: IntakeSwitch, time_passes: TimePasses
) -> None:
    mappings.state = "Disabled"
    # Late, of a call that was under way.
    switch.handle(fault())
    time_passes(LONGEST_HOLD_SECONDS)
    switch.handle(LOOK)
    assert mappings.changes == []


def test_a_mapping_that_a_deployment_switched_on_in_a_pause_is_switched_off_by_the_next_fault(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    switch.handle(fault())
    mappings.state = "Enabled"
    switch.handle(fault())
    assert mappings.changes == [False, False]


def test_an_operator_has_the_last_word(bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch) -> None:
    bench.vendor.credits = 0
    switch.handle(fault())
    said: Any = switch.handle(by("on"))
    assert (said["mapping"], said["switched"]["by"]) == ("Enabling", "ada")
    said = switch.handle(by("off"))
    assert (said["mapping"], said["switched"]["state"]) == ("Disabling", "off")
    assert mappings.changes == [False, True, False]


def test_how_it_stands_is_told_without_changing_anything(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    said = switch.handle(by("status"))
    account = {"credits": bench.vendor.credits, "extra": 0}
    assert said == {"mapping": "Enabled", "switched": {}, "account": account}
    assert (mappings.changes, store_of(bench).last()) == ([], None)


@pytest.mark.parametrize("event", [{}, {"intake": "of"}, {"intake": True}, {"detail-type": "Song Failed"}], ids=str)
def test_what_is_no_word_is_refused(
    mappings: SimulatedMappings, switch: IntakeSwitch, event: dict[str, object]
) -> None:
    assert "refused" in switch.handle(event)
    assert mappings.changes == []


def test_a_mapping_that_is_still_changing_is_tried_again_by_whoever_invoked(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    mappings.busy = True
    with pytest.raises(NotSwitched, match="ResourceInUseException"):
        switch.handle(fault())
    mappings.busy = False
    switch.handle(fault())
    assert mappings.changes == [False]
    bench.vendor.credits = 10
    mappings.busy = True
    with pytest.raises(NotSwitched):
        switch.handle(LOOK)
    mappings.busy = False
    switch.handle(LOOK)
    assert mappings.changes == [False, True]


def test_an_operator_is_told_that_the_mapping_is_still_changing(
    mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    mappings.busy = True
    assert switch.handle(by("off")) == {"error": "NotSwitched: ResourceInUseException"}


def test_without_the_table_nothing_is_switched(bench: Bench, mappings: SimulatedMappings) -> None:
    switch = switch_of(bench, mappings, store=store_of(bench, unreachable.dynamodb()))
    with pytest.raises(LedgerUnavailable):
        switch.handle(fault())
    assert "error" in switch.handle(by("off"))
    assert mappings.changes == []


def test_a_word_that_comes_while_a_look_switches_on_counts(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    switch.handle(fault())
    bench.vendor.credits = 10
    mappings.meanwhile = lambda: switch.handle(by("off"))
    said: Any = switch.handle(LOOK)
    assert mappings.changes == [False, True, False]
    assert (said["mapping"], said["switched"]["by"]) == ("Disabling", "ada")


def test_of_two_who_saw_the_same_the_second_does_not_overwrite_the_first(bench: Bench) -> None:
    store = store_of(bench)
    first = IntakeChange(IntakeState.OFF, AUTOMATIC, 1.5, Reason.NO_CREDITS, 2)
    assert store.save(first, instead_of=None)
    assert not store.save(IntakeChange(IntakeState.OFF, "ada", 2.5), instead_of=None)
    assert store.last() == first
    assert store.save(IntakeChange(IntakeState.OFF, "ada", 2.5), instead_of=first)
    assert not store.save(first, instead_of=first)


def test_the_memory_is_no_request_and_never_expires(bench: Bench, switch: IntakeSwitch) -> None:
    switch.handle(by("off"))
    assert bench.item("#intake").keys() == {"request_id", "position", "switched_by", "switched_at", "unexplained"}
    resolving = ResolutionStore(bench.ledger_table())
    assert (resolving.row("#intake"), resolving.in_doubt()) == (None, [])
    assert SongRequest.parse(song("Night Train", "order-1"), "m-1", known_id="#intake").request_id == "order-1"
    assert SongRequest.parse(song("Night Train"), "m-1", known_id="#intake").request_id == "m-1"


def test_the_balance_and_the_pause_are_metrics(
    bench: Bench, switch: IntakeSwitch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.vendor.credits = 70
    switch.handle(LOOK)
    assert metrics(capsys.readouterr().out) == {"Credits": 70, "IntakePaused": 0}
    bench.vendor.credits = 0
    switch.handle(fault())
    assert metrics(capsys.readouterr().out) == {"Credits": 0, "IntakePaused": 1}


def test_a_balance_that_is_not_told_is_a_metric_and_a_line_of_the_log(
    bench: Bench, mappings: SimulatedMappings, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.vendor.refuse_connections()
    switch_of(bench, mappings).handle(LOOK)
    assert metrics(capsys.readouterr().out) == {"CreditsUnknown": 1, "IntakePaused": 0}
    (line,) = bench.lines()
    assert (line["level"], line["action"], line["balance"]) == ("WARNING", "intake", "CANNOT_CONNECT")
