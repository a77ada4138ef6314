"""Two answers are the same contract if only the model's values differ, and another one if anything else does."""

from __future__ import annotations

import pytest

from tests.conformance.answers import reduce_body, reduce_headers

REQUEST = {"inputs": "Hi", "parameters": {"seed": 3}}
JSON = '{"generated_text":"Hi you","details":{"finish_reason":"length","seed":3,"tokens":[{"id":7,"logprob":-2.5e-7}]}}'
EVENTS = (
    'data: {"index":1,"token":{"id":7,"text":" a","logprob":-0.5,"special":false},"generated_text":null}\n\n'
    'data: {"index":2,"token":{"id":8,"text":" b","logprob":-1.5,"special":true},"generated_text":"Hi a b"}\n\n'
)
CHAT = '{"object":"chat.completion","choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}'


def reduced(body: str) -> object:
    kind = "text/event-stream" if body.startswith("data:") else "application/json"
    return reduce_body(kind, body, REQUEST)


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        (JSON, "Hi you", "Hi there, you"),
        (JSON, '"length"', '"eos_token"'),
        (JSON, "-2.5e-7", "-0.125"),
        (JSON, '[{"id":7,"logprob":-2.5e-7}]', '[{"id":7,"logprob":-2.5e-7},{"id":8,"logprob":-1.0}]'),
        (EVENTS, '"special":true', '"special":false'),
        (EVENTS, '" b"', '"\\n"'),
        (CHAT, '"stop"', '"length"'),
    ],
)
def test_a_value_of_the_model_changes_nothing(body: str, old: str, new: str) -> None:
    assert old in body
    assert reduced(body.replace(old, new)) == reduced(body)


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        (JSON, "Hi you", "you"),
        (JSON, '"length"', '"stop"'),
        (JSON, "-2.5e-7", "-2.5e-07"),
        (JSON, "-2.5e-7", "-1"),
        (JSON, "-2.5e-7", "null"),
        (JSON, '"seed":3', '"seed":4'),
        (JSON, '"seed":3', '"seed":null'),
        (JSON, '","details', '", "details'),
        (EVENTS, "data: ", "data:"),
        (EVENTS, '"index":2', '"index":3'),
        (EVENTS, '"generated_text":null', '"generated_text":""'),
        (EVENTS, "\n\ndata", "\n\n:\n\ndata"),
        (EVENTS, '"Hi a b"}\n\n', '"Hi a b"}'),
        (EVENTS, '"Hi a b"}\n\n', '"Hi a b"}\n\ndata: [DONE]\n\n'),
        (CHAT, '"stop"', '"eos_token"'),
        (CHAT, '"stop"', "null"),
    ],
)
def test_anything_else_is_a_difference(body: str, old: str, new: str) -> None:
    assert old in body
    assert reduced(body.replace(old, new)) != reduced(body)


def test_measured_times_are_no_part_of_the_headers_but_their_format_is() -> None:
    assert reduce_headers({"X-Total-Time": "58", "x-compute-time": "0.058781466"}) == {
        "x-total-time": "1",
        "x-compute-time": "0.1",
    }
    assert reduce_headers({"x-total-time": "58.1", "x-compute-time": "5e-05"}) == {
        "x-total-time": "58.1",
        "x-compute-time": "5e-05",
    }
