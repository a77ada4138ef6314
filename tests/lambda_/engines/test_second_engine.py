"""A second engine needs a class and one line in the registry; everything around it stays the same."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from front_door import engines
from front_door.config import ConfigError
from front_door.errors import IN_BAND, ApiError
from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.request import GenerationRequest, Problems

from tests.lambda_.conftest import LLAMA, ApiClient
from tests.lambda_.protocols.openai.events import Read
from tests.lambda_.sagemaker_double import SageMakerDouble, error, parts

HI = {"messages": [{"role": "user", "content": "Hi"}]}


class EchoChoice(Choice):
    """Reads events such as `{"say": "text"}` and `{"end": 3}`."""

    def read_event(self, data: bytes) -> list[Delta]:
        event = json.loads(data)
        if "fault" in event:
            self.error = ApiError("generation", event["fault"], log_detail=IN_BAND)
        elif "end" in event:
            self.usage = {"prompt_tokens": 1, "completion_tokens": event["end"]}
            return self.finish()
        return [Delta(event["say"])] if "say" in event else []


class EchoEngine:
    """Speaks a protocol that no other engine speaks."""

    display_name = "Echo"
    native_protocol = "echo"
    not_streamable = "nothing"

    def build_bodies(
        self, request: GenerationRequest, facts: Mapping[str, Any], problems: Problems
    ) -> list[dict[str, Any]]:
        if request.tools:
            problems.add("tools", "tools are not supported")
        texts = request.prompts or [each["content"] for each in request.messages or []]
        return [{"echo": text, "temperature": request.temperature} for text in texts]

    def cheapest_body(self, routes: tuple[str, ...]) -> dict[str, Any]:
        return {"echo": "Hi"}

    def with_max_tokens(self, body: dict[str, Any], max_tokens: int) -> dict[str, Any]:
        return {**body, "limit": max_tokens}

    def without_streaming(self, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def can_stream(self, body: dict[str, Any]) -> bool:
        return True

    def create_choice(self, request: GenerationRequest, max_tokens: int, body: dict[str, Any]) -> Choice:
        return EchoChoice(request, max_tokens)

    def container_error(self, status: int, text: str) -> ApiError:
        return ApiError("overloaded" if text == "busy" else "upstream", text, may_retry=text == "busy")

    def first_error(self, events: bytes) -> ApiError | None:
        return ApiError("generation", "at once") if b'"fault"' in events[:15] else None

    def stream_error(self, event: dict[str, Any]) -> ApiError:
        return ApiError("generation", event["fault"])

    def tokens_left(self, error: ApiError) -> int | None:
        return int(error.message.removeprefix("left: ")) if error.message.startswith("left: ") else None


@pytest.fixture
def echo(api_for: Callable[..., ApiClient], monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiClient]:
    monkeypatch.setitem(engines.ENGINES, "echo", f"{__name__}:EchoEngine")
    yield api_for(replace(LLAMA, engine="echo"))
    engines.of.cache_clear()


def event(**members: object) -> bytes:
    return b"data: " + json.dumps(members).encode() + b"\n\n"


ANSWER = [event(say="Hello"), event(say=" you"), event(end=2)]


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", HI), ("/v1/completions", {"prompt": "Hi"}), ("/invocations", HI)]
)
@pytest.mark.parametrize("stream", [False, True])
def test_openais_routes_respond(
    echo: ApiClient, sagemaker: SageMakerDouble, path: str, body: dict[str, Any], stream: bool
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    response = echo.send(path, {**body, "temperature": 0.5, "max_tokens": 7, "stream": stream})
    assert response.status == 200
    assert sagemaker.received[0].json() == {"echo": "Hi", "temperature": 0.5, "limit": 7}
    if stream:
        read = Read.of(response.body)
        assert (read.text(), read.finish_reasons(), read.is_done) == ("Hello you", ["stop"], True)
    else:
        choice = response.json()["choices"][0]
        text = choice["text"] if "text" in choice else choice["message"]["content"]
        assert (text, choice["finish_reason"], response.json()["usage"]["completion_tokens"]) == (
            "Hello you",
            "stop",
            2,
        )


def test_stop_sequences_end_its_text_too(echo: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    choice = echo.send("/v1/chat/completions", {**HI, "stop": " y"}).json()["choices"][0]
    assert choice["message"]["content"] == "Hello"


def test_its_problems_are_reported_with_the_protocols(echo: ApiClient) -> None:
    tool = {"type": "function", "function": {"name": "now"}}
    response = echo.send("/v1/chat/completions", {**HI, "tools": [tool], "n": 9})
    assert response.status == 400
    assert response.json()["error"]["message"].endswith("one request may have; tools are not supported")


def test_it_says_which_errors_may_be_repeated(echo: ApiClient, sagemaker: SageMakerDouble) -> None:
    busy = error(424, "ModelError", OriginalStatusCode=503, OriginalMessage="busy")
    sagemaker.replies += [busy, parts(*ANSWER)]
    assert echo.send("/v1/chat/completions", HI).status == 200
    broken = error(424, "ModelError", OriginalStatusCode=503, OriginalMessage="broken")
    sagemaker.replies.append(broken)
    assert echo.send("/v1/chat/completions", HI).json()["error"]["message"] == "broken"
    assert len(sagemaker.received) == 3


def test_it_says_how_many_tokens_are_left(echo: ApiClient, sagemaker: SageMakerDouble) -> None:
    too_long = error(424, "ModelError", OriginalStatusCode=400, OriginalMessage="left: 5")
    sagemaker.replies += [too_long, parts(*ANSWER)]
    assert echo.send("/v1/chat/completions", HI).status == 200
    assert [request.json()["limit"] for request in sagemaker.received] == [1024, 5]


def test_its_errors_in_a_stream_are_reported(echo: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(event(fault="x")), parts(ANSWER[0], event(fault="later"))]
    assert echo.send("/v1/chat/completions", {**HI, "stream": True}).status == 424
    read = Read.of(echo.send("/v1/chat/completions", {**HI, "stream": True}).body)
    assert (read.text(), read.errors[0]["error"]["message"]) == ("Hello", "later")


@pytest.mark.parametrize("path", ["/", "/generate", "/generate_stream"])
@pytest.mark.parametrize("parameters", [{}, {"best_of": 2}])
def test_tgis_routes_name_the_routes_that_it_has(
    echo: ApiClient, sagemaker: SageMakerDouble, path: str, parameters: dict[str, Any]
) -> None:
    response = echo.send(path, {"inputs": "Hi", "parameters": parameters})
    assert (response.status, sagemaker.received) == (501, [])
    assert response.json() == {
        "error": "llama runs on Echo, which does not answer TGI's requests here; use /v1/chat/completions or"
        " /v1/completions.",
        "error_type": "engine_cannot",
    }


def test_an_unknown_engine_fails_the_start(api_for: Callable[..., ApiClient]) -> None:
    with pytest.raises(ConfigError, match="The engine 'ollama' is unknown; known are tgi, tgi-neuron, vllm"):
        api_for(replace(LLAMA, engine="ollama"))
