"""The bytes of generations as TGI 3.3.6 writes them."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from front_door.generation.tokens import Sequence, Token
from front_door.protocols.tgi import rendering
from hypothesis import given
from hypothesis import strategies as st

CONFORMANCE = Path(__file__).parents[3] / "conformance"
TOKEN, END = Token(b" T", b"-0.8224694132804871", b"353"), Token(b"</s>", b"0.0", b"2", special=b"true")


def ended(*tokens: Token, seed: int | None = None) -> Sequence:
    sequence = Sequence(seed)
    sequence.tokens = list(tokens)
    sequence.text, sequence.finish_reason, sequence.generated_tokens = b" T", "eos_token", len(tokens)
    return sequence


def test_events_are_numbered_and_have_nothing_of_the_end() -> None:
    assert rendering.token_events([TOKEN, END], 7) == (
        b'data: {"index":7,"token":{"id":353,"text":" T","logprob":-0.8224694,"special":false},'
        b'"generated_text":null,"details":null}\n\n'
        b'data: {"index":8,"token":{"id":2,"text":"</s>","logprob":0.0,"special":true},'
        b'"generated_text":null,"details":null}\n\n'
    )


def test_the_last_event_has_the_text_and_the_details() -> None:
    details = rendering.stream_details(ended(TOKEN, END, seed=42), 5)
    assert rendering.last_event(END, 2, b" T", details) == (
        b'data: {"index":2,"token":{"id":2,"text":"</s>","logprob":0.0,"special":true},"generated_text":" T",'
        b'"details":{"finish_reason":"eos_token","generated_tokens":2,"seed":42,"input_length":5}}\n\n'
    )


def test_a_generation_has_its_details_in_tgis_order() -> None:
    best, other = ended(TOKEN, seed=1), ended(END, seed=2)
    best.prefill = [Token(b"<s>", b"null", b"1"), Token(b"Hi", b"-6.778790473937988", b"9")]
    other_json = rendering.best_of_sequence(b"x", other)
    assert rendering.generation(b" T", rendering.details(best, [other_json])) == (
        b'{"generated_text":" T","details":{"finish_reason":"eos_token","generated_tokens":1,"seed":1,'
        b'"prefill":[{"id":1,"text":"<s>","logprob":null},{"id":9,"text":"Hi","logprob":-6.7787905}],'
        b'"tokens":[{"id":353,"text":" T","logprob":-0.8224694,"special":false}],'
        b'"best_of_sequences":[{"generated_text":"x","finish_reason":"eos_token","generated_tokens":1,"seed":2,'
        b'"prefill":[],"tokens":[{"id":2,"text":"</s>","logprob":0.0,"special":true}]}]}}'
    )
    assert rendering.generation(b" T", None) == b'{"generated_text":" T"}'


def recorded_numbers() -> list[str]:
    """The log probabilities that a real TGI has sent."""
    files = [*CONFORMANCE.glob("recorded/*.json"), CONFORMANCE / "vllm" / "recorded" / "tgi_same_weights.json"]
    texts = [re.sub(r'"vllm": .*', "", file.read_text(encoding="utf-8")) for file in files]
    return sorted({number for text in texts for number in re.findall(r'logprob\\?": ?(-?[0-9.e+-]+)', text)})


def test_numbers_are_those_of_the_real_tgi() -> None:
    numbers = recorded_numbers()
    assert len(numbers) > 50
    assert [rendering.single(repr(single(float(number))).encode()).decode() for number in numbers] == numbers


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("-2.3841855e-07", "-2.3841855e-7"),
        ("-1e-07", "-1e-7"),
        ("-9.179073458653875e-06", "-0.0000091790735"),
        ("-2.253030106658116e-05", "-0.000022530301"),
        ("-0.0", "-0.0"),
        ("-9999.0", "-9999.0"),
        ("-12", "-12.0"),
        ("12345678", "12345678.0"),
        ("1e12", "1000000000000.0"),
        ("1e13", "1e13"),
        ("1.5e+20", "1.5e20"),
    ],
)
def test_numbers_are_laid_out_as_rust_does(number: str, written: str) -> None:
    assert rendering.single(number.encode()).decode() == written


@given(st.floats(-(2.0**23), 2.0**23, width=32, allow_subnormal=False))
def test_a_number_has_the_fewest_digits_that_are_the_same_with_32_bits(value: float) -> None:
    text = rendering.single(repr(value).encode()).decode()
    assert single(float(text)) == value
    digits = len(text.partition("e")[0].replace(".", "").lstrip("-0").rstrip("0"))
    assert digits <= 1 or single(float(f"{value:.{digits - 2}e}")) != value
    assert json.loads(text) == float(text)


def single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:  # rounded up behind the largest
        return float("inf")
