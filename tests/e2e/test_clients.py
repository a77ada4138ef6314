"""Unmodified client libraries against the deployed URL, with the API key as bearer token."""

import asyncio
import json

import openai
import pytest
import text_generation
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionFunctionToolParam
from pydantic import BaseModel

from tests.e2e.deployed_cloud import Cloud

pytestmark = pytest.mark.xdist_group("e2e")

ATTEMPTS = 3
"""How often the front door sends a request while SageMaker throttles."""
PROMPT = "What is deep learning?"
MESSAGES = [{"role": "user", "content": PROMPT}]
LONG = [{"role": "user", "content": "internationalization-and-localization " * 12}]
"""The toy repeats the words: a stream of at least two parts, which have at most 8,000 bytes each."""


@pytest.fixture
def openai_client(cloud: Cloud) -> openai.OpenAI:
    cloud.limiter.take()
    return openai.OpenAI(base_url=f"{cloud.url}/v1", api_key=cloud.api_key, max_retries=0)


@pytest.fixture
def hub_client(cloud: Cloud) -> InferenceClient:
    cloud.limiter.take()
    return InferenceClient(base_url=cloud.url, api_key=cloud.api_key)


@pytest.fixture
def tgi_client(cloud: Cloud) -> text_generation.Client:
    cloud.limiter.take()
    return text_generation.Client(cloud.url, headers={"Authorization": f"Bearer {cloud.api_key}"}, timeout=30)


def test_openai_lists_the_models(openai_client: openai.OpenAI) -> None:
    assert [model.id for model in openai_client.models.list()] == ["llama"]


