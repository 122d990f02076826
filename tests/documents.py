"""The parts of a Markdown document that tests read: its code blocks, its sections and the rows of their tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


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
