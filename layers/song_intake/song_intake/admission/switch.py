"""Pauses the intake while a shared fault lasts, and resumes it when the fault is gone.

{"detail-type": "Account Fault", ...}                        a fault, from the bus
{"intake": "check"}                                          the schedule, each minute
{"intake": "off" | "on" | "status", "by": "..."}             an operator

The wanted state is saved first, and the mapping follows it: at once, or at one of the next checks. So a crash or a
refusal in between leaves a difference that the next check corrects (admission/switch_rules).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from song_intake.admission.budget_item import day_of
from song_intake.admission.switch_rules import (
    FAULTS_OF_THE_SECRETS,
    Fault,
    IntakeChange,
    IntakeState,
    after_check,
    after_fault,
    is_disabled_elsewhere,
    is_paused,
    mapping_change,
    seen_in,
)
from song_intake.aws.failure import AWS_FAILURES, code_of
from song_intake.aws.signing_key import KeyUnavailable, SigningKeys
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer
from song_intake.ledger.table import LedgerUnavailable
from song_intake.music_api.token import ApiToken, TokenUnavailable
from song_intake.outgoing.events import ACCOUNT_FAULT

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from song_intake.admission.budget_item import BudgetItem
    from song_intake.admission.switch_state import IntakeStateStore
    from song_intake.music_api.client import MusicApi
    from song_intake.music_api.credits import Balance
    from song_intake.outgoing.telemetry import Telemetry

_MOST_TRIES = 3

MINUTES_BETWEEN_BALANCES = 5
"""The balance is read at every check of a pause, and else each so many minutes."""

_STILL_CHANGING = "ResourceInUseException"

_LAST_MOMENT = datetime.max.replace(tzinfo=UTC).timestamp()


class NotSwitched(Exception):
    """Lambda refused the call; the text is its code."""


class IntakeMapping:
    """The event source mapping from the request queue to submit_song. Disabled, it leaves the requests unreceived."""

    def __init__(self, functions: LambdaClient, uuid: str) -> None:
        self._functions = functions
        self._uuid = uuid

    def state(self) -> str:
        """Lambda's name of the state. Raises NotSwitched."""
        try:
            return self._functions.get_event_source_mapping(UUID=self._uuid)["State"]
        except AWS_FAILURES as failure:
            raise NotSwitched(code_of(failure)) from None

    def switch(self, state: IntakeState) -> None:
        """Raises NotSwitched."""
        try:
            self._functions.update_event_source_mapping(UUID=self._uuid, Enabled=state is IntakeState.ON)
        except AWS_FAILURES as failure:
            raise NotSwitched(code_of(failure)) from None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IntakeSwitch:
    music_api: MusicApi
    secrets: SecretsManagerClient
    token_secret_id: str
    signing_key_secret_id: str
    store: IntakeStateStore
    mapping: IntakeMapping
    telemetry: Telemetry
    budget: BudgetItem

    def handle(self, event: Mapping[str, object]) -> dict[str, object]:
        """The state of the intake after this event.

        Raises NotSwitched and LedgerUnavailable to the schedule and to the bus, which invoke again. An operator gets
        them as an `error`, and an event of another form as `refused`.
        """
        if fault := _fault_in(event):
            return self._on_fault(fault)
        match event:
            case {"intake": "check" | "look"}:
                return self._on_schedule()
            case {"intake": "on" | "off" | "status" as command}:
                try:
                    return self._on_command(command, _operator_in(event))
                except (NotSwitched, LedgerUnavailable) as failure:
                    return {"error": f"{type(failure).__name__}: {failure}"}
            case _:
                return {"refused": 'give {"intake": "off"}, {"intake": "on"} or {"intake": "status"}'}

    def balance(self) -> Balance | NoAnswer:
        """The balance, with the token as the secret holds it now: a process that starts now would use the same."""
        try:
            token = ApiToken(self.secrets, self.token_secret_id).current()
        except TokenUnavailable as failure:
            return NoAnswer(_reason_of(failure))
        return self.music_api.credits(token.value)

    def _seen(self, reason: Reason | None) -> Balance | NoAnswer:
        """What shows whether the cause of a pause lasts: the balance, or first the budget, or the secrets."""
        if reason is Reason.BUDGET_SPENT and self.budget.is_spent(day_of(time.time())):
            return NoAnswer(reason)
        if reason in FAULTS_OF_THE_SECRETS:
            try:
                SigningKeys(self.secrets, self.signing_key_secret_id).current_first()
            except KeyUnavailable as failure:
                return NoAnswer(Reason.SECRETS_UNAVAILABLE if failure.is_transient else Reason.SIGNING_KEY_UNAVAILABLE)
        return self.balance()

    def _on_fault(self, fault: Fault) -> dict[str, object]:
        balance = self._seen(fault.reason)
        if is_disabled_elsewhere(self.store.last(), self.mapping.state()):
            # Nothing is delivered, and a pause of ours would end what somebody did on purpose.
            return self._report(self.store.last(), balance)
        last = self._save(lambda last: after_fault(last, fault, balance, time.time()))
        return self._report(self._align(last), balance)

    def _on_schedule(self) -> dict[str, object]:
        last, now = self.store.last(), time.time()
        is_off = last is not None and last.state is IntakeState.OFF
        if not is_off and int(now // 60) % MINUTES_BETWEEN_BALANCES:
            self._align(last)
            return {}
        balance = self._seen(last.reason if last else None)
        last = self._save(lambda last: after_check(last, balance, time.time()))
        return self._report(self._align(last), balance)

    def _on_command(self, command: str, by: str) -> dict[str, object]:
        last = self.store.last()
        if command in tuple(IntakeState):
            change = IntakeChange(IntakeState(command), by, time.time())
            last = self._save(lambda _: change)
        return self._report(self._align(last), self.balance())

    def _save(self, decide: Callable[[IntakeChange | None], IntakeChange | None]) -> IntakeChange | None:
        """The saved change. Decided again if another invocation saved one in between."""
        for _ in range(_MOST_TRIES):
            last = self.store.last()
            after = decide(last)
            if after is None or after == last or self.store.save(after, instead_of=last):
                return after
        raise LedgerUnavailable("concurrent updates to the intake state; try again")

    def _align(self, last: IntakeChange | None) -> IntakeChange | None:
        """Make the mapping follow the saved state. One that Lambda still changes is left to the next check."""
        state = self.mapping.state()
        if wanted := mapping_change(last, state):
            try:
                self.mapping.switch(wanted)
            except NotSwitched as failure:
                if str(failure) != _STILL_CHANGING:
                    raise
        if last is None or (seen := seen_in(last, state)) == last:
            return last
        # If another change was saved in between, the mark is not needed.
        return seen if self.store.save(seen, instead_of=last) else self.store.last()

    def _report(self, last: IntakeChange | None, balance: Balance | NoAnswer) -> dict[str, object]:
        state = self.mapping.state()
        if isinstance(balance, NoAnswer) and balance.reason is Reason.BUDGET_SPENT:
            balance = self.balance()
        self.telemetry.intake(
            balance,
            last.reason if last else None,
            paused=is_paused(last, state),
            disabled_elsewhere=is_disabled_elsewhere(last, state),
        )
        switched = {name: value for name, value in asdict(last).items() if value} if last else {}
        return {"mapping": state, "switched": switched, "account": asdict(balance)}


def _reason_of(failure: TokenUnavailable) -> Reason:
    if failure.is_transient:
        return Reason.SECRETS_UNAVAILABLE
    return Reason.TOKEN_NEVER_SET if failure.is_empty else Reason.TOKEN_UNAVAILABLE


def _fault_in(event: Mapping[str, object]) -> Fault | None:
    """The fault that an event of the bus reports; None for any other event."""
    match event:
        case {"detail-type": str(kind), "detail": {"reason": str(reason), **others}, "time": str(at)} if (
            kind == ACCOUNT_FAULT and reason in tuple(Reason)
        ):
            try:
                moment = datetime.fromisoformat(at).timestamp()
            except (ValueError, OverflowError):
                return None
            return Fault(Reason(reason), moment, _moment(others.get("until")))
        case _:
            return None


def _operator_in(event: Mapping[str, object]) -> str:
    """Who sent the command. The ledger cannot hold half a surrogate pair, and no name has one."""
    by = str(event.get("by") or "")[:256]
    return by if by and by.isprintable() else "unnamed"


def _moment(value: object) -> float | None:
    """Seconds since 1970; None for anything else, and for a moment that no clock shows."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _LAST_MOMENT else None