def test_openai_chats(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(model="llama", messages=MESSAGES, max_tokens=10, temperature=0)
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 10
    assert answer.choices[0].finish_reason == "length"


def test_openai_streams(openai_client: openai.OpenAI) -> None:
    stream = openai_client.chat.completions.create(
        model="llama",
        messages=MESSAGES,
        max_tokens=10,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    response = openai_client.chat.completions.create(model="llama", messages=MESSAGES, max_tokens=10, temperature=0)
    assert text == response.choices[0].message.content
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 10


def test_openai_streams_asynchronously(cloud: Cloud) -> None:
    async def collect() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{cloud.url}/v1", api_key=cloud.api_key) as client:
            response = await client.chat.completions.create(
                model="llama", messages=MESSAGES, max_tokens=10, temperature=0
            )
            stream = await client.chat.completions.create(
                model="llama", messages=MESSAGES, max_tokens=10, temperature=0, stream=True
            )
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
            return [str(response.choices[0].message.content), text]

    cloud.limiter.take(2)
    response, streamed = asyncio.run(collect())
    assert response == streamed


def test_openai_accepts_sampling_options(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(
        model="llama", messages=MESSAGES, max_completion_tokens=5, temperature=0.7, seed=1, stop=["\n\n\n\n"]
    )
    assert answer.choices[0].message.content


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


WEATHER: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_openai_calls_tools(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(
        model="llama", messages=MESSAGES, tools=[WEATHER], tool_choice="required", max_tokens=200
    )
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert set(json.loads(call.function.arguments)) == {"city"}
    follow_up = [*MESSAGES, choice.message, {"role": "tool", "tool_call_id": call.id, "content": "Rain."}]
    assert openai_client.chat.completions.create(model="llama", messages=follow_up, max_tokens=5).choices  # type: ignore[arg-type]


def test_openai_streams_a_tool_call(openai_client: openai.OpenAI) -> None:
    with openai_client.chat.completions.stream(
        model="llama", messages=MESSAGES, tools=[WEATHER], tool_choice="required", max_tokens=200
    ) as stream:
        events = [event.type for event in stream]
        message = stream.get_final_completion().choices[0].message
    assert "tool_calls.function.arguments.delta" in events
    assert message.tool_calls is not None
    assert set(json.loads(message.tool_calls[0].function.arguments)) == {"city"}


def test_openai_parses_structured_output(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.parse(
        model="llama", messages=MESSAGES, response_format=City, max_tokens=300
    )
    assert isinstance(answer.choices[0].message.parsed, City)


def test_openai_gets_a_json_object(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(
        model="llama", messages=MESSAGES, response_format={"type": "json_object"}, max_tokens=300
    )
    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


def test_openai_gets_several_choices(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(model="llama", messages=MESSAGES, n=3, max_tokens=8, seed=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 24
    stream = openai_client.chat.completions.create(
        model="llama", messages=MESSAGES, n=3, max_tokens=8, seed=1, stream=True
    )
    texts = ["", "", ""]
    for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in answer.choices]


def test_openai_gets_logprobs(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(
        model="llama", messages=MESSAGES, max_tokens=4, logprobs=True, top_logprobs=2
    )
    assert answer.choices[0].logprobs is not None
    tokens = answer.choices[0].logprobs.content or []
    assert "".join(token.token for token in tokens) == answer.choices[0].message.content
    assert {len(token.top_logprobs) for token in tokens} == {2}


def test_openai_completes(openai_client: openai.OpenAI) -> None:
    answer = openai_client.completions.create(
        model="llama", prompt=["One", "Two"], max_tokens=5, temperature=0, echo=True
    )
    assert [choice.text[:3] for choice in answer.choices] == ["One", "Two"]
    stream = openai_client.completions.create(model="llama", prompt="One", max_tokens=5, temperature=0, stream=True)
    assert "One" + "".join(chunk.choices[0].text for chunk in stream if chunk.choices) == answer.choices[0].text


def test_openai_finds_a_model_by_its_hub_id(openai_client: openai.OpenAI) -> None:
    assert openai_client.models.retrieve("meta-llama/Llama-3.1-8B-Instruct").id == "llama"
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        openai_client.models.retrieve("gpt-4")


def test_openai_gets_errors_for_unsupported_parameters(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        openai_client.chat.completions.create(model="llama", messages=MESSAGES, logit_bias={"50256": -100})
    assert raised.value.param == "logit_bias"
    with pytest.raises(openai.BadRequestError) as raised:
        openai_client.chat.completions.create(model="llama", messages=[{"role": "user", "content": "word " * 20_000}])
    assert raised.value.code == "context_length_exceeded"


def test_openai_gets_an_error_for_an_image_that_the_model_would_not_see(openai_client: openai.OpenAI) -> None:
    url = "data:image/png;base64,iVBORw0KGgo="
    content: list[ChatCompletionContentPartParam] = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    with pytest.raises(openai.BadRequestError, match="`llama` does not read images, send it text only") as raised:
        openai_client.chat.completions.create(model="llama", messages=[{"role": "user", "content": content}])
    assert raised.value.param == "messages[0].content[1].image_url"


def test_openai_raises_its_own_errors(cloud: Cloud, openai_client: openai.OpenAI) -> None:
    cloud.limiter.take(3)
    with pytest.raises(openai.NotFoundError, match="`gpt-4` does not exist"):
        openai_client.chat.completions.create(model="gpt-4", messages=MESSAGES)
    with pytest.raises(openai.AuthenticationError, match="The API key is unknown"):
        openai_client.with_options(api_key="x" * 40).models.list()
    cloud.inject("throttle", count=ATTEMPTS)
    with pytest.raises(openai.RateLimitError, match="more requests than it can serve"):
        openai_client.chat.completions.create(model="llama", messages=MESSAGES)


def test_openai_retries_after_the_front_door_gives_up(cloud: Cloud, openai_client: openai.OpenAI) -> None:
    cloud.inject("throttle", count=ATTEMPTS + 1)
    cloud.limiter.take()
    answer = openai_client.with_options(max_retries=2).chat.completions.create(
        model="llama", messages=MESSAGES, max_tokens=3
    )
    assert answer.choices[0].message.content


def test_openai_raises_when_a_stream_breaks(cloud: Cloud, openai_client: openai.OpenAI) -> None:
    cloud.inject("stream-broken", frame=1)
    with pytest.raises(openai.APIError, match=r"broke off|Incomplete generation"):
        list(openai_client.chat.completions.create(model="llama", messages=LONG, max_tokens=200, stream=True))


def test_the_hub_client_generates(hub_client: InferenceClient) -> None:
    text = hub_client.text_generation(PROMPT, max_new_tokens=10)
    assert isinstance(text, str)
    assert text


def test_the_hub_client_streams_text(hub_client: InferenceClient) -> None:
    events = list(hub_client.text_generation(PROMPT, max_new_tokens=10, stream=True, details=True))
    assert len(events) == 10
    assert events[-1].details is not None
    assert events[-1].details.finish_reason == "length"
    assert events[-1].generated_text == hub_client.text_generation(PROMPT, max_new_tokens=10)


def test_the_hub_client_chats(hub_client: InferenceClient) -> None:
    response = hub_client.chat_completion(MESSAGES, max_tokens=10, temperature=0)
    chunks = list(hub_client.chat_completion(MESSAGES, max_tokens=10, temperature=0, stream=True))
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert response.choices[0].message.content == streamed


def test_the_hub_client_gets_structured_output(hub_client: InferenceClient) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    answer = hub_client.chat_completion(
        MESSAGES,
        max_tokens=300,
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": schema}},  # type: ignore[arg-type]
    )
    assert set(json.loads(answer.choices[0].message.content or "")) == {"city"}


@pytest.mark.parametrize("url", ["/v1", "/v1/chat/completions", "/models/llama", "/models/llama/v1"])
def test_the_hub_client_chats_with_any_url_of_a_model(cloud: Cloud, url: str) -> None:
    cloud.limiter.take()
    client = InferenceClient(base_url=cloud.url + url, api_key=cloud.api_key)
    assert client.chat.completions.create(messages=MESSAGES, max_tokens=3).choices[0].message.content


def test_openai_chats_at_the_url_of_a_model(cloud: Cloud) -> None:
    cloud.limiter.take(3)
    client = openai.OpenAI(base_url=f"{cloud.url}/models/llama/v1", api_key=cloud.api_key, max_retries=0)
    (model,) = client.models.list()
    answer = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=3)
    assert (model.id, answer.model) == ("llama", "llama")
    assert client.completions.create(model="gpt-4o", prompt="One", max_tokens=3).choices[0].text


def test_the_hub_client_reports_an_unknown_key(cloud: Cloud) -> None:
    client = InferenceClient(base_url=cloud.url, api_key="x" * 40)
    with pytest.raises(HfHubHTTPError, match="401"):
        client.chat_completion(MESSAGES, max_tokens=1)


def test_the_tgi_client_generates(tgi_client: text_generation.Client) -> None:
    answer = tgi_client.generate(PROMPT, max_new_tokens=10)
    assert answer.generated_text
    assert answer.details.generated_tokens == 10


def test_the_tgi_client_streams(tgi_client: text_generation.Client) -> None:
    events = list(tgi_client.generate_stream(PROMPT, max_new_tokens=10))
    assert len(events) == 10
    assert events[-1].generated_text == tgi_client.generate(PROMPT, max_new_tokens=10).generated_text


def test_the_tgi_client_raises_its_own_errors(cloud: Cloud, tgi_client: text_generation.Client) -> None:
    with pytest.raises(text_generation.errors.ValidationError, match="must be <= 16384"):
        tgi_client.generate("word " * 20_000)
    cloud.inject("throttle", count=ATTEMPTS)
    cloud.limiter.take()
    with pytest.raises(text_generation.errors.OverloadedError):
        tgi_client.generate(PROMPT)
