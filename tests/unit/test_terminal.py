"""What the commands and `make run` print cannot steer a terminal."""

import json

import pytest

from song_intake.commands.terminal import print_json, print_line, print_note, printable
from tests.local.run import terminal

ESCAPED = {
    "a colour": ("\x1b[31mred", "\\u001b[31mred"),
    "a title of the window": ("\x1b]0;title\a", "\\u001b]0;title\\u0007"),
    "a C1 control": ("\x9b2J", "\\u009b2J"),
    "DEL": ("\x7f", "\\u007f"),
    "a line that is overwritten": ("done\rfailed", "done\\rfailed"),
    "another line": ("one\ntwo\u2028three\x85", "one\\ntwo\\u2028three\\u0085"),
    "the direction of text": ("a\u202eb\u2066c\u200f", "a\\u202eb\\u2066c\\u200f"),
    "a tag": ("\U000e0041", "\\udb40\\udc41"),
    "half a surrogate pair": ("\ud800", "\\ud800"),
}


@pytest.mark.parametrize(("text", "shown"), ESCAPED.values(), ids=ESCAPED)
def test_what_could_steer_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == terminal.printable(text) == shown


@pytest.mark.parametrize(
    "text", ["", "Grüße, 世界 🎵", "order-4711:song-1", 'a \\ and a "', "\u0645\u0631\u062d\u0628\u0627"]
)
def test_other_text_is_printed_as_it_is(text: str) -> None:
    assert printable(text) == terminal.printable(text) == text


def test_a_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("one\r\ntwo")
    print_note("one\r\ntwo")
    assert capsys.readouterr() == ("one\\r\\ntwo\n", "one\\r\\ntwo\n")


def test_a_response_is_printed_as_json_of_the_same_value(capsys: pytest.CaptureFixture[str]) -> None:
    response = {"metadata": {name: text for name, (text, _) in ESCAPED.items()}, "more": ["Grüße"]}
    print_json(response)
    printed = capsys.readouterr().out
    assert json.loads(printed) == response
    assert "Grüße" in printed
    assert all(line.isprintable() for line in printed.split("\n"))
    assert printed.count("\n") > len(ESCAPED)
