"""The `openai` package's responses, over the application and a SageMaker double."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx2
import openai
import pytest
from front_door.sagemaker import connection
from openai.types.responses import Response
from pydantic import BaseModel

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import ANSWER, DONE, text, tool, used
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, exception, part, parts, stream

CALL = [tool("{", "weather"), tool('"city": "Bern"'), tool("}"), used(9, 12), DONE]
JSON = [text('{"city": "Bern", '), text('"note": null}'), text("", "stop"), used(), DONE]
BROKEN = exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    note: str | None = None


TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": None,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture
def client(api: ApiClient) -> openai.OpenAI:
    def send(request: httpx2.Request) -> httpx2.Response:
        headers = {name: [value] for name, value in request.headers.items()}
        raw = request.content.decode()
        answer = api.begin(request.url.path, method=request.method, raw=raw, multiValueHeaders=headers)
        return httpx2.Response(answer.status, headers=answer.headers, content=b"".join(answer.body))

    http = httpx2.Client(transport=httpx2.MockTransport(send))
    # With strict validation what a type does not allow raises in place of being passed on.
    return openai.OpenAI(
        base_url="http://front-door/v1",
        api_key="key",
        http_client=http,
        max_retries=0,
        _strict_response_validation=True,
    )


def test_a_response(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    response = client.responses.create(model="llama", input="Hi", instructions="Be brief.", store=True)
    assert response.output_text == "Un été 🧸"
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == 11
    assert response._request_id == "gateway-id"


def test_the_stream_helper(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*ANSWER)] * 2
    whole = client.responses.create(model="llama", input="Hi")
    with client.responses.stream(model="llama", input="Hi") as events:
        read = list(events)
        final = events.get_final_response()
    texts = [event.snapshot for event in read if event.type == "response.output_text.delta"]
    assert texts == ["Un été", "Un été 🧸"]
    assert [event.text for event in read if event.type == "response.output_text.done"] == [texts[-1]]
    assert _lasting(final) == _lasting(whole)


def _lasting(response: Response) -> dict[str, Any]:
    """A response without what says when it was made, and what the package parses."""
    excluded: Any = {
        "created_at": True,
        "completed_at": True,
        "output": {"__all__": {"content": {"__all__": {"parsed"}}}},
    }
    return response.model_dump(exclude=excluded)


def test_a_loop_of_tools(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*CALL), parts(*ANSWER)]
    conversation: Any = [{"role": "user", "content": "Hi"}]
    response = client.responses.create(model="llama", input=conversation, tools=[TOOL])
    conversation += response.output
    (call,) = response.output
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Bern"})
    conversation.append({"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."})
    again = client.responses.create(model="llama", input=conversation, tools=[TOOL])
    assert again.output_text == "Un été 🧸"
    sent = sagemaker.received[1].json()["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]


def test_the_stream_helper_of_a_call(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(CALL[0], tool('"city": "Bern", "note": null'), *CALL[2:]))
    tools: Any = [openai.pydantic_function_tool(Weather, name="weather")["function"] | {"type": "function"}]
    with client.responses.stream(model="llama", input="Hi", tools=tools) as events:
        read = list(events)
        (call,) = events.get_final_response().output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "Bern", "note": None}
    snapshots = [event.snapshot for event in read if event.type == "response.function_call_arguments.delta"]
    assert snapshots[-1] == call.arguments


def test_parsing(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*JSON))
    parsed = client.responses.parse(model="llama", input="Hi", text_format=Weather)
    assert parsed.output_parsed == Weather(city="Bern")
    form = sagemaker.received[0].json()["response_format"]
    assert form["value"]["name"] == "Weather"


def test_parsing_a_stream_beside_tools(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    arguments = ['"_ready": true', ', "city": "Be', 'rn", "note": null', "}"]
    sagemaker.replies.append(parts(tool("{", "final_answer"), *map(tool, arguments), used(), DONE))
    with client.responses.stream(model="llama", input="Hi", tools=[TOOL], text_format=Weather) as events:
        assert events.get_final_response().output_parsed == Weather(city="Bern")


def test_an_answer_that_was_cut_off(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(text("Un", "length"), used(), DONE)] * 2
    response = client.responses.create(model="llama", input="Hi", max_output_tokens=1)
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    last = list(client.responses.create(model="llama", input="Hi", max_output_tokens=1, stream=True))[-1]
    assert last.type == "response.incomplete"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (error(400, "ThrottlingException"), openai.RateLimitError),
        (error(424, "ModelError", OriginalStatusCode=422, OriginalMessage="x"), openai.BadRequestError),
    ],
)
def test_an_error_raises_the_packages_exception(
    client: openai.OpenAI,
    sagemaker: SageMakerDouble,
    reply: Reply,
    expected: type[openai.APIStatusError],
    streamed: bool,
) -> None:
    sagemaker.replies, sagemaker.repeats = [reply], True
    with pytest.raises(expected):
        client.responses.create(model="llama", input="Hi", stream=streamed)


def test_a_stream_that_breaks_ends_with_a_failed_response(client: openai.OpenAI, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(stream([part(text("Un")), BROKEN]))
    last = list(client.responses.create(model="llama", input="Hi", stream=True))[-1]
    assert last.type == "response.failed"
    assert last.response.output_text == "Un"
    assert last.response.error is not None
    assert last.response.error.message.startswith("The model's response broke off before its end")


def test_a_stream_that_fails_late_before_its_first_token_raises(
    client: openai.OpenAI, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.05)
    head, broken, end = stream([BROKEN]).pieces
    sagemaker.replies.append(Reply([head, lambda: time.sleep(0.2), broken, end]))
    events = client.responses.create(model="llama", input="Hi", stream=True)
    with pytest.raises(openai.APIError, match="The model's response broke off before its end"):
        next(events)


@pytest.mark.parametrize("method", ["retrieve", "delete", "cancel"])
def test_no_response_is_stored(client: openai.OpenAI, method: str) -> None:
    with pytest.raises(openai.NotFoundError, match="no response is stored"):
        getattr(client.responses, method)("resp_1")


def test_an_earlier_response_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="send the whole conversation as `input`") as raised:
        client.responses.create(model="llama", input="Hi", previous_response_id="resp_1")
    assert raised.value.param == "previous_response_id"
