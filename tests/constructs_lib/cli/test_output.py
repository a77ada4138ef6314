"""Colours on a terminal, plain text in a pipe."""

import pytest
from rich.text import Text

from constructs_lib.cli.output import Column, Output
from tests.constructs_lib.cli.text_stream import TextStream


def printed(columns, rows, **stream):
    text = TextStream(**stream)
    Output(text).print_table(columns, rows)
    return text.getvalue().splitlines()


@pytest.mark.parametrize(
    ("is_terminal", "environment", "colours"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"TERM": "xterm"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_a_terminal_gets_colours_unless_the_environment_forbids_them(monkeypatch, is_terminal, environment, colours):
    for name, value in {"TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    stream = TextStream(is_terminal=is_terminal)
    Output(stream).print(Text("x", "bold red"))
    assert stream.getvalue() == ("\x1b[1;31mx\x1b[0m\n" if colours else "x\n")


@pytest.mark.parametrize(
    ("encoding", "unicode"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("unknown", False)]
)
def test_the_encoding_of_a_stream_decides_which_characters_are_written(encoding, unicode):
    stream = TextStream(encoding=encoding)
    out = Output(stream)
    out.print("1 × A → B … ö")
    assert out.unicode is unicode
    assert stream.getvalue() == ("1 × A → B … ö\n" if unicode else "1 x A -> B ... ?\n")


def test_strings_are_written_without_markup_or_emoji_codes():
    stream = TextStream()
    Output(stream).print("[bold]x[/] :smile: 'y' 42")
    assert stream.getvalue() == "[bold]x[/] :smile: 'y' 42\n"
    assert printed([Column("A")], [["[red]"]]) == ["A", "[red]"]


def test_columns_are_aligned_with_and_without_colours(monkeypatch):
    columns = [Column("NAME"), Column("N", is_number=True)]
    rows = [[Text("a", "red"), "1"], ["long name", "1000"]]
    assert printed(columns, rows) == ["NAME          N", "a             1", "long name  1000"]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert printed(columns, rows)[1:] == ["\x1b[31ma        \x1b[0m     1", "long name  1000"]


def test_wide_characters_take_two_columns():
    assert printed([Column("A"), Column("B")], [["日本", "x"], ["abcd", "y"]])[1:] == ["日本  x", "abcd  y"]


def test_a_narrow_terminal_wraps_text_but_never_names_numbers_or_words(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    columns, rows = [Column("A"), Column("WHY", wraps=True)], [["x y", "one two three four five six seven"]]
    assert printed(columns, rows, is_terminal=True) == ["A    WHY", "x y  one two three four five", "     six seven"]
    monkeypatch.setenv("COLUMNS", "12")
    columns = [Column("NAME"), Column("WHY", wraps=True), Column("N", is_number=True)]
    assert printed(columns, [["ml.g5.2xlarge", "a word", "131,072"]], is_terminal=True) == [
        "NAME           WHY         N",
        "ml.g5.2xlarge  a     131,072",
        "               word",
    ]


def test_a_row_is_one_line_in_a_pipe():
    assert printed([Column("A"), Column("WHY", wraps=True)], [["x", "word " * 100]])[1:] == [
        f"x  {'word ' * 100}".rstrip()
    ]
