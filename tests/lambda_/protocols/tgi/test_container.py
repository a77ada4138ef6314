"""Through the front door and SageMaker, a client gets what the container's own routes return."""

import asyncio
import http.client
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from front_door.app import App
from front_door.config import Config, Model
from hypothesis import given, settings
from hypothesis import strategies as st

from local.model_container.server import create_app as container
from local.model_container.settings import Settings
from local.sagemaker_runtime import Endpoints, Faults
from local.sagemaker_runtime import create_app as sagemaker_runtime
from tests.lambda_.conftest import ClientResponse

LIMITS = Settings(model_id="meta-llama/Llama-3.1-8B-Instruct", tokens_per_second=0, max_total_tokens=4096)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "d",
            "parameters": {"type": "object", "properties": properties, "required": list(properties)},
        },
    }
    for name, properties in {"weather": {"city": {"type": "string"}, "days": {"type": "integer"}}, "now": {}}.items()
]


BODY_OF: dict[str, dict[str, Any]] = {
    "/generate": {"inputs": "Hi"},
    "/generate_stream": {"inputs": "Hi"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
}


@dataclass
class Cloud:
    """A container, and the front door before it."""

    container: str
    app: App
    faults: Faults

    def direct(self, path: str, body: object) -> ClientResponse:
        """The container's own response."""
        connection = http.client.HTTPConnection(urlsplit(self.container).netloc)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = ClientResponse(
            response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
        )
        connection.close()
        return answer

    def through_front_door(self, path: str, body: object) -> ClientResponse:
        """What a client of the front door gets."""
        event = {
            "httpMethod": "POST",
            "path": path,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(body),
        }
        context: Any = SimpleNamespace(request_id="id", deadline=2e9)
        response = self.app.handle(event, context)
        headers = {key.lower(): value for key, value in response.headers.items()}
        return ClientResponse(response.status, headers, b"".join(response.body))


async def _serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    faults = Faults()
    served, url = run(_serve(container(LIMITS)))
    service = sagemaker_runtime(Endpoints.of({"e": url}), faults, secrets={"AKIDEXAMPLE": "secret"}, invoke_seconds=30)
    runtime, runtime_url = run(_serve(service))
    model = Model("llama", "e", LIMITS.model_id, 6291456)
    app = App(Config({"llama": model}, runtime_url, runtime_url, "eu-west-1"))
    yield Cloud(url, app, faults)
    app.sagemaker.close()
    run(runtime.cleanup())
    run(served.cleanup())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def without_time(body: bytes) -> bytes:
    return re.sub(rb'"created":\d+', b'"created":0', body)


def assert_same(cloud: Cloud, path: str, body: object, *, as_bytes: bool = False) -> ClientResponse:
    direct, through = cloud.direct(path, body), cloud.through_front_door(path, body)
    assert through.status == direct.status
    assert through.headers["content-type"] == direct.headers["content-type"]
    if as_bytes:
        assert without_time(through.body) == without_time(direct.body)
    else:
        assert json.loads(without_time(through.body)) == json.loads(without_time(direct.body))
    return direct


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
PARAMETERS = st.fixed_dictionaries(
    {"seed": st.integers(0, 2**64 - 1)},
    optional={
        "best_of": st.sampled_from([None, 1, 1, 3]),
        "temperature": st.sampled_from([None, 0.5, 1, 0, -1]),
        "top_p": st.sampled_from([0.5, 1.0]),
        "max_new_tokens": st.sampled_from([1, 2, 17, None, 5000, 0]),
        "return_full_text": st.sampled_from([None, True, False]),
        "stop": st.lists(st.sampled_from(["model", " ", "é"]), max_size=2),
        "details": st.booleans(),
        "decoder_input_details": st.sampled_from([False, False, True]),
        "top_n_tokens": st.sampled_from([None, 0, 2, 6]),
        "do_sample": st.booleans(),
        "grammar": st.sampled_from([None, {"type": "json", "value": {"properties": {"a": {"type": "integer"}}}}]),
        "unknown": TEXT,
    },
)
BODIES = st.fixed_dictionaries({"inputs": TEXT | st.just("")}, optional={"parameters": PARAMETERS})


@settings(max_examples=80, deadline=None)
@given(BODIES, st.sampled_from(["/", "/generate"]))
def test_a_buffered_generation_is_the_containers_field_for_field(cloud: Cloud, body: dict[str, Any], path: str) -> None:
    if "parameters" not in body:
        body = {**body, "parameters": {"seed": 1, "do_sample": True}}
    direct = assert_same(cloud, path, body)
    if direct.status == 200:
        through = cloud.through_front_door(path, body).headers
        for header in ("x-prompt-tokens", "x-generated-tokens"):
            assert through.get(header, direct.headers[header]) == direct.headers[header]


@settings(max_examples=40, deadline=None)
@given(BODIES, st.sampled_from(["/", "/generate_stream"]))
def test_a_streamed_generation_is_the_containers_byte_for_byte(cloud: Cloud, body: dict[str, Any], path: str) -> None:
    if "parameters" not in body:
        body = {**body, "parameters": {"seed": 1, "do_sample": True}}
    assert_same(cloud, path, {**body, "stream": True}, as_bytes=True)


def test_a_generation_without_parameters_samples_as_the_container_does(cloud: Cloud) -> None:
    for path in ("/", "/generate"):
        direct = cloud.direct(path, {"inputs": "Hi"})
        through = cloud.through_front_door(path, {"inputs": "Hi"})
        assert (direct.status, through.status) == (200, 200)
        assert type(direct.json()) is type(through.json())
    texts = {cloud.through_front_door("/generate", {"inputs": "Hi"}).body for _ in range(8)}
    assert len(texts) > 1, "every seed gave the same text, so nothing was sampled"


MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": TEXT}),
    min_size=1,
    max_size=3,
)
CHATS = st.fixed_dictionaries(
    {"messages": MESSAGES, "seed": st.integers(0, 2**64 - 1)},
    optional={
        "max_tokens": st.sampled_from([1, 3, 40, 0, 5000]),
        "temperature": st.sampled_from([0, 0.7, 1]),
        "top_p": st.sampled_from([0.9, 1]),
        "stop": st.lists(st.sampled_from(["model", "toy"]), max_size=2),
        "logprobs": st.booleans(),
        "top_logprobs": st.sampled_from([1, 5, 6]),
        "response_format": st.just({"type": "json_object", "value": {"properties": {"a": {"type": "string"}}}}),
        "frequency_penalty": st.sampled_from([0, 1, 3]),
    },
)


