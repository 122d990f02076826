"""Shows a run while it goes on: a table that moves in a terminal, plain lines everywhere else."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tests.local.run.progress import QUEUED, Display, Look, Tracked

Cells: TypeAlias = tuple[str, str, str, str]
HEADER: Final[Cells] = ("request", "status", "task_id or reason", "creates")
STYLES: Final = {"SUBMITTED": "cyan", "SUCCEEDED": "green", "IN_DOUBT": "magenta", "RETRYING": "yellow"}
OTHER_STYLE: Final = "red"
# Kept free below the requests under way: the line that says how many more there are, the bar, and some air.
LINES_BELOW: Final = 6
LEAST_LINES: Final = 3
WIDEST: Final = 100


def is_terminal() -> bool:
    """Whether somebody sits there, who reads and can type."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def display(cases: int) -> Iterator[Display]:
    """The way to show so many cases that fits where stdout goes."""
    is_smart = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    if not is_smart:
        yield PlainLines()
        return
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield LiveTable(console, live, cases)


class PlainLines:
    """A line for each change, with no control characters: for a file, a pipe, a dumb terminal, and with NO_COLOR."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.say(_PLAIN.format("s", *HEADER))

    def say(self, line: str) -> None:
        print(line, flush=True)  # noqa: T201

    def show(self, look: Look) -> None:
        at = f"{time.monotonic() - self._began:.1f}"
        for tracked in look.changed:
            if tracked.state.status != QUEUED.status:
                self.say(_PLAIN.format(at, *_cells(tracked)))


_PLAIN: Final = "{:>5}  {:<33}  {:<11}  {:<36}  {:>7}"


class LiveTable:
    """One table: what has ended stays where it is, what is under way moves below it, and a bar closes it."""

    def __init__(self, console: Console, live: Live, cases: int) -> None:
        self._console = console
        self._live = live
        self._cases = cases
        self._console.print(self._line(HEADER, "bold"))

    def say(self, line: str) -> None:
        self._console.print(Text(line, style="dim"))

    def show(self, look: Look) -> None:
        # First, so that no request stands in both parts when the upper one is printed.
        self._live.update(Group(*self._below(look)))
        ended = [tracked for tracked in look.changed if tracked.state.ended]
        if ended:
            lines = (self._line(_cells(one), STYLES.get(one.state.status, OTHER_STYLE)) for one in ended)
            self._console.print(Group(*lines))
        self._live.refresh()

    def _below(self, look: Look) -> Iterator[RenderableType]:
        fitting = max(self._console.height - LINES_BELOW, LEAST_LINES)
        for tracked in look.under_way[:fitting]:
            yield self._line(_cells(tracked), style=STYLES.get(tracked.state.status, ""))
        if len(look.under_way) > fitting:
            yield Text(f"... and {len(look.under_way) - fitting} more")
        yield Text()
        yield self._bar(look)

    def _bar(self, look: Look) -> RenderableType:
        bar = Table.grid(padding=(0, 2))
        # A message whose request has ended only learns that when it is looked at again: one more of the same that waits
        # for the claim it met, or one that waited for a webhook.
        left = "messages" if look.under_way else "messages of these"
        count = f"{look.ended} of {self._cases} ended, {look.in_queue} {left} in the queue"
        bar.add_row(ProgressBar(total=self._cases, completed=look.ended, width=32), Text(count))
        return bar

    def _line(self, cells: Cells, style: str) -> Table:
        """One line of the table. All have the same widths, so that lines printed apart stand below each other."""
        request, status, outcome, creates = cells
        line = Table.grid(padding=(0, 2), expand=True)
        line.width = min(self._console.width, WIDEST)
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        line.add_column(width=11, no_wrap=True)
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        line.add_column(width=7, justify="right")
        line.add_row(Text(request), Text(status, style), Text(outcome, style), Text(creates))
        return line


def _cells(tracked: Tracked) -> Cells:
    state = tracked.state
    return tracked.case.name, state.status, state.outcome, str(state.creates)
