"""The intake paused and resumed by faults, balance checks and operators: the stored state and the mapping."""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from song_intake.admission.circuit_breaker import FIRST_HOLD_SECONDS, LONGEST_HOLD_SECONDS
from song_intake.admission.switch import IntakeSwitch, NotSwitched
from song_intake.admission.switch_rules import AUTOMATIC, IntakeChange, IntakeState
from song_intake.contract.song_request import SongRequest
from song_intake.domain.reason import Reason
from song_intake.ledger.resolving import ResolutionStore
from song_intake.ledger.table import LedgerUnavailable
from tests.integration import unreachable
from tests.integration.bench import Bench, song
from tests.integration.conftest import TimePasses
from tests.integration.switching import SimulatedMappings, store_of, switch_of

CHECK_BALANCE = {"intake": "check"}


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


def by(command: str) -> dict[str, object]:
    return {"intake": command, "by": "ada"}


def metrics(text: str) -> dict[str, float]:
    """The metrics of the last EMF line."""
    last = json.loads(text.splitlines()[-1])
    names = [metric["Name"] for metric in last["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: last[name][0] for name in names}


def at_a_minute(monkeypatch: pytest.MonkeyPatch, minute: int) -> None:
    """The wall clock stands at so many minutes past the hour."""
    moment = time.time() // 3600 * 3600 + 60 * minute
    monkeypatch.setattr(time, "time", lambda: moment)


@pytest.mark.parametrize("reason", [Reason.NO_CREDITS, Reason.TOKEN_REFUSED, Reason.TOKEN_UNAVAILABLE])
def test_a_fault_pauses_the_intake_and_its_reason_is_stored(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch, reason: Reason
) -> None:
    bench.vendor.credits = 0
    response = switch.handle(fault(reason))
    assert mappings.changes == [False]
    last = store_of(bench).last()
    assert last is not None
    assert (last.state, last.by, last.reason, last.in_a_row) == (IntakeState.OFF, AUTOMATIC, reason, 1)
    assert (response["mapping"], response["account"]) == ("Disabling", {"credits": 0, "extra": 0})


def test_a_balance_check_resumes_the_intake_when_the_account_can_pay_again(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 9
    switch.handle(fault())
    mappings.settle()
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False]
    bench.vendor.credits = 10
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False, True]
    mappings.settle()
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False, True]


def test_a_balance_check_resumes_the_intake_when_the_token_works_again(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.tokens.clear()
    switch.handle(fault(Reason.TOKEN_REFUSED))
    mappings.settle()
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False]
    bench.vendor.tokens.add("fresh-token")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False, True]


def test_a_check_resumes_the_intake_when_the_signing_key_can_be_read_again(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch, time_passes: TimePasses
) -> None:
    key = bench.secrets.get_secret_value(SecretId=bench.signing_key_id)["SecretString"]
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString="too short")
    switch.handle(fault(Reason.SIGNING_KEY_UNAVAILABLE))
    mappings.settle()
    time_passes(9 * 86_400)
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False], "a trial would only use up receives"
    bench.secrets.put_secret_value(SecretId=bench.signing_key_id, SecretString=key)
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False, True]


def test_a_fault_that_the_balance_does_not_explain_pauses_the_intake_for_a_while(
    mappings: SimulatedMappings, switch: IntakeSwitch, time_passes: TimePasses
) -> None:
    switch.handle(fault())
    mappings.settle()
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False]
    time_passes(FIRST_HOLD_SECONDS)
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False, True]


def test_a_late_event_of_a_fault_before_the_resume_changes_nothing(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    old = fault(ago=5)
    switch.handle(fault())
    mappings.settle()
    bench.vendor.credits = 10
    switch.handle(CHECK_BALANCE)
    switch.handle(old)
    assert mappings.changes == [False, True]


def test_a_manual_pause_continues_although_the_account_can_pay(
    mappings: SimulatedMappings, switch: IntakeSwitch, time_passes: TimePasses
) -> None:
    switch.handle(by("off"))
    switch.handle(fault())
    time_passes(LONGEST_HOLD_SECONDS)
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False]


