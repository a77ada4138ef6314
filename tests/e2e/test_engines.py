"""SGLang, LMI and vLLM from the construct to the URL: deployed by the CDK CLI, called by OpenAI's client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from local.deployment.cdk_cli import ROOT
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "engines"
MODELS = (("Vllm", "vllm"), ("Engines", "sglang"), ("Engines", "lmi"))
MESSAGES: Any = [{"role": "user", "content": "What is the weather in Oslo?"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("TOY_TOKENS_PER_SECOND", "200")
        with OwnApp(APP, tmp_path_factory.mktemp("engines"), runner) as deployed:
            yield deployed


def chat(model: str, **others: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, **others}


def test_clients_of_openai_are_answered_whatever_runs_in_the_container(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        for model in ("sglang", "lmi"):
            status, _, answer = await api.request("POST", "/v1/chat/completions", chat(model))
            assert (status, answer["model"], answer["usage"]["completion_tokens"]) == (200, model, 3)
            status, _, stream = await api.request("POST", "/v1/chat/completions", chat(model, stream=True))
            assert status == 200
            assert stream.rstrip().endswith("data: [DONE]")
            assert '"usage"' not in stream.replace('"usage":null', "")
            long = chat(model, messages=[{"role": "user", "content": "Hi " * 40_000}])
            status, _, answer = await api.request("POST", "/v1/chat/completions", long)
            assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")

    log = stacks.serve("Engines", client)
    assert not [line for line in log if "Traceback" in line]


def test_what_an_engine_cannot_is_said(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        prompt = {"prompt": "Hi", "max_tokens": 3}
        status, _, answer = await api.request("POST", "/v1/completions", prompt | {"model": "sglang"})
        assert (status, answer["error"]["code"]) == (400, "engine_cannot")
        status, _, answer = await api.request("POST", "/v1/completions", prompt | {"model": "lmi"})
        assert (status, answer["usage"]["completion_tokens"]) == (200, 3)
        status, _, answer = await api.request("POST", "/v1/chat/completions", chat("lmi", tools=[TOOL]))
        assert status == 400  # no parser reads its tool calls
        status, _, answer = await api.request("POST", "/v1/chat/completions", chat("sglang", tools=[TOOL]))
        assert status == 200

    stacks.serve("Engines", client)


def client_of(api: ServedApi, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{api.cloud.url}/v1", api_key="unused", max_retries=0, **options)


async def text_of(client: openai.AsyncOpenAI, model: str, **options: Any) -> str:
    answer = await client.chat.completions.create(messages=MESSAGES, model=model, temperature=0, **options)
    return str(answer.choices[0].message.content)


@pytest.mark.parametrize(("stack", "model"), MODELS)
def test_a_chat_is_the_same_in_one_piece_and_as_a_stream(stacks: OwnApp, stack: str, model: str) -> None:
    async def test(api: ServedApi) -> None:
        client = client_of(api)
        whole = await client.chat.completions.create(model=model, messages=MESSAGES, temperature=0)
        assert whole.model == model
        assert whole.choices[0].finish_reason == "stop"
        stream = await client.chat.completions.create(
            model=model, messages=MESSAGES, temperature=0, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(pieces) == whole.choices[0].message.content
        assert chunks[-1].usage is not None
        assert whole.usage is not None
        assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
        assert {chunk.model for chunk in chunks} == {model}
        assert not [chunk for chunk in await plain(client) if not chunk.choices], "no usage unless it is requested"

    async def plain(client: openai.AsyncOpenAI) -> list[Any]:
        stream = await client.chat.completions.create(model=model, messages=MESSAGES, max_tokens=3, stream=True)
        return [chunk async for chunk in stream]

    stacks.serve(stack, test)


@pytest.mark.parametrize(("stack", "model"), MODELS[:2])
def test_a_tool_is_called_in_one_piece_and_as_a_stream(stacks: OwnApp, stack: str, model: str) -> None:
    async def test(api: ServedApi) -> None:
        client = client_of(api)
        answer = await client.chat.completions.create(model=model, messages=MESSAGES, tools=[WEATHER], temperature=0)
        assert answer.choices[0].finish_reason == "tool_calls"
        calls: Any = answer.choices[0].message.tool_calls
        assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
            ("get_weather", {"city": "Oslo"})
        ]
        stream = await client.chat.completions.create(
            model=model, messages=MESSAGES, tools=[WEATHER], temperature=0, stream=True
        )
        chunks = [chunk async for chunk in stream]
        deltas = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
        assert deltas[0].function is not None
        assert deltas[0].function.name == "get_weather"
        arguments = "".join(each.function.arguments or "" for each in deltas if each.function)
        assert json.loads(arguments) == {"city": "Oslo"}
        assert chunks[-1].choices[0].finish_reason == "tool_calls"

    stacks.serve(stack, test)


@pytest.mark.parametrize(("stack", "model"), MODELS)
def test_a_wrong_parameter_or_model_is_an_error_in_openais_words(stacks: OwnApp, stack: str, model: str) -> None:
    async def test(api: ServedApi) -> None:
        client = client_of(api)
        with pytest.raises(openai.BadRequestError) as wrong:
            await text_of(client, model, top_p=2)
        assert "top_p" in wrong.value.message
        with pytest.raises(openai.NotFoundError):
            await text_of(client, "falcon")
        with pytest.raises(openai.BadRequestError) as long:
            await text_of(client, model, max_tokens=200_000)
        assert long.value.type == "invalid_request_error"

    stacks.serve(stack, test)


def test_an_adapter_of_sglang_answers_by_its_name_and_an_unknown_one_is_an_error(stacks: OwnApp) -> None:
    async def test(api: ServedApi) -> None:
        client = client_of(api)
        assert (await text_of(client, "sglang:sql")).startswith(" Adapter sql:")
        assert "Adapter" not in await text_of(client, "sglang")
        with pytest.raises(openai.NotFoundError) as caught:
            await text_of(client, "sglang:nope")
        assert "nope" in caught.value.message

    stacks.serve("Engines", test)


@pytest.mark.parametrize("stream", [False, True])
def test_more_requests_than_vllm_takes_are_rejected_and_the_others_answered(stacks: OwnApp, stream: bool) -> None:
    async def ask(client: openai.AsyncOpenAI, tokens: int) -> str:
        try:
            answer: Any = await client.chat.completions.create(
                model="vllm", messages=MESSAGES, stream=stream, extra_body={"min_tokens": tokens}, max_tokens=tokens
            )
            if stream:
                assert [chunk async for chunk in answer]
        except openai.APIStatusError as error:
            return f"{error.status_code} {error.type}"
        return "answered"

    async def test(api: ServedApi) -> None:
        client = client_of(api)
        found = await asyncio.gather(*(ask(client, 1000) for _ in range(8)))
        assert found.count("answered") >= 3  # perhaps more: the front door tries again
        assert set(found) == {"answered", "429 rate_limit_error"}
        assert await ask(client, 1) == "answered"

    stacks.serve("Vllm", test)
