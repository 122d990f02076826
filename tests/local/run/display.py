"""Shows the progress of a run: a live table in a terminal, plain lines everywhere else."""

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

from tests.local.run.progress import QUEUED, Display, Snapshot, Tracked
from tests.local.run.terminal import printable

Cells: TypeAlias = tuple[str, str, str, str]
HEADER: Final[Cells] = ("request", "status", "task_id or reason", "creates")
STYLES: Final = {"SUBMITTED": "cyan", "SUCCEEDED": "green", "IN_DOUBT": "magenta", "RETRYING": "yellow"}
OTHER_STYLE: Final = "red"
# Kept free below the unfinished requests: a line with the number of further ones, the bar, and margins.
LINES_BELOW: Final = 6
LEAST_LINES: Final = 3
WIDEST: Final = 80
BAR_WIDTH: Final = 24


def is_terminal() -> bool:
    """Whether a user reads the output and can type."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def display(cases: int) -> Iterator[Display]:
    """The display of `cases` requests that suits stdout."""
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
        self.print_line(_PLAIN.format("s", *HEADER))

    def print_line(self, line: str) -> None:
        print(printable(line), flush=True)  # noqa: T201

    def show(self, snapshot: Snapshot) -> None:
        at = f"{time.monotonic() - self._began:.1f}"
        for tracked in snapshot.changed:
            if tracked.state.status != QUEUED.status:
                self.print_line(_PLAIN.format(at, *_cells(tracked)))


_PLAIN: Final = "{:>5} {:<33}  {:<11}  {:<17} {:>7}"


class LiveTable:
    """One table: lines of ended requests are final, unfinished requests are redrawn below them, above a bar."""

    def __init__(self, console: Console, live: Live, cases: int) -> None:
        self._console = console
        self._live = live
        self._cases = cases
        self._console.print(self._line(HEADER, "bold"))

    def print_line(self, line: str) -> None:
        self._console.print(Text(printable(line), style="dim"))

    def show(self, snapshot: Snapshot) -> None:
        # The lower part first, so that no request is in both parts when the upper part is printed.
        self._live.update(Group(*self._below(snapshot)))
        ended = [tracked for tracked in snapshot.changed if tracked.state.ended]
        if ended:
            lines = (self._line(_cells(one), STYLES.get(one.state.status, OTHER_STYLE)) for one in ended)
            self._console.print(Group(*lines))
        self._live.refresh()

    def _below(self, snapshot: Snapshot) -> Iterator[RenderableType]:
        fitting = max(self._console.height - LINES_BELOW, LEAST_LINES)
        for tracked in snapshot.unfinished[:fitting]:
            yield self._line(_cells(tracked), style=STYLES.get(tracked.state.status, ""))
        if len(snapshot.unfinished) > fitting:
            yield Text(f"... and {len(snapshot.unfinished) - fitting} more")
        yield Text()
        yield self._bar(snapshot)

    def _bar(self, snapshot: Snapshot) -> RenderableType:
        bar = Table.grid(padding=(0, 2))
        # A message stays queued until its next receive although its request has ended: a duplicate that waits for the
        # claim of the first, or a message that waited for a webhook.
        messages = "messages queued" if snapshot.unfinished else "of their messages still queued"
        count = f"{snapshot.ended} of {self._cases} ended, {snapshot.in_queue} {messages}"
        bar.add_row(ProgressBar(total=self._cases, completed=snapshot.ended, width=BAR_WIDTH), Text(count))
        return bar

    def _line(self, cells: Cells, style: str) -> Table:
        """One line of the table. All lines have the same column widths, so that they align when printed apart."""
        request, status, outcome, creates = cells
        line = Table.grid(padding=(0, 2), expand=True)
        line.width = min(self._console.width, WIDEST)
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        line.add_column(width=11, no_wrap=True)
        line.add_column(width=17, no_wrap=True, overflow="ellipsis")
        line.add_column(width=7, justify="right")
        line.add_row(Text(request), Text(status, style), Text(outcome, style), Text(creates))
        return line


def _cells(tracked: Tracked) -> Cells:
    state = tracked.state
    return printable(tracked.case.name), printable(state.status), printable(state.outcome), str(state.creates)
