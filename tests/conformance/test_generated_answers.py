"""Whatever a model says in whatever pieces: both ways to respond say the same, and it is what the model has said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest
from front_door.app import App
from front_door.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.sagemaker_runtime import Faults
from tests.conformance.answer_pairs import check_message_pair, check_response_pair
from tests.conformance.emulated_front_door import FrontDoorClient
from tests.lambda_.protocols.openai.events import DONE
from tests.lambda_.protocols.openai.natives import FIRST, VLLM, chat_chunk, usage_chunk
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

MAX_TOKENS = 2000
Said = list[tuple[str, str]]
"""The parts of an answer: `thought`, `text`, or the name of a function with its arguments."""
NAMES = ("weather", "time")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['"', "\\n", "\n\n", "data: x", "%d%b", "🧸é"]
)
ARGUMENTS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.none(), max_size=3).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)
PARTS = st.one_of(
    st.tuples(st.sampled_from(["thought", "text"]), TEXTS), st.tuples(st.sampled_from(NAMES), ARGUMENTS | st.just(""))
)
ANSWERS = st.lists(PARTS, max_size=6)
GENERATED = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = settings(GENERATED, max_examples=1000)


@pytest.fixture(scope="module")
def sagemaker() -> Iterator[SageMakerDouble]:
    double = SageMakerDouble()
    yield double
    double.close()


@pytest.fixture(scope="module")
def client(sagemaker: SageMakerDouble) -> Iterator[FrontDoorClient]:
    app = App(Config({"llama": replace(VLLM, facts={})}, sagemaker.url, sagemaker.url, "eu-west-1"))
    yield FrontDoorClient(app, Faults())
    app.sagemaker.close()


def pieces(data: st.DataObject, text: str) -> list[str]:
    """A text in random pieces, some of them empty."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def deltas(data: st.DataObject, said: Said) -> Iterator[dict[str, Any]]:
    """The deltas of vLLM's chunks."""
    calls = 0
    for kind, text in said:
        if kind == "thought":
            yield from ({"reasoning": piece} for piece in pieces(data, text))
        elif kind == "text":
            yield from ({"content": piece} for piece in pieces(data, text))
        else:
            first, *rest = pieces(data, text)
            head = {"index": calls, "id": f"call-{calls}", "type": "function"}
            yield {"tool_calls": [{**head, "function": {"name": kind, "arguments": first}}]}
            yield from ({"tool_calls": [{"index": calls, "function": {"arguments": piece}}]} for piece in rest)
            calls += 1


def answer_with(data: st.DataObject, sagemaker: SageMakerDouble, said: Said, finish_reason: str) -> None:
    """Let the container say something, twice, several chunks in each part of its stream."""
    chunks = [FIRST, *(chat_chunk(delta) for delta in deltas(data, said)), chat_chunk({}, finish_reason)]
    count = MAX_TOKENS if finish_reason == "length" else 2
    payload = b"".join([*chunks, usage_chunk(completion_tokens=count), DONE])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(payload)), max_size=5)))
    payloads = [payload[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    sagemaker.received.clear()
    sagemaker.replies[:] = [parts(*filter(None, payloads))] * 2


def joined(said: Said) -> Said:
    """The parts of an answer without empty texts, and each as long as it goes on."""
    known = [(kind, text) for kind, text in said if text or kind in NAMES]
    found: Said = []
    for kind, group in groupby(known, key=lambda each: each[0]):
        texts = [text for _, text in group]
        found += [(kind, text) for text in texts] if kind in NAMES else [(kind, "".join(texts))]
    return found


def said_in_response(response: dict[str, Any]) -> Said:
    """The parts of a response."""
    said = []
    for item in response["output"]:
        if item["type"] == "function_call":
            said.append((item["name"], item["arguments"]))
        else:
            said.append(("text" if item["type"] == "message" else "thought", item["content"][0]["text"]))
    return said


def said_in_message(message: dict[str, Any]) -> list[tuple[str, Any]]:
    """The parts of a message."""
    return [
        (block["name"], block["input"])
        if block["type"] == "tool_use"
        else ("text", block["text"])
        if block["type"] == "text"
        else ("thought", block["thinking"])
        for block in message["content"]
    ]


def check_response(data: st.DataObject, client: FrontDoorClient, sagemaker: SageMakerDouble, said: Said) -> None:
    finish_reason = data.draw(st.sampled_from(["stop", "tool_calls", "length"]))
    answer_with(data, sagemaker, said, finish_reason)
    response = check_response_pair(client, {"model": "llama", "input": "Hi"})
    assert response["status"] == ("incomplete" if finish_reason == "length" else "completed")
    *before, (kind, text) = joined(said) or [("text", "")]
    before = [(name, inner or "{}") for name, inner in before]  # no other part is empty
    last = "{}" if kind in NAMES and not text and finish_reason != "length" else text
    assert said_in_response(response) == [*before, (kind, last)]


def check_message(data: st.DataObject, client: FrontDoorClient, sagemaker: SageMakerDouble, said: Said) -> None:
    finish_reason = data.draw(st.sampled_from(["stop", "tool_calls", "length"]))
    shows = data.draw(st.booleans())
    answer_with(data, sagemaker, said, finish_reason)
    body = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": MAX_TOKENS}
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}} if shows else {}
    message = check_message_pair(client, {**body, **thinking})
    visible = joined([(kind, text) for kind, text in said if shows or kind != "thought"])
    expected = [(kind, json.loads(text or "{}") if kind in NAMES else text) for kind, text in visible]
    assert said_in_message(message) == expected
    has_calls = any(kind in NAMES for kind, _ in said)
    expected_reason = "max_tokens" if finish_reason == "length" else "tool_use" if has_calls else "end_turn"
    assert message["stop_reason"] == expected_reason


@GENERATED
@given(data=st.data(), said=ANSWERS)
def test_a_response_says_what_the_model_has_said(
    client: FrontDoorClient, sagemaker: SageMakerDouble, data: st.DataObject, said: Said
) -> None:
    check_response(data, client, sagemaker, said)


@GENERATED
@given(data=st.data(), said=ANSWERS)
def test_a_message_says_what_the_model_has_said(
    client: FrontDoorClient, sagemaker: SageMakerDouble, data: st.DataObject, said: Said
) -> None:
    check_message(data, client, sagemaker, said)


@pytest.mark.slow
@MANY
@given(data=st.data(), said=ANSWERS)
def test_many_answers_are_said_as_the_model_has_said_them(
    client: FrontDoorClient, sagemaker: SageMakerDouble, data: st.DataObject, said: Said
) -> None:
    check_response(data, client, sagemaker, said)
    check_message(data, client, sagemaker, said)
