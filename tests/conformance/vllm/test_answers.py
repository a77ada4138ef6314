"""Two answers are the same contract if only the model's values differ, and another one if anything else does."""

from __future__ import annotations

import pytest

from tests.conformance.vllm.answers import reduce_body, reduce_headers

CHAT = (
    '{"id":"chatcmpl-9f70fd383cac471f","created":1795917348,"choices":[{"message":{"content":"a toy",'
    '"tool_calls":null},"logprobs":{"content":[{"token":"a","logprob":-2.5e-05,"bytes":[97]}]},"finish_reason":"stop","stop_reason":null,'
    '"token_ids":[7,8]}],"system_fingerprint":"vllm-0.32.0-bf92e0cf","usage":{"prompt_tokens":20}}'
)
EVENTS = (
    'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
    'data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"length","stop_reason":null}]}\n\n'
    "data: [DONE]\n\n"
)


def reduced(body: str) -> object:
    return reduce_body("text/event-stream" if body.startswith("data:") else "application/json", body)


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        (CHAT, "a toy", "no toy"),
        (CHAT, "9f70fd383cac471f", "0000000000000000"),
        (CHAT, "1795917348", "1"),
        (CHAT, "-2.5e-05", "-0.125"),
        (CHAT, "-2.5e-05", "-0.000025"),
        (CHAT, "[7,8]", "[9]"),
        (CHAT, '"stop","stop_reason":null', '"length","stop_reason":null'),
        (CHAT, "bf92e0cf", "00000000"),
        (EVENTS, '"a"', '"b"'),
        (EVENTS, EVENTS[: EVENTS.index("\n\n") + 2], EVENTS[: EVENTS.index("\n\n") + 2] * 2),
    ],
)
def test_a_value_of_the_model_changes_nothing(body: str, old: str, new: str) -> None:
    assert old in body
    assert reduced(body.replace(old, new)) == reduced(body)


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        (CHAT, '"a toy"', "null"),
        (CHAT, "chatcmpl-", "cmpl-"),
        (CHAT, "vllm-0.32.0", "vllm-0.30.0"),
        (CHAT, '"tool_calls":null', '"tool_calls":[]'),
        (CHAT, "-2.5e-05", "null"),
        (CHAT, "[7,8]", "null"),
        (CHAT, '"stop","stop_reason":null', '"stop","stop_reason":" toy"'),
        (CHAT, '"stop","stop_reason":null', '"tool_calls","stop_reason":null'),
        (CHAT, '","created', '", "created'),
        (EVENTS, "data: [DONE]\n\n", ""),
        (EVENTS, "data: [DONE]\n\n", "data: [DONE]\n"),
        (EVENTS, 'data: {"choices"', 'data:{"choices"'),
        (EVENTS, '"length","stop_reason":null', '"length"'),
        (EVENTS, '{"content":""}', "{}"),
    ],
)  # fmt: skip
def test_anything_else_is_a_difference(body: str, old: str, new: str) -> None:
    assert old in body
    assert reduced(body.replace(old, new)) != reduced(body)


def test_the_headers_of_the_connection_are_no_part_of_an_answer() -> None:
    headers = [("Date", "now"), ("Vary", "Origin"), ("Content-Type", "application/json"), ("Content-Length", "3")]
    assert reduce_headers(headers) == {"content-type": "application/json", "vary": "Origin"}