REASONS = {"stop": "stop", "eos_token": "stop", "stop_sequence": "stop", "length": "length"}


@settings(max_examples=80, deadline=None)
@given(CHATS)
def test_a_buffered_chat_has_the_containers_content(cloud: Cloud, body: dict[str, Any]) -> None:
    if "top_logprobs" in body:
        body = {**body, "logprobs": True}  # which OpenAI requires
    # With top_p TGI samples, though the temperature is 0.
    is_greedy = body.get("temperature") == 0
    asked = {name: value for name, value in body.items() if name != "top_p" or not is_greedy}
    direct, through = (
        cloud.direct("/v1/chat/completions", asked),
        cloud.through_front_door("/v1/chat/completions", body),
    )
    if direct.status != 200:
        # What TGI rejects is rejected, with OpenAI's status, or the front door rejects it with TGI's message.
        assert through.status in (200, 400)
        return
    expected, answered = direct.json(), through.json()
    theirs, ours = expected["choices"][0], answered["choices"][0]
    said, has_lost = (
        theirs["message"]["content"],
        theirs["finish_reason"] == "length" and not theirs["message"]["content"],
    )
    stops = [at for at in map(said.find, body.get("stop", [])) if at >= 0]
    assert answered["usage"] == expected["usage"]
    assert ours["finish_reason"] == ("stop" if stops else REASONS[theirs["finish_reason"]]) or has_lost
    if not has_lost:
        # TGI's buffered route loses a text that is cut off inside a character; its stream does not.
        assert ours["message"]["content"] == said[: min(stops, default=None)]


