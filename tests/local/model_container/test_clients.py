"""Unmodified client libraries against the container."""

import json

import pytest
from huggingface_hub import InferenceClient
from openai import OpenAI, UnprocessableEntityError
from text_generation import Client
from text_generation.errors import GenerationError, OverloadedError, ValidationError
from text_generation.types import Grammar, GrammarType

from tests.local.model_container.servers import MODEL

MESSAGES = [{"role": "user", "content": "Why do zebras have stripes?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def container(servers):
    return servers.container()


@pytest.fixture
def openai(container):
    with OpenAI(base_url=f"{container}/v1", api_key="-", max_retries=0) as client:
        yield client


def test_text_generation_generates_and_streams(container):
    client = Client(container)
    response = client.generate("Zebras", max_new_tokens=12, decoder_input_details=True, top_n_tokens=2)
    assert response.details.generated_tokens == 12
    streamed = list(client.generate_stream("Zebras", max_new_tokens=12))
    assert streamed[-1].generated_text == response.generated_text
    assert "".join(each.token.text for each in streamed) == response.generated_text


def test_text_generation_chats_and_uses_a_grammar(container):
    client = Client(container)
    response = client.chat(messages=MESSAGES, max_tokens=100)
    assert "zebras" in response.choices[0].message.content
    grammar = Grammar(type=GrammarType.Json, value={"properties": {"animal": {"type": "string"}}})
    assert json.loads(client.generate("Zebras", grammar=grammar).generated_text) == {"animal": "Zebras"}


def test_text_generation_raises_its_own_errors(servers):
    with pytest.raises(ValidationError, match="`inputs` must have less than 5 tokens"):
        Client(servers.container(max_input_tokens=5, max_total_tokens=10)).generate("a b c d e f", max_new_tokens=1)
    with pytest.raises(OverloadedError, match="Model is overloaded"):
        Client(servers.container(max_concurrent_requests=0)).generate("Zebras")
    with pytest.raises(GenerationError, match="Request failed during generation"):
        Client(servers.container(fail_after_tokens=1)).generate("Zebras")
    with pytest.raises(GenerationError, match="Request failed during generation"):
        list(Client(servers.container(fail_after_tokens=1)).generate_stream("Zebras"))


def test_huggingface_hub_generates_and_streams(container):
    client = InferenceClient(model=container)
    response = client.text_generation("Zebras", details=True, return_full_text=False, max_new_tokens=12)
    assert (response.details.finish_reason, response.details.generated_tokens) == ("length", 12)
    streamed = list(client.text_generation("Zebras", stream=True, details=True, max_new_tokens=12))
    assert streamed[-1].details.generated_tokens == 12
    assert streamed[-1].generated_text.endswith(response.generated_text)


def test_huggingface_hub_chats(container):
    client = InferenceClient(base_url=container)
    response = client.chat_completion(MESSAGES, max_tokens=100)
    assert "zebras" in response.choices[0].message.content
    streamed = list(client.chat_completion(MESSAGES, max_tokens=100, stream=True))
    assert "zebras" in "".join(each.choices[0].delta.content or "" for each in streamed)
    called = client.chat_completion(
        [{"role": "user", "content": "The weather in Rome"}], tools=[TOOL], tool_choice="required"
    )
    assert json.loads(called.choices[0].message.tool_calls[0].function.arguments) == {"city": "Rome"}


def test_openai_chats_and_streams(openai):
    response = openai.chat.completions.create(model="tgi", messages=MESSAGES, temperature=0)
    assert response.model == MODEL
    assert response.choices[0].finish_reason == "stop"
    stream = openai.chat.completions.create(
        model="tgi", messages=MESSAGES, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content for chunk in chunks if chunk.choices)
    assert text == response.choices[0].message.content
    assert chunks[-1].usage == response.usage


def test_openai_calls_tools_completes_and_lists_models(openai):
    called = openai.chat.completions.create(
        model="tgi", messages=[{"role": "user", "content": "The weather in Rome"}], tools=[TOOL]
    )
    assert called.choices[0].message.tool_calls[0].function.name == "get_weather"
    completed = openai.completions.create(model="tgi", prompt=["Zebras", "Lions"], max_tokens=5)
    assert len(completed.choices) == 2
    assert [model.id for model in openai.models.list()] == [MODEL]


def test_openai_raises_its_own_error_for_a_parameter_out_of_range(openai):
    with pytest.raises(UnprocessableEntityError) as caught:
        openai.chat.completions.create(model="tgi", messages=MESSAGES, top_p=1.0)
    assert caught.value.response.json()["error"] == "Input validation error: `top_p` must be > 0.0 and < 1.0"
