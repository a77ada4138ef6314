"""Which part of a text each of its tokens is."""

from __future__ import annotations

import pytest
from front_door.engines.openai.token_texts import separate_texts, split_text


@pytest.mark.parametrize(
    ("text", "tokens", "parts"),
    [
        (" Un été", [" Un", " été"], [" Un", " été"]),
        ("D\u00e9j", ["D", "", "\u00e9", "j"], ["D", "", "\u00e9", "j"]),
        (" Hello world", ["Hello", "world"], [" Hello", " world"]),  # decoded alone, without the spaces
        ("a\ufffdb", ["a", "", "b"], ["a", "", "\ufffdb"]),  # bytes that are no character
        ("\u00e9a", ["\ufffd", "\ufffda"], ["", "\u00e9a"]),  # the second token ends the character
        ("été", ["\ufffd", "\ufffd"], ["", "été"]),
        ("", [""], [""]),
        ("x ", ["x", ""], ["x", " "]),  # a space that is nothing by itself
    ],
)
def test_the_parts_are_the_text(text: str, tokens: list[str], parts: list[str]) -> None:
    found = split_text(text, tokens, is_cut=False)
    assert [part for part, _ in found] == parts
    assert not any(is_special for _, is_special in found)


def test_a_token_that_is_not_in_the_text_is_special() -> None:
    found = split_text(" A B", [" A", "<|tool|>", " B", "</s>"], is_cut=False)
    assert found == [(" A", False), ("<|tool|>", True), (" B", False), ("</s>", True)]
    assert split_text("", ["</s>"], is_cut=False) == [("</s>", True)]


def test_the_token_in_which_a_stop_string_ends_is_cut_there() -> None:
    assert split_text(" tex", [" text"], is_cut=True) == [(" tex", False)]
    assert split_text(" a tex", [" a", " text"], is_cut=True) == [(" a", False), (" tex", False)]
    assert split_text(" tex", ["text"], is_cut=True) == [(" tex", False)]


def test_tokens_behind_a_stop_string_are_dropped() -> None:
    assert split_text(" a.", [" a", ".", " b", "</s>"], is_cut=True) == [(" a", False), (".", False)]
    assert split_text(" a te", [" a", " text", " b"], is_cut=True) == [(" a", False), (" te", False)]


def test_a_text_that_is_not_that_of_its_token_is_still_given() -> None:
    assert split_text("x", ["y"], is_cut=False) == [("x", False)]
    assert split_text("ax", ["a", "</s>"], is_cut=False) == [("ax", False), ("</s>", True)]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["<s>", "W", "hat"], ["<s>", "W", "hat"]),
        (["a", "", "", "", "🌍", "?"], ["a", "\ufffd", "\ufffd", "\ufffd", "\ufffd", "?"]),
        (["", "é", "", "é"], ["\ufffd"] * 4),
        (["", "é!", "b"], ["\ufffd", "\ufffd!", "b"]),
        (["\ufffd", "\ufffd"], ["\ufffd", "\ufffd"]),
    ],
)
def test_parts_of_a_character_in_a_prompt_are_none_by_themselves(tokens: list[str], expected: list[str]) -> None:
    assert list(separate_texts(tokens)) == expected
