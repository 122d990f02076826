"""Switches the intake off when the account is at fault, and on again when it is not.

{"detail-type": "Account Fault", ...}                        a fault, from the bus
{"intake": "look"}                                           the schedule
{"intake": "off" | "on" | "status", "by": "..."}             an operator

Off is remembered first and then done, on is done first and then remembered: whoever dies in between leaves an intake
that is off on paper, which the next fault or the next look puts right, and never one that is off and forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from song_intake.account_fault import DETAIL_TYPE
from song_intake.intake_mapping import NotSwitched, is_paused
from song_intake.intake_position import Fault, Position, Switched, after_fault, after_look
from song_intake.ledger_table import LedgerUnavailable
from song_intake.reason import Reason

if TYPE_CHECKING:
    from song_intake.account import Account
    from song_intake.credits_answer import Balance
    from song_intake.intake_mapping import IntakeMapping
    from song_intake.intake_memory import IntakeMemory
    from song_intake.task_state import NotTold
    from song_intake.telemetry import Telemetry

_MOST_TURNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSwitch:
    account: Account
    memory: IntakeMemory
    mapping: IntakeMapping
    telemetry: Telemetry

    def take(self, event: Mapping[str, object]) -> dict[str, object]:
        """How the intake is now. Raises NotSwitched and LedgerUnavailable to the schedule and to the bus, which invoke
        again; an operator hears of them as an `error`, and of a word that is none as `refused`.
        """
        match event:
            case {"detail-type": str(kind), "detail": {"reason": str(reason)}, "time": str(at)} if kind == DETAIL_TYPE:
                return self._hear(Fault(Reason(reason), datetime.fromisoformat(at).timestamp()))
            case {"intake": "look"}:
                return self._look()
            case {"intake": "on" | "off" | "status" as word}:
                try:
                    return self._obey(word, str(event.get("by") or "unnamed")[:256])
                except (NotSwitched, LedgerUnavailable) as failure:
                    return {"error": f"{type(failure).__name__}: {failure}"}
            case _:
                return {"refused": 'give {"intake": "off"}, {"intake": "on"} or {"intake": "status"}'}

    def _hear(self, fault: Fault) -> dict[str, object]:
        told = self.account.balance()
        if is_paused(self.mapping.state()):
            # By us; or by somebody elsewhere, and then it is not for us to end.
            return self._told(self.memory.last(), told)
        last = self._remember(lambda last: after_fault(last, fault, told, time.time()))
        if last is not None and last.position is Position.OFF:
            # Also when it is remembered as off: a deployment, or somebody elsewhere, may have switched the mapping on.
            self.mapping.switch(Position.OFF)
        return self._told(last, told)

    def _look(self) -> dict[str, object]:
        told, last = self.account.balance(), self.memory.last()
        after = after_look(last, told, time.time())
        if after is not None and after is not last:
            self.mapping.switch(Position.ON)
            if not self.memory.keep(after, instead_of=last):
                # An operator's word came in between, and it counts.
                after = self.memory.last()
                self.mapping.switch(after.position if after else Position.ON)
        return self._told(after, told)

    def _obey(self, word: str, by: str) -> dict[str, object]:
        last = self.memory.last()
        if word == Position.ON:
            self.mapping.switch(Position.ON)
        if word in tuple(Position):
            said = Switched(Position(word), by, time.time())
            last = self._remember(lambda _: said)
        if word == Position.OFF:
            self.mapping.switch(Position.OFF)
        return self._told(last, self.account.balance())

    def _remember(self, decide: Callable[[Switched | None], Switched | None]) -> Switched | None:
        """What is remembered after that. Decided anew where somebody else was quicker."""
        for _ in range(_MOST_TURNS):
            last = self.memory.last()
            after = decide(last)
            if after is None or after == last or self.memory.keep(after, instead_of=last):
                return after
        raise LedgerUnavailable("others switch the intake all the time")

    def _told(self, last: Switched | None, told: Balance | NotTold) -> dict[str, object]:
        state = self.mapping.state()
        self.telemetry.intake(told, last.reason if last else None, paused=is_paused(state))
        switched = {name: value for name, value in asdict(last).items() if value} if last else {}
        return {"mapping": state, "switched": switched, "account": asdict(told)}
