"""The `openai` package with its defaults, over the application and a SageMaker double."""

import json
from typing import Any

import httpx2
import openai
import pytest
from front_door.sagemaker import retry
from pydantic import BaseModel

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import ANSWER, COMPLETION, DONE, TOOLS, text, tool, used
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, exception, part, parts, stream

MESSAGES: Any = [{"role": "user", "content": "Hi"}]
CALL = [tool("{", "weather"), tool('"city": "Bern"'), tool("}"), used(9, 12), DONE]


@pytest.fixture
def client(api: ApiClient) -> openai.OpenAI:
    def send(request: httpx2.Request) -> httpx2.Response:
        headers = {name: [value] for name, value in request.headers.items()}
        answer = api.begin(
            request.url.path,
            method=request.method,
            raw=request.content.decode(),
            multiValueHeaders=headers,
        )
        return httpx2.Response(answer.status, headers=answer.headers, content=b"".join(answer.body))

    http = httpx2.Client(transport=httpx2.MockTransport(send))
    return openai.OpenAI(base_url="http://front-door/v1", api_key="key", http_client=http, max_retries=0)


def test_a_chat_completion(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    completion = client.chat.completions.create(model="llama", messages=MESSAGES)
    assert completion.choices[0].message.content == "Un été 🧸"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 11
    assert completion._request_id == "gateway-id"


def test_a_streamed_chat_completion(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    chunks = client.chat.completions.create(model="llama", messages=MESSAGES, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Un été 🧸"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_completion(client: openai.OpenAI, sagemaker: SageMakerDouble, streamed: bool) -> None:
    sagemaker.replies.append(parts(*COMPLETION))
    result: Any = client.completions.create(model="llama", prompt="Once", stream=streamed)
    texts = [chunk.choices[0].text for chunk in (result if streamed else [result])]
    assert "".join(texts) == "Un été 🧸"


def test_a_tool_call_and_its_result(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*CALL), parts(*ANSWER)]
    tools: Any = TOOLS
    message = client.chat.completions.create(model="llama", messages=MESSAGES, tools=tools).choices[0].message
    (call,) = message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Bern"})
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Sunny."}
    again: Any = [*MESSAGES, message, result]
    assert client.chat.completions.create(model="llama", messages=again, tools=tools).choices[0].message.content
    assert [each["role"] for each in sagemaker.received[1].json()["messages"]] == ["user", "assistant", "tool"]


class Weather(BaseModel):
    city: str
    note: str | None = None


def test_the_packages_parsing(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(text('{"city": "Bern", '), text('"note": null}'), text("", "stop"), used(), DONE))
    parsed = client.chat.completions.parse(model="llama", messages=MESSAGES, response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(city="Bern")
    form = sagemaker.received[0].json()["response_format"]
    assert (form["type"], form["value"]["name"]) == ("json_schema", "Weather")
    assert form["value"]["schema"]["properties"].keys() == {"city", "note"}


def test_the_packages_stream_of_tool_calls(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(CALL[0], tool('"city": "Bern", "note": null'), *CALL[2:]))
    tools: Any = [openai.pydantic_function_tool(Weather, name="weather")]
    with client.chat.completions.stream(model="llama", messages=MESSAGES, tools=tools) as events:
        final = events.get_final_completion()
    (call,) = final.choices[0].message.tool_calls or []
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Bern", "note": None})


@pytest.mark.parametrize("streamed", [False, True])
def test_the_packages_parsing_beside_tools(client: openai.OpenAI, sagemaker: SageMakerDouble, streamed: bool) -> None:
    arguments = ['"_ready": true', ', "city": "Be', 'rn", "note": null', "}"]
    sagemaker.replies.append(parts(tool("{", "final_answer"), *map(tool, arguments), used(), DONE))
    chat: dict[str, Any] = {"model": "llama", "messages": MESSAGES, "response_format": Weather}
    chat["tools"] = [openai.pydantic_function_tool(Weather, name="weather")]
    if streamed:
        with client.chat.completions.stream(**chat) as events:
            contents = [event.content for event in events if event.type == "content.done"]
            choice = events.get_final_completion().choices[0]
        assert contents == ['{"city":"Bern","note":null}']
    else:
        choice = client.chat.completions.parse(**chat).choices[0]
    assert (choice.message.parsed, choice.message.tool_calls or [], choice.finish_reason) == (
        Weather(city="Bern"),
        [],
        "stop",
    )


def test_a_response_that_was_cut_off_raises_when_it_is_parsed(
    client: openai.OpenAI, sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(parts(text('{"city": "Be', "length"), used(), DONE))
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model="llama", messages=MESSAGES, response_format=Weather)


def test_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["llama"]


@pytest.mark.parametrize(
    ("reply", "expected", "code"),
    [
        (error(400, "ThrottlingException"), openai.RateLimitError, "rate_limit_exceeded"),
        (error(503, "ServiceUnavailable"), openai.InternalServerError, "unavailable"),
        (error(424, "ModelError", OriginalStatusCode=422, OriginalMessage="x"), openai.BadRequestError, None),
        (error(424, "ModelError", OriginalStatusCode=0), openai.InternalServerError, "timeout"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_raises_the_packages_exception(
    client: openai.OpenAI,
    sagemaker: SageMakerDouble,
    reply: Reply,
    expected: type[openai.APIStatusError],
    code: str | None,
    streamed: bool,
) -> None:
    sagemaker.replies, sagemaker.repeats = [reply], True
    with pytest.raises(expected) as raised:
        client.chat.completions.create(model="llama", messages=MESSAGES, stream=streamed)
    assert raised.value.code == code
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["message"] != ""


@pytest.mark.parametrize(
    ("reply", "calls"), [(error(424, "ModelError", OriginalStatusCode=0), 1), (error(503, "ServiceUnavailable"), 3)]
)
def test_the_package_does_not_repeat_what_took_too_long(
    client: openai.OpenAI, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch, reply: Reply, calls: int
) -> None:
    monkeypatch.setattr(openai.OpenAI, "_sleep_for_retry", lambda *arguments, **options: None)
    monkeypatch.setattr(retry, "MAX_ATTEMPTS", 1)
    sagemaker.replies, sagemaker.repeats = [reply], True
    with pytest.raises(openai.InternalServerError):
        client.with_options(max_retries=2).chat.completions.create(model="llama", messages=MESSAGES)
    assert len(sagemaker.received) == calls


def test_an_unsupported_parameter_is_a_bad_request(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="logit_bias is not supported") as raised:
        client.chat.completions.create(model="llama", messages=MESSAGES, logit_bias={"50256": -100})
    assert raised.value.param == "logit_bias"


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="The model `gpt-4o` does not exist") as raised:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")


def test_a_stream_that_breaks_raises_with_its_message(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    broken = exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")
    sagemaker.replies.append(stream([part(text("Un")), broken]))
    chunks = client.chat.completions.create(model="llama", messages=MESSAGES, stream=True)
    assert next(chunks).choices[0].delta.content == "Un"
    with pytest.raises(openai.APIError, match="The model's response broke off before its end"):
        next(chunks)