def test_a_mapping_disabled_elsewhere_stays_disabled_although_the_account_can_pay(
    mappings: SimulatedMappings, switch: IntakeSwitch, time_passes: TimePasses
) -> None:
    mappings.state = "Disabled"
    # A late fault, of a call that was in flight.
    switch.handle(fault())
    time_passes(LONGEST_HOLD_SECONDS)
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == []


def test_a_mapping_that_a_deployment_enabled_in_a_pause_is_disabled_by_the_next_fault(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    switch.handle(fault())
    mappings.state = "Enabled"
    switch.handle(fault())
    assert mappings.changes == [False, False]


def test_an_operator_overrides_the_automatic_state(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    switch.handle(fault())
    mappings.settle()
    response: Any = switch.handle(by("on"))
    assert (response["mapping"], response["switched"]["by"]) == ("Enabling", "ada")
    mappings.settle()
    response = switch.handle(by("off"))
    assert (response["mapping"], response["switched"]["state"]) == ("Disabling", "off")
    assert mappings.changes == [False, True, False]


def test_the_status_is_returned_without_changing_anything(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    response = switch.handle(by("status"))
    account = {"credits": bench.vendor.credits, "extra": 0}
    assert response == {"mapping": "Enabled", "switched": {}, "account": account}
    assert (mappings.changes, store_of(bench).last()) == ([], None)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"intake": "of"},
        {"intake": True},
        {"detail-type": "Song Failed"},
        {"detail-type": "Account Fault", "detail": {"reason": "NO_CREDITS"}, "time": "soon"},
    ],
    ids=str,
)
def test_an_unknown_command_is_refused(
    mappings: SimulatedMappings, switch: IntakeSwitch, event: dict[str, object]
) -> None:
    assert "refused" in switch.handle(event)
    assert mappings.changes == []


def test_a_mapping_that_is_still_changing_follows_at_a_later_check(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    mappings.busy = True
    switch.handle(fault())
    assert mappings.changes == []
    mappings.busy = False
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False]
    mappings.settle()
    bench.vendor.credits = 10
    mappings.busy = True
    switch.handle(CHECK_BALANCE)
    mappings.busy = False
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False, True]


def test_an_operators_pause_of_a_mapping_that_is_still_enabling_is_done_by_a_check(
    mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    mappings.state = "Enabling"
    switch.handle(by("off"))
    assert mappings.changes == []
    mappings.settle()
    switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False]


