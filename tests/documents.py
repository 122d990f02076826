"""The parts of a Markdown document that tests read: its code blocks with what they call, and the rows of its tables."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("aws", "make", "sam")
# In place of each program: it notes how it was called. Asked for an output of a stack, it prints the variable of this
# name.
_RECORDER = "".join(
    f"""{program}() {{
    printf '%s\\0' {program} "$@" END >> "$CALLS"
    if [[ "$*" =~ OutputKey==.([A-Za-z]+) ]]; then name=${{BASH_REMATCH[1]}}; echo "${{!name-}}"; fi
}}
"""
    for program in PROGRAMS
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code, with the heading above it."""

    heading: str
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.heading}: {self.code.strip().splitlines()[0]}"


def blocks_of(document: str) -> list[Block]:
    """Every block with a language, in order."""
    blocks: list[Block] = []
    heading = ""
    for title, language, code in re.findall(
        r"^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```$", document, flags=re.MULTILINE | re.DOTALL
    ):
        if title:
            heading = title
        else:
            blocks.append(Block(heading, language, code))
    return blocks


def section_of(document: str, heading: str) -> str:
    """The text under a heading, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", document, flags=re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {heading}"
    return found[1]


def rows_of(section: str) -> Iterator[list[str]]:
    """The cells of each row of its tables, without their heads."""
    lines = section.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_head = following.startswith("|-")
        if line.startswith("|") and not line.startswith("|-") and not is_head:
            yield [cell.strip() for cell in line.strip("|").split("|")]


def calls_of(script: str, folder: Path, outputs: Mapping[str, str] | None = None) -> list[list[str]]:
    """What a script for bash calls, in order, run by a real shell that calls none of it.

    folder: where the script writes what it redirects. outputs: the outputs of every stack.
    """
    noted = folder / "calls"
    environment = {"CALLS": str(noted), "PATH": "/usr/bin:/bin", **(outputs or {})}
    command = ["/bin/bash", "-euc", _RECORDER + script]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=30)
    return [call.split("\0") for call in noted.read_text(encoding="utf-8").split("\0END\0") if call]
