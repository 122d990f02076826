"""Checks, faults, operators, deployments and crashes in any order, on a mapping that takes a minute to change: the
mapping always ends where the saved state wants it.
"""

import contextlib
import time
from datetime import UTC, datetime
from typing import Any, cast
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from song_intake.admission.budget_item import BudgetItem, BudgetLimits
from song_intake.admission.switch import IntakeMapping, IntakeSwitch, NotSwitched
from song_intake.admission.switch_rules import IntakeState
from song_intake.admission.switch_state import IntakeStateStore
from song_intake.domain.reason import SHARED, Reason
from song_intake.domain.task import NoAnswer
from song_intake.ledger.table import LedgerUnavailable
from song_intake.music_api.credits import Balance
from tests.properties.simulation.one_item import OneItem
from tests.properties.simulation.profile import IS_CAMPAIGN
from tests.properties.simulation.silence import SILENT

SECONDS_TO_SWITCH = 60.0
EXAMPLES = 20_000 if IS_CAMPAIGN else 400


class _Crash(BaseException):
    """The end of the process, before a call of AWS."""


class _World:
    """Lambda's mapping, the item of the table, a clock, and a balance. `crash_in`: calls until the process dies."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.balance: Balance | NoAnswer = Balance(100, 0)
        self.crash_in: int | None = None
        self._is_on, self._until = True, 0.0
        self._item = OneItem()
        self.exceptions = self._item.exceptions
        self.switch = _Switch(self)

    def clock(self) -> float:
        return self.now

    def state(self) -> str:
        stem = "Enabl" if self._is_on else "Disabl"
        return stem + ("ing" if self.now < self._until else "ed")

    def set_mapping(self, *, is_on: bool) -> None:
        if self.now < self._until:
            error: Any = {"Error": {"Code": "ResourceInUseException", "Message": "simulated"}}
            raise ClientError(error, "UpdateEventSourceMapping")
        if self._is_on != is_on:
            self._is_on, self._until = is_on, self.now + SECONDS_TO_SWITCH

    def get_event_source_mapping(self, **_: object) -> dict[str, str]:
        self._call()
        return {"State": self.state()}

    def update_event_source_mapping(self, *, Enabled: bool, **_: object) -> None:  # noqa: N803 - boto3's name
        self._call()
        self.set_mapping(is_on=Enabled)

    def get_item(self, **arguments: object) -> dict[str, object]:
        self._call()
        return self._item.get_item(**arguments)

    def put_item(self, **arguments: Any) -> None:
        self._call()
        self._item.put_item(**arguments)

    def _call(self) -> None:
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                raise _Crash


class _Switch(IntakeSwitch):
    """The balance is the world's; everything else is as it ships."""

    def __init__(self, world: _World) -> None:
        this = cast("Any", world)
        super().__init__(
            music_api=cast("Any", None),
            secrets=cast("Any", None),
            token_secret_id="",
            signing_key_secret_id="",
            store=IntakeStateStore(this, "ledger"),
            mapping=IntakeMapping(this, "the-mapping"),
            telemetry=SILENT,
            budget=BudgetItem(this, "ledger", BudgetLimits(stack=0, sender=0)),
        )
        object.__setattr__(self, "world", world)

    def _seen(self, reason: Reason | None) -> Balance | NoAnswer:
        return self.balance()

    def balance(self) -> Balance | NoAnswer:
        return cast("_World", object.__getattribute__(self, "world")).balance


BALANCES = [Balance(100, 0), Balance(0, 0), NoAnswer(Reason.BALANCE_UNKNOWN), NoAnswer(Reason.CANNOT_CONNECT)]
EVENTS = st.one_of(
    st.tuples(st.just("fault"), st.sampled_from(sorted(SHARED)), st.sampled_from([0.0, 5.0, 300.0])),
    st.tuples(st.just("look")),
    st.tuples(st.just("operator"), st.sampled_from(["on", "off"])),
    st.tuples(st.just("deployment")),
    st.tuples(st.just("balance"), st.sampled_from(BALANCES)),
    st.tuples(st.just("pass"), st.sampled_from([1.0, 30.0, 59.0, 61.0, 400.0, 4000.0])),
)
STEPS = st.lists(st.tuples(EVENTS, st.none() | st.integers(0, 5)), max_size=14)


def _happen(world: _World, event: tuple[Any, ...]) -> None:
    match event:
        case ("fault", reason, ago):
            at = datetime.fromtimestamp(int(world.now - ago), UTC).isoformat()
            world.switch.handle({"detail-type": "Account Fault", "time": at, "detail": {"reason": reason}})
        case ("look",):
            world.switch.handle({"intake": "check"})
        case ("operator", command):
            world.switch.handle({"intake": command, "by": "ada"})
        case ("deployment",):
            # A deployment sets what the template says: enabled.
            world.set_mapping(is_on=True)
        case ("balance", balance):
            world.balance = balance
        case ("pass", seconds):
            world.now += seconds


def _run(steps: list[tuple[tuple[Any, ...], int | None]]) -> _World:
    world = _World()
    with mock.patch.object(time, "time", world.clock):
        for event, crash_in in steps:
            world.crash_in = crash_in
            with contextlib.suppress(_Crash, NotSwitched, LedgerUnavailable, ClientError):
                _happen(world, event)
        world.crash_in = None
        for _ in range(6):
            world.now += SECONDS_TO_SWITCH
            world.switch.handle({"intake": "check"})
    return world


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
@given(STEPS)
def test_the_mapping_ends_where_the_saved_state_wants_it(
    steps: list[tuple[tuple[Any, ...], int | None]],
) -> None:
    world = _run(steps)
    last = world.switch.store.last()
    wanted = IntakeState.ON if last is None else last.state
    # A change that began at the last check is still under way.
    assert (
        world.state() in {IntakeState.ON: ("Enabled", "Enabling"), IntakeState.OFF: ("Disabled", "Disabling")}[wanted]
    )


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
@given(STEPS, st.sampled_from(["on", "off"]))
def test_the_last_command_of_an_operator_wins_over_everything_but_a_later_fault(
    steps: list[tuple[tuple[Any, ...], int | None]], command: str
) -> None:
    world = _run([*steps, (("balance", Balance(100, 0)), None), (("pass", 61.0), None), (("operator", command), None)])
    last = world.switch.store.last()
    assert last is not None
    assert (last.state, last.by) == (command, "ada")


def test_the_operators_off_while_the_mapping_is_still_enabling_is_done_by_a_later_check() -> None:
    steps: list[Any] = [
        (("operator", "off"), None),
        (("pass", 61.0), None),
        (("operator", "on"), None),
        (("pass", 1.0), None),
        (("operator", "off"), None),
    ]
    assert _run(steps).state() == "Disabled"


@pytest.mark.parametrize("reason", sorted(SHARED))
def test_every_pause_ends_by_itself_where_the_balance_cannot_be_read(reason: Reason) -> None:
    steps: list[Any] = [(("balance", NoAnswer(Reason.BALANCE_UNKNOWN)), None), (("fault", reason, 0.0), None)]
    assert _run(steps).state() == "Enabled"