def test_a_right_that_is_missing_is_an_error_for_an_operator_and_fails_the_schedule(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    mappings.denied = True
    with pytest.raises(NotSwitched, match="AccessDeniedException"):
        switch.handle(fault())
    assert switch.handle(by("off")) == {"error": "NotSwitched: AccessDeniedException"}


def test_without_the_table_the_mapping_is_not_changed(bench: Bench, mappings: SimulatedMappings) -> None:
    switch = switch_of(bench, mappings, store=store_of(bench, unreachable.dynamodb()))
    with pytest.raises(LedgerUnavailable):
        switch.handle(fault())
    assert "error" in switch.handle(by("off"))
    assert mappings.changes == []


def test_an_operators_pause_during_an_automatic_resume_wins(
    bench: Bench, mappings: SimulatedMappings, switch: IntakeSwitch
) -> None:
    bench.vendor.credits = 0
    switch.handle(fault())
    mappings.settle()
    bench.vendor.credits = 10
    mappings.meanwhile = lambda: switch.handle(by("off"))
    switch.handle(CHECK_BALANCE)
    mappings.settle()
    response: Any = switch.handle(CHECK_BALANCE)
    assert mappings.changes == [False, True, False]
    assert (response["mapping"], response["switched"]["by"]) == ("Disabling", "ada")


def test_the_second_of_two_concurrent_changes_does_not_overwrite_the_first(bench: Bench) -> None:
    store = store_of(bench)
    first = IntakeChange(IntakeState.OFF, AUTOMATIC, 1.5, Reason.NO_CREDITS, 2)
    assert store.save(first, instead_of=None)
    assert not store.save(IntakeChange(IntakeState.OFF, "ada", 2.5), instead_of=None)
    assert store.last() == first
    assert store.save(IntakeChange(IntakeState.OFF, "ada", 2.5), instead_of=first)
    assert not store.save(first, instead_of=first)


def test_the_stored_state_is_not_a_request_and_never_expires(bench: Bench, switch: IntakeSwitch) -> None:
    switch.handle(by("off"))
    assert bench.item("#intake").keys() == {
        "request_id",
        "position",
        "switched_by",
        "switched_at",
        "in_a_row",
        "is_seen",
        "is_reached",
    }
    resolving = ResolutionStore(bench.ledger_table())
    assert (resolving.row("#intake"), resolving.in_doubt().rows) == (None, [])
    assert SongRequest.parse(song("Night Train", "order-1"), "m-1", known_id="#intake").request_id == "order-1"
    assert SongRequest.parse(song("Night Train"), "m-1", known_id="#intake").request_id == "m-1"


def test_the_balance_and_the_pause_are_metrics(
    bench: Bench, switch: IntakeSwitch, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_minute(monkeypatch, 5)
    bench.vendor.credits = 70
    switch.handle(CHECK_BALANCE)
    quiet = {"CreditsUnknown": 0, "IntakeDisabledElsewhere": 0}
    assert metrics(capsys.readouterr().out) == {"Credits": 70, "IntakePaused": 0, **quiet}
    bench.vendor.credits = 0
    switch.handle(fault())
    assert metrics(capsys.readouterr().out) == {"Credits": 0, "IntakePaused": 1, **quiet}


@pytest.mark.parametrize("minute", [1, 2, 3, 4])
def test_without_a_pause_the_balance_is_read_each_five_minutes(
    bench: Bench, switch: IntakeSwitch, monkeypatch: pytest.MonkeyPatch, minute: int
) -> None:
    at_a_minute(monkeypatch, minute)
    assert switch.handle(CHECK_BALANCE) == {}
    assert bench.vendor.requests == ()


def test_a_mapping_disabled_elsewhere_is_a_metric(
    mappings: SimulatedMappings,
    switch: IntakeSwitch,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_a_minute(monkeypatch, 5)
    mappings.state = "Disabled"
    switch.handle(CHECK_BALANCE)
    reported = metrics(capsys.readouterr().out)
    assert (reported["IntakeDisabledElsewhere"], reported["IntakePaused"], mappings.changes) == (1, 1, [])


def test_a_token_that_was_never_set_is_no_unknown_balance_but_a_secret_without_a_token_is(
    bench: Bench, mappings: SimulatedMappings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_minute(monkeypatch, 5)
    without_a_token = bench.secrets.create_secret(Name=f"empty-{uuid.uuid4().hex}", SecretString="{}")["ARN"]
    for secret_id, unknown in (("no-such-secret", 0), (without_a_token, 1)):
        switch_of(bench, mappings, secret_id=secret_id).handle(CHECK_BALANCE)
        assert metrics(capsys.readouterr().out)["CreditsUnknown"] == unknown
    assert [line["balance"] for line in bench.lines()] == ["TOKEN_NEVER_SET", "TOKEN_UNAVAILABLE"]


def test_an_unknown_balance_is_a_metric_and_a_log_line(
    bench: Bench, mappings: SimulatedMappings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_minute(monkeypatch, 5)
    bench.vendor.refuse_connections()
    switch_of(bench, mappings).handle(CHECK_BALANCE)
    assert metrics(capsys.readouterr().out) == {"CreditsUnknown": 1, "IntakePaused": 0, "IntakeDisabledElsewhere": 0}
    (line,) = bench.lines()
    assert (line["level"], line["action"], line["balance"]) == ("WARNING", "intake", "CANNOT_CONNECT")
