"""The `openai` package with its plain defaults, over the application and a SageMaker double."""

import json
from typing import Any

import httpx2
import openai
import pytest
from conftest import Door
from sagemaker_double import Reply, SageMakerDouble, error, exception, part, parts, stream
from test_lambda_chat import ANSWER, text, tool

MESSAGES: Any = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(door: Door) -> openai.OpenAI:
    def send(request: httpx2.Request) -> httpx2.Response:
        headers = {name: [value] for name, value in request.headers.items()}
        answer = door.begin(
            request.url.path,
            method=request.method,
            raw=request.content.decode(),
            multiValueHeaders=headers,
        )
        return httpx2.Response(answer.status, headers=answer.headers, content=b"".join(answer.body))

    http = httpx2.Client(transport=httpx2.MockTransport(send))
    return openai.OpenAI(base_url="http://door/v1", api_key="key", http_client=http, max_retries=0)


def test_a_completion(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    completion = client.chat.completions.create(model="llama", messages=MESSAGES)
    assert completion.choices[0].message.content == "Un été 🧸"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 11
    assert completion._request_id == "gateway-id"


def test_a_stream(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    chunks = client.chat.completions.create(model="llama", messages=MESSAGES, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Un été 🧸"


def test_a_tool_call(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(tool("{", "now"), tool('"zone": "CET"'), tool("}"), *ANSWER[2:]))
    tools: Any = [{"type": "function", "function": {"name": "now", "parameters": {}}}]
    completion = client.chat.completions.create(model="llama", messages=MESSAGES, tools=tools)
    (call,) = completion.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("now", {"zone": "CET"})


def test_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["llama"]


@pytest.mark.parametrize(
    ("reply", "expected", "code"),
    [
        (error(400, "ThrottlingException"), openai.RateLimitError, "rate_limit_exceeded"),
        (error(503, "ServiceUnavailable"), openai.InternalServerError, "unavailable"),
        (error(424, "ModelError", OriginalStatusCode=422, OriginalMessage="x"), openai.UnprocessableEntityError, None),
        (error(424, "ModelError", OriginalStatusCode=0), openai.InternalServerError, "timeout"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_is_the_clients_own_exception(
    client: openai.OpenAI,
    sagemaker: SageMakerDouble,
    reply: Reply,
    expected: type[openai.APIStatusError],
    code: str | None,
    streamed: bool,
) -> None:
    sagemaker.replies.append(reply)
    with pytest.raises(expected) as raised:
        client.chat.completions.create(model="llama", messages=MESSAGES, stream=streamed)
    assert raised.value.code == code
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["message"] != ""


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="`gpt-4o` does not exist; there is `llama`") as raised:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")


def test_a_stream_that_breaks_raises_with_its_message(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    broken = exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")
    sagemaker.replies.append(stream([part(text("Un")), broken]))
    chunks = client.chat.completions.create(model="llama", messages=MESSAGES, stream=True)
    assert next(chunks).choices[0].delta.content == "Un"
    with pytest.raises(openai.APIError, match="The model's answer broke off before its end"):
        next(chunks)