@pytest.mark.parametrize("choice", ["auto", "required", "weather", "now", "none"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("logprobs", [False, True])
def test_a_chat_with_tools_calls_what_the_container_calls(cloud: Cloud, choice: str, seed: int, logprobs: bool) -> None:
    messages = [{"role": "user", "content": "What is the weather in Zürich?"}]
    body = {"messages": messages, "tools": TOOLS, "seed": seed, "logprobs": logprobs}
    named = {"type": "function", "function": {"name": choice}} if choice in ("weather", "now") else choice
    direct = cloud.direct("/v1/chat/completions", {**body, "tool_choice": named})
    through = cloud.through_front_door("/v1/chat/completions", {**body, "tool_choice": named})
    assert (direct.status, through.status) == (200, 200)
    theirs, ours = (answer.json()["choices"][0]["message"] for answer in (direct, through))
    assert [called(call) for call in ours.get("tool_calls") or []] == [
        called(call) for call in theirs.get("tool_calls") or []
    ]
    assert ours.get("content") == theirs.get("content")


def called(call: dict[str, Any]) -> tuple[str, Any]:
    return call["function"]["name"], json.loads(call["function"]["arguments"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputs": 5},
        {"inputs": "x", "parameters": None},
        {"inputs": "x", "parameters": {"stop": "x"}},
        {"inputs": "x", "parameters": {"stop": [None]}},
        {"inputs": "x", "parameters": {"max_new_tokens": -1}},
        {"inputs": "x", "parameters": {"max_new_tokens": 1.0}},
        {"inputs": "x", "parameters": {"top_k": 2**31}},
        {"inputs": "x", "parameters": {"seed": 2**64}},
        {"inputs": "x", "parameters": {"temperature": "1"}},
        {"inputs": "x", "parameters": {"details": None}},
        {"inputs": "x", "parameters": {"do_sample": 1}},
        {"inputs": "x", "parameters": {"grammar": "x"}},
        {"inputs": "x", "parameters": {"grammar": {"type": "x", "value": 1}}},
        {"inputs": "x", "parameters": {"grammar": {"type": "regex"}}},
        {"inputs": "x", "parameters": {"adapter_id": 1}},
    ],
)
@pytest.mark.parametrize("path", ["/", "/generate", "/generate_stream"])
def test_a_wrong_type_has_the_containers_status_and_names_the_same_field(
    cloud: Cloud, path: str, body: dict[str, Any]
) -> None:
    direct, through = cloud.direct(path, body), cloud.through_front_door(path, body)
    assert through.status == direct.status == 422
    field = re.match(r"Failed to deserialize the JSON body into the target type: (\w*(\.\w+)?)", direct.body.decode())
    assert field is not None
    assert through.json()["error"].startswith(field[0])


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("throttle", 429, "overloaded"),
        ("no-capacity", 503, "no_capacity"),
        ("timeout", 504, "timeout"),
        ("model-error", 424, "generation"),
    ],
)
@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/v1/chat/completions"])
def test_an_injected_fault_has_its_status(cloud: Cloud, path: str, fault: str, status: int, kind: str) -> None:
    cloud.faults.inject(fault, 3)  # throttling is retried twice
    answer = cloud.through_front_door(path, BODY_OF[path])
    cloud.faults.clear()
    assert (answer.status, answer.json()["error_type"]) == (status, kind)


@pytest.mark.parametrize("path", ["/generate_stream", "/v1/chat/completions"])
def test_a_stream_that_sagemaker_breaks_ends_with_an_event(cloud: Cloud, path: str) -> None:
    body = {**BODY_OF[path], "stream": True}
    for _ in range(5):  # the fault cuts anywhere, also before the first complete event
        cloud.faults.inject("stream-broken", 1)
        answer = cloud.through_front_door(path, body)
        *_, last = [event for event in answer.body.split(b"\n\n") if event not in (b"", b"data: [DONE]")]
        assert json.loads(last.removeprefix(b"data: "))["error_type"] == "incomplete_generation"
        assert answer.status == (200 if last.startswith(b"data: ") else 500)
