"""Colours on a terminal, plain text in a pipe."""

import pytest

from constructs_lib.cli.table import Column, shown_width, table
from constructs_lib.cli.terminal import Terminal
from tests.constructs_lib.cli.text_stream import Stream


@pytest.mark.parametrize(
    ("is_terminal", "environment", "colours"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"TERM": "xterm"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(is_terminal, environment, colours):
    terminal = Terminal.of(Stream(is_terminal=is_terminal), environment)
    assert terminal.colours is colours
    assert terminal.paint("x", "red", "bold") == ("\x1b[31;1mx\x1b[0m" if colours else "x")


@pytest.mark.parametrize(
    ("encoding", "takes"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("what", False)]
)
def test_an_encoding_decides_which_characters_are_written(encoding, takes):
    terminal = Terminal.of(Stream(encoding=encoding), {})
    terminal.say("1 × A → B … ö")
    assert terminal.unicode is takes
    assert terminal.stream.getvalue() == ("1 × A → B … ö\n" if takes else "1 x A -> B ... ?\n")


def test_columns_are_aligned_whatever_their_colours():
    lines = table([Column("NAME"), Column("N", right=True)], [["\x1b[31ma\x1b[0m", "1"], ["long name", "1000"]], 80)
    assert lines == ["NAME          N", "\x1b[31ma\x1b[0m             1", "long name  1000"]


def test_wide_characters_take_two_columns():
    assert shown_width("日本") == 4
    assert table([Column("A"), Column("B")], [["日本", "x"], ["abcd", "y"]], 80)[1:] == ["日本  x", "abcd  y"]


def test_the_last_column_is_broken_into_lines():
    lines = table([Column("A"), Column("WHY", wrap=True)], [["x", "one two three four five six seven"]], 30)
    assert lines == ["A  WHY", "x  one two three four five six", "   seven"]
    assert max(map(len, lines)) == 30
