"""OpenAI's routes in front of vLLM, SGLang and LMI: their responses conform to the types of the `openai` package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from local.model_container.openai.engines import ENGINES, Image
from tests.conformance.emulated_front_door import FrontDoorClient, start_front_door
from tests.conformance.openai_types import violations, with_finish_reasons
from tests.conformance.test_openai import CHAT, CHATS, COMPLETION, COMPLETIONS, stream_events

ENVIRONMENTS = {
    "vllm": {
        "SM_VLLM_MODEL": "org/toy",
        "SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true",
        "SM_VLLM_TOOL_CALL_PARSER": "hermes",
    },
    "sglang": {"SM_SGLANG_MODEL_PATH": "org/toy", "SM_SGLANG_TOOL_CALL_PARSER": "qwen25"},
    "lmi": {
        "HF_MODEL_ID": "org/toy",
        "OPTION_ENABLE_AUTO_TOOL_CHOICE": "true",
        "OPTION_TOOL_CALL_PARSER": "hermes",
    },
}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def client(request: pytest.FixtureRequest) -> Iterator[FrontDoorClient]:
    environment = {**ENVIRONMENTS[request.param], "TOY_TOKENS_PER_SECOND": "0"}
    container = ENGINES[request.param](environment, Image())
    with start_front_door("llama", container=container, engine=request.param) as front_door:
        yield front_door


def wrong(type_: Any, value: object) -> list[str]:
    """What does not conform, apart from the members of the server's own."""
    return [each for each in violations(type_, value) if not each.endswith("the API has no such member")]


@pytest.mark.parametrize("kind", CHATS)
def test_a_chat_conforms(client: FrontDoorClient, kind: str) -> None:
    body = CHAT | CHATS[kind]
    response = client.post("/v1/chat/completions", body)
    assert response.status == 200, response.body
    assert wrong(ChatCompletion, response.json()) == []
    *chunks, last = stream_events(client, "/v1/chat/completions", body)
    assert [problem for chunk in [*chunks, last] for problem in wrong(ChatCompletionChunk, chunk)] == []
    assert (last["choices"], response.json()["model"], last["model"]) == ([], "llama", "llama")


@pytest.mark.parametrize("kind", COMPLETIONS)
def test_a_completion_conforms(client: FrontDoorClient, kind: str) -> None:
    body: dict[str, Any] = COMPLETION | COMPLETIONS[kind]
    response = client.post("/v1/completions", body)
    if response.status == 400:
        assert response.json()["error"]["code"] == "engine_cannot"
        return
    assert wrong(Completion, response.json()) == []
    events = stream_events(client, "/v1/completions", body)
    assert [problem for event in events for problem in wrong(Completion, with_finish_reasons(event))] == []
