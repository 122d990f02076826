"""Checks that the intake can be switched off and on again, as `make intake` does it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from song_intake.admission.switch_rules import IntakeState
from song_intake.commands.checkup import CheckFailed, Finding, failed, passed
from song_intake.commands.deployed import why_closed

if TYPE_CHECKING:
    from song_intake.commands.deployed import DeployedStack


def check_mapping(stack: DeployedStack) -> Finding:
    """Switch the mapping off and on again. An intake that is not open is left as it is."""
    response, _ = stack.switch_intake("status")
    switched = cast("Mapping[str, object]", response.get("switched") or {})
    if response.get("mapping") == "Disabled" and switched.get("state") != IntakeState.OFF:
        return failed(
            "the mapping was disabled elsewhere, so requests wait: unless that was on purpose, switch it on by "
            f"`make intake STACK={stack.name} ON=1`"
        )
    stack.require_open_intake()
    with _open_again(stack):
        _command(stack, "off")
        off_after = _seconds_until(stack, "Disabled")
    on_after = _seconds_until(stack, "Enabled")
    return passed(
        "read, switched off, and switched on again",
        f"Lambda reported the mapping as Disabled after {off_after:.0f} s, and as Enabled after {on_after:.0f} s",
    )


@contextmanager
def _open_again(stack: DeployedStack) -> Iterator[None]:
    """Switch the intake on at the end, also after a failure or Ctrl-C."""
    try:
        yield
    finally:
        _command(stack, "on")


def _seconds_until(stack: DeployedStack, state: str) -> float:
    """Wait until the mapping is in this state. Raises CheckFailed if that takes too long."""
    began = time.monotonic()

    # "status" also corrects a mapping that Lambda did not let switch_intake change at once.
    def reached() -> bool | None:
        return stack.switch_intake("status")[0].get("mapping") == state or None

    if not stack.wait_for(reached):
        raise CheckFailed(
            f"the mapping is not {state} after {stack.waiting.short:.0f} s: see `make intake STACK={stack.name}`, and "
            "switch it on with ON=1"
        )
    return time.monotonic() - began


def _command(stack: DeployedStack, command: str) -> None:
    response, is_done = stack.switch_intake(command)
    if not is_done:
        raise CheckFailed(
            f"switch_intake could not switch {command} ({why_closed(response)}): read its log, then see "
            f"`make intake STACK={stack.name}`"
        )
