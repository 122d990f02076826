"""Pauses the intake while the account is at fault, and resumes it when the fault is gone.

{"detail-type": "Account Fault", ...}                        a fault, from the bus
{"intake": "check"}                                          the schedule
{"intake": "off" | "on" | "status", "by": "..."}             an operator

The state "off" is saved before the mapping is disabled; the mapping is enabled before the state "on" is saved. So a
crash in between leaves a saved "off" with an enabled mapping, which the next fault or check corrects, and never a
disabled mapping with no record of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from song_intake.admission.switch_rules import Fault, IntakeChange, IntakeState, after_check, after_fault
from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.ledger.table import LedgerUnavailable
from song_intake.music_api.token import ApiToken, TokenUnavailable
from song_intake.outgoing.events import ACCOUNT_FAULT

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from song_intake.admission.switch_state import IntakeStateStore
    from song_intake.music_api.client import MusicApi
    from song_intake.music_api.credits import Balance
    from song_intake.outgoing.telemetry import Telemetry

# Our choice: two invocations at once are rare, and every event is repeated or may be sent again.
_MOST_TRIES = 3

# A mapping that is still changing counts as changed.
# https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
_REACHED = {IntakeState.ON: frozenset(("Enabled", "Enabling")), IntakeState.OFF: frozenset(("Disabled", "Disabling"))}


class NotSwitched(Exception):
    """Lambda refused the change, perhaps because the mapping is still changing (ResourceInUseException): retry."""


class IntakeMapping:
    """The event source mapping from the request queue to submit_song. While it is disabled, requests stay queued."""

    def __init__(self, functions: LambdaClient, uuid: str) -> None:
        self._functions = functions
        self._uuid = uuid

    def state(self) -> str:
        """The state, as Lambda names it. Raises NotSwitched."""
        try:
            return self._functions.get_event_source_mapping(UUID=self._uuid)["State"]
        except AWS_FAILURES as failure:
            raise NotSwitched(code_of(failure)) from None

    def switch(self, state: IntakeState) -> None:
        """Enable or disable the mapping, unless that is done already. Raises NotSwitched."""
        if self.state() in _REACHED[state]:
            return
        try:
            self._functions.update_event_source_mapping(UUID=self._uuid, Enabled=state is IntakeState.ON)
        except AWS_FAILURES as failure:
            raise NotSwitched(code_of(failure)) from None


def is_paused(state: str) -> bool:
    """Whether a mapping in this state delivers nothing, or soon will deliver nothing."""
    return state in _REACHED[IntakeState.OFF]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IntakeSwitch:
    """Handles the events above. A repeated event is harmless."""

    music_api: MusicApi
    secrets: SecretsManagerClient
    token_secret_id: str
    store: IntakeStateStore
    mapping: IntakeMapping
    telemetry: Telemetry

    def handle(self, event: Mapping[str, object]) -> dict[str, object]:
        """Handle one event, and return the state of the intake after it.

        Raises NotSwitched and LedgerUnavailable for a fault and for the schedule, so that the event is repeated. For
        an operator, both are returned as `error`. An event of another form returns `refused`.
        """
        match event:
            case {"detail-type": str(kind), "detail": {"reason": str(reason)}, "time": str(at)} if (
                kind == ACCOUNT_FAULT
            ):
                return self._on_fault(Fault(Reason(reason), datetime.fromisoformat(at).timestamp()))
            case {"intake": "check" | "look"}:
                return self._on_schedule()
            case {"intake": "on" | "off" | "status" as command}:
                try:
                    return self._on_command(command, str(event.get("by") or "unnamed")[:256])
                except (NotSwitched, LedgerUnavailable) as failure:
                    return {"error": f"{type(failure).__name__}: {failure}"}
            case _:
                return {"refused": 'send {"intake": "off"}, {"intake": "on"} or {"intake": "status"}'}

    def balance(self) -> Balance | NoAnswer:
        """The account's balance. The token is read from its secret each time: it may have been replaced."""
        try:
            token = ApiToken(self.secrets, self.token_secret_id).current()
        except TokenUnavailable:
            return NoAnswer(Reason.TOKEN_UNAVAILABLE)
        return self.music_api.credits(token.value)

    def _on_fault(self, fault: Fault) -> dict[str, object]:
        balance = self.balance()
        if is_paused(self.mapping.state()):
            # Paused by this function, or by an operator in the console: the latter pause must not be ended here.
            return self._report(self.store.last(), balance)
        last = self._save(lambda last: after_fault(last, fault, balance, time.time()))
        if last is not None and last.state is IntakeState.OFF:
            # Also if "off" was saved before: a deployment or an operator in the console may have enabled the mapping.
            self.mapping.switch(IntakeState.OFF)
        return self._report(last, balance)

    def _on_schedule(self) -> dict[str, object]:
        balance, last = self.balance(), self.store.last()
        after = after_check(last, balance, time.time())
        if after is not None and after is not last:
            self.mapping.switch(IntakeState.ON)
            if not self.store.save(after, instead_of=last):
                # An operator's command arrived in between, and has priority.
                after = self.store.last()
                self.mapping.switch(after.state if after else IntakeState.ON)
        return self._report(after, balance)

    def _on_command(self, command: str, by: str) -> dict[str, object]:
        last = self.store.last()
        if command == IntakeState.ON:
            self.mapping.switch(IntakeState.ON)
        if command in tuple(IntakeState):
            change = IntakeChange(IntakeState(command), by, time.time())
            last = self._save(lambda _: change)
        if command == IntakeState.OFF:
            self.mapping.switch(IntakeState.OFF)
        return self._report(last, self.balance())

    def _save(self, decide: Callable[[IntakeChange | None], IntakeChange | None]) -> IntakeChange | None:
        """Save the change that `decide` returns. It is called again if another invocation saved a change in between."""
        for _ in range(_MOST_TRIES):
            last = self.store.last()
            after = decide(last)
            if after is None or after == last or self.store.save(after, instead_of=last):
                return after
        raise LedgerUnavailable("concurrent updates to the intake state; try again")

    def _report(self, last: IntakeChange | None, balance: Balance | NoAnswer) -> dict[str, object]:
        state = self.mapping.state()
        self.telemetry.intake(balance, last.reason if last else None, paused=is_paused(state))
        switched = {name: value for name, value in asdict(last).items() if value} if last else {}
        return {"mapping": state, "switched": switched, "account": asdict(balance)}
