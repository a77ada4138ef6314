"""What a front door answers for TGI for Neuron: what its server would ignore is refused, whoever asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.emulated_front_door import LIMITS, FrontDoorClient, start_front_door
from tests.constructs_lib.planning.engines.tgi_neuron.neuron_requests import planned

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Weather", "parameters": SCHEMA}}]
NO_GRAMMAR = "Input validation error: grammar is not supported"


@pytest.fixture(scope="module")
def neuron() -> Iterator[FrontDoorClient]:
    """In front of a container with the limits of a plan."""
    serving = planned().serving
    assert (serving.max_best_of, serving.max_top_n_tokens) == (1, 0)
    limits = replace(LIMITS, is_neuron=True, disable_grammar_support=True, max_best_of=1, max_top_n_tokens=0)
    with start_front_door("llama", limits=limits) as client:
        yield client


def chat(client: FrontDoorClient, **members: Any) -> tuple[int, str]:
    """Status, and the text or the error's message."""
    body = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, **members}
    response = client.post("/v1/chat/completions", body)
    found = response.json()
    return response.status, found["error"]["message"] if "error" in found else found["choices"][0]["finish_reason"]


def test_it_chats_also_with_tools_that_must_not_be_called(neuron: FrontDoorClient) -> None:
    assert chat(neuron) == (200, "length")
    assert chat(neuron, n=2) == (200, "length")
    assert chat(neuron, tools=TOOLS, tool_choice="none") == (200, "length")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "members",
    [
        {"tools": TOOLS},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}},
    ],
)
def test_tools_and_formats_are_refused(neuron: FrontDoorClient, members: dict[str, Any], stream: bool) -> None:
    status, message = chat(neuron, stream=stream, **members)
    assert status == 400
    assert message == NO_GRAMMAR or message.startswith("tools")


def test_alternatives_to_tokens_are_refused(neuron: FrontDoorClient) -> None:
    message = "top_logprobs is 2, this model returns at most 0 alternatives"
    assert chat(neuron, logprobs=True, top_logprobs=2) == (400, message)
    response = neuron.post("/v1/completions", {"model": "llama", "prompt": "Hi", "logprobs": 1})
    assert (response.status, response.json()["error"]["param"]) == (400, "logprobs")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"grammar": {"type": "json", "value": SCHEMA}}, "grammar is not supported"),
        ({"best_of": 2}, "`best_of` != 1 is not allowed for this endpoint"),
        ({"top_n_tokens": 2}, "`top_n_tokens` must be >= 0 and <= 0. Given: 2"),
    ],
)
def test_tgis_own_routes_refuse_it_in_tgis_words(
    neuron: FrontDoorClient, parameters: dict[str, Any], error: str
) -> None:
    response = neuron.post("/generate", {"inputs": "Hi", "parameters": {"max_new_tokens": 3, **parameters}})
    assert (response.status, response.json()["error"]) == (422, f"Input validation error: {error}")
