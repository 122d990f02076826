"""The picture of `make run` in the README: the first and the last lines of a run, for light and for dark pages.

python -m tests.pictures.still  runs the stack, and draws what it printed; with a file, draws the output in that file
"""

import io
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.local.run.display import OTHER_STYLE, STYLES

PICTURES: Final = Path(__file__).parents[2] / "functions" / "pictures"
COLUMNS: Final = 80
FIRST_LINES: Final = 12
LAST_LINE: Final = "Everything ended as expected."
COLOURS: Final = {"dead letter": OTHER_STYLE, "REJECTED": OTHER_STYLE, "FAILED": OTHER_STYLE, **STYLES}
# Rich's own format loads its fonts from a server. A page that shows a picture does not permit that.
FORMAT: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>make run</title>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
# GitHub's colours for light and dark pages.
_ANSI: Final = [(36, 41, 47), (207, 34, 46), (17, 99, 41), (77, 45, 0), (9, 105, 218), (130, 80, 223), (27, 124, 131)]
_DARK: Final = [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255)]
THEMES: Final = {
    "light": TerminalTheme((246, 248, 250), (31, 35, 40), [*_ANSI, (110, 119, 129)]),
    "dark": TerminalTheme((21, 27, 35), (230, 237, 243), [*_DARK, (57, 197, 207), (177, 186, 196)]),
}


def excerpt(output: str) -> list[str]:
    """The first lines of the table, and the whole summary behind it."""
    table, separator, summary = output.partition("\nThe ")
    if not separator:
        raise ValueError("the run has no summary")
    lines = table.splitlines()
    begin = next(number for number, line in enumerate(lines) if "task_id or reason" in line)
    summary, end, _ = summary.partition(LAST_LINE)
    return [*lines[begin : begin + FIRST_LINES], "...", "", *f"{separator.lstrip()}{summary}{end}".splitlines()]


def draw(lines: Sequence[str], folder: Path) -> None:
    """Write `run-light.svg` and `run-dark.svg`."""
    for name, theme in THEMES.items():
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor", force_terminal=True)
        for line in lines:
            console.print(_coloured(line), no_wrap=True, overflow="ellipsis")
        svg = console.export_svg(title="make run", theme=theme, code_format=FORMAT, unique_id="run")
        (folder / f"run-{name}.svg").write_text(svg, encoding="utf-8")


def _coloured(line: str) -> Text:
    text = Text(line)
    for status in re.finditer(rf"\b(?:{'|'.join(COLOURS)})(?=  )", line):
        text.stylize(COLOURS[status.group()], *status.span())
    if line.startswith((LAST_LINE, "songs paid")):
        text.stylize("bold")
    return text


def main(file: str | None = None) -> None:
    if file:
        output = Path(file).read_text(encoding="utf-8")
    else:
        command = [sys.executable, "-m", "tests.local.run", "--port", "0"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    draw(excerpt(output), PICTURES)


if __name__ == "__main__":
    main(*sys.argv[1:])
