"""The parts of a prompt for the texts of its tokens."""

import itertools
import time

import pytest
from front_door.generation.prompt_tokens import split_prompt
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("prompt", "texts", "parts"),
    [
        ("What is", ["What", " is"], ["What", " is"]),
        # A token that the server adds in front, or behind.
        ("What is", ["<s>", "What", " is"], ["What", " is"]),
        ("What is", ["[CLS]", "<s>", "What", " is"], ["What", " is"]),
        ("What is", ["What", " is", "</s>"], ["What", " is", ""]),
        # The same token in the prompt as well.
        ("<s>What", ["<s>", "<s>", "What"], ["<s>", "What"]),
        ("<s>What", ["<s>", "What"], ["<s>", "What"]),
        # Tokenizers that leave out the space that a token begins with.
        ("What is", ["<s>", "What", "is"], ["What", " is"]),
        (" What", ["<s>", "", "What"], [" ", "What"]),
        (" What", ["<s>", " ", "What"], [" ", "What"]),
        ("a    b", ["<s>", "a", "  ", "b"], ["a", "   ", " b"]),
        ("a\nb", ["<s>", "a", "\n", "b"], ["a", "\n", "b"]),
        # Characters of several tokens.
        ("a 🧸!", ["a", " \ufffd", "\ufffd", "\ufffd", "!"], ["a", " ", "", "🧸", "!"]),
        ("🧸🧸", ["\ufffd"] * 6, ["", "", "🧸", "", "", "🧸"]),
        ("🧸🧸", ["\ufffd"] * 8, ["", "", "", "🧸", "", "", "", "🧸"]),
        ("🧸x", ["\ufffd", "\ufffdx"], ["", "🧸x"]),
        ("你好", ["\ufffd", "\ufffd好"], ["", "你好"]),
        ("你é", ["\ufffd", "\ufffd\ufffd", "\ufffd"], ["", "你", "é"]),
        ("é\ufffd", ["é", "\ufffd"], ["é", "\ufffd"]),
        ("", [], []),
        ("", ["<s>"], [""]),
    ],
)
def test_the_parts_are_the_prompt(prompt: str, texts: list[str], parts: list[str]) -> None:
    assert split_prompt(prompt, texts) == parts
    assert "".join(parts) == prompt


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [("What", ["<s>", "what"]), ("ﬁne", ["<s>", "fine"]), ("What", ["<pad>"]), ("What", []), ("What is", ["What"])],
)
def test_the_tokens_of_another_text_have_no_parts(prompt: str, texts: list[str]) -> None:
    assert split_prompt(prompt, texts) is None


@given(st.text(min_size=1, max_size=12), st.data(), st.sampled_from([[], ["<|begin_of_text|>"]]))
def test_tokens_cut_anywhere_between_bytes_are_found(prompt: str, data: st.DataObject, added: list[str]) -> None:
    encoded = prompt.encode()
    cuts = data.draw(st.sets(st.integers(1, max(1, len(encoded) - 1)), max_size=6)) if len(encoded) > 1 else set()
    ends = [0, *sorted(cuts), len(encoded)]
    tokens = [encoded[start:end] for start, end in itertools.pairwise(ends)]
    parts = split_prompt(prompt, added + [token.decode(errors="replace") for token in tokens])
    assert parts is not None
    assert (len(parts), "".join(parts)) == (len(tokens), prompt)


def test_a_long_prompt_takes_a_moment_whatever_it_is() -> None:
    started = time.process_time()
    assert split_prompt("🧸" * 4000, ["\ufffd"] * 12000) is not None
    assert split_prompt("🧸" * 4000, [*["\ufffd"] * 12000, "x", "x"]) is None
    assert time.process_time() - started < 5
