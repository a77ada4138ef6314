"""`POST /v1/messages` and its count of tokens over a SageMaker double."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from front_door.config import Model
from front_door.sagemaker import connection

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.protocols.messages.streams import accumulate, events
from tests.lambda_.protocols.openai import events as tgi
from tests.lambda_.protocols.openai import natives as vllm
from tests.lambda_.protocols.openai.events import DONE
from tests.lambda_.sagemaker_double import SageMakerDouble, exception, part, parts, slices, stream

Api = Callable[..., ApiClient]
PATH = "/v1/messages"
HI: dict[str, Any] = {"max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"name": "weather", "input_schema": SCHEMA}]
MESSAGE: dict[str, Any] = {
    "id": "msg_gateway-id",
    "type": "message",
    "role": "assistant",
    "model": "llama",
    "content": [{"type": "text", "text": "Un été 🧸"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 9,
        "cache_creation_input_tokens": None,
        "cache_read_input_tokens": None,
        "output_tokens": 2,
    },
}
COUNTING = {"counts_tokens": True}
BOTH = pytest.mark.parametrize(("model", "sent"), [(LLAMA, tgi.ANSWER), (vllm.VLLM, vllm.ANSWER)], ids=["tgi", "vllm"])


@BOTH
def test_a_buffered_message(api_for: Api, sagemaker: SageMakerDouble, model: Model, sent: list[bytes]) -> None:
    sagemaker.replies.append(parts(*sent))
    response = api_for(model).send(PATH, HI)
    assert (response.status, response.headers["request-id"]) == (200, "gateway-id")
    assert response.json() == MESSAGE
    asked = {**HI, "stream": True, "stream_options": {"include_usage": True}}
    assert sagemaker.received[0].json() == asked


@BOTH
def test_a_streamed_message(api_for: Api, sagemaker: SageMakerDouble, model: Model, sent: list[bytes]) -> None:
    api, whole = api_for(model), b"".join(sent)
    for pieces in (sent, [whole], slices(whole, 50)):
        sagemaker.replies.append(parts(*pieces))
        response = api.send(PATH, {**HI, "stream": True})
        assert (response.status, response.headers["request-id"]) == (200, "gateway-id")
        assert response.headers["Content-Type"] == "text/event-stream"
        assert accumulate(response.body) == MESSAGE
        (line,) = api.log()
        assert (line["route"], line["PromptTokens"], line["GeneratedTokens"]) == ("POST /v1/messages", 9, 2)


def test_the_path_of_a_model_decides_whatever_the_body_names(api_for: Api, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*tgi.ANSWER))
    response = api_for(LLAMA, FALCON).send("/models/falcon/v1/messages", {**HI, "model": "claude-opus-5-5"})
    assert response.json()["model"] == "falcon"
    assert "model" not in sagemaker.received[0].json()


TGI_CALL = [tgi.tool('{"city":', "weather"), tgi.tool('"Lyon"}'), tgi.used(), DONE]
VLLM_CALL = [
    vllm.FIRST,
    vllm.chat_chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "weather"}}]}),
    vllm.chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city":"Lyon"}'}}]}),
    vllm.chat_chunk({}, "tool_calls"),
    vllm.usage_chunk(),
    DONE,
]


@pytest.mark.parametrize(("model", "sent"), [(LLAMA, TGI_CALL), (vllm.VLLM, VLLM_CALL)], ids=["tgi", "vllm"])
def test_a_call_of_a_tool(api_for: Api, sagemaker: SageMakerDouble, model: Model, sent: list[bytes]) -> None:
    api = api_for(model)
    sagemaker.replies += [parts(*sent), parts(*sent)]
    whole = api.send(PATH, {**HI, "tools": TOOLS}).json()
    streamed = accumulate(api.send(PATH, {**HI, "tools": TOOLS, "stream": True}).body)
    for message in (whole, streamed):
        (block,) = message["content"]
        assert block.pop("id")
        assert block == {"type": "tool_use", "name": "weather", "input": {"city": "Lyon"}}
        assert message["stop_reason"] == "tool_use"
    (tool,) = sagemaker.received[0].json()["tools"]
    assert tool["function"]["parameters"]["properties"] == SCHEMA["properties"]


def test_several_calls_and_thinking_of_vllm(api_for: Api, sagemaker: SageMakerDouble) -> None:
    def begun(index: int) -> dict[str, Any]:
        function = {"name": "weather", "arguments": '{"city":"Lyon"}'}
        return {"tool_calls": [{"index": index, "id": f"c{index}", "type": "function", "function": function}]}

    deltas = [{"reasoning": "Hm."}, {"content": "I look."}, begun(0), begun(1)]
    sent = [vllm.FIRST, *map(vllm.chat_chunk, deltas), vllm.chat_chunk({}, "stop"), vllm.usage_chunk(), DONE]
    api = api_for(vllm.VLLM)
    expected = [("thinking", "Hm."), ("text", "I look."), ("tool_use", None), ("tool_use", None)]
    for thinking, skipped in (({"type": "enabled", "budget_tokens": 1024}, 0), ({"type": "disabled"}, 1)):
        sagemaker.replies += [parts(*sent), parts(*sent)]
        body = {**HI, "tools": TOOLS, "thinking": thinking}
        whole = api.send(PATH, body).json()
        assert whole == accumulate(api.send(PATH, {**body, "stream": True}).body)
        assert whole["stop_reason"] == "tool_use"
        found = [(block["type"], block.get("thinking", block.get("text"))) for block in whole["content"]]
        assert found == expected[skipped:]


@pytest.mark.parametrize("arguments", ["", "{}", '{"city":"Ly'])
@pytest.mark.parametrize("stream", [False, True])
def test_a_call_of_vllm_that_the_limit_cuts_off_is_no_call_to_make(
    api_for: Api, sagemaker: SageMakerDouble, arguments: str, stream: bool
) -> None:
    """vLLM says `tool_calls` in a stream, and writes `{}` for a call that has no arguments yet."""
    function = {"name": "weather", "arguments": arguments}
    begun = vllm.chat_chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]})
    sent = [vllm.FIRST, begun, vllm.chat_chunk({}, "tool_calls"), vllm.usage_chunk(), DONE]
    for max_tokens, reason in ((2, "max_tokens"), (3, "tool_use")):
        if reason == "max_tokens" or arguments in ("", "{}"):
            sagemaker.replies.append(parts(*sent))
            body = {**HI, "max_tokens": max_tokens, "tools": TOOLS, "stream": stream}
            response = api_for(vllm.VLLM).send(PATH, body)
            assert response.status == 200
            assert f'"stop_reason":"{reason}"'.encode() in response.body


def test_a_call_is_cut_off_by_what_fits_behind_the_prompt_too(api_for: Api, sagemaker: SageMakerDouble) -> None:
    too_long = (
        "This model's maximum context length is 12 tokens. However, you requested 50 output tokens and your prompt"
    )
    too_long += " contains 10 input tokens, for a total of 60 tokens."
    function = {"name": "weather", "arguments": '{"city":'}
    begun = vllm.chat_chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]})
    sent = [vllm.FIRST, begun, vllm.chat_chunk({}, "tool_calls"), vllm.usage_chunk(), DONE]
    sagemaker.replies += [vllm.refused(400, {"error": {"message": too_long, "code": 400}}), parts(*sent)]
    message = api_for(vllm.VLLM).send(PATH, {**HI, "tools": TOOLS}).json()
    assert sagemaker.received[1].json()["max_tokens"] == 2
    assert message["stop_reason"] == "model_context_window_exceeded"
    assert message["content"] == [{"type": "tool_use", "id": "c1", "name": "weather", "input": {}}]


@BOTH
def test_a_stop_sequence_is_reported(api_for: Api, sagemaker: SageMakerDouble, model: Model, sent: list[bytes]) -> None:
    if model is LLAMA:
        sent = [tgi.text("Un été 🧸END"), tgi.text("", "stop"), tgi.used(), DONE]
    else:
        sent = [*sent[:2], vllm.chat_chunk({"content": " 🧸"}, "stop", stop_reason="END"), *sent[3:]]
    api = api_for(model)
    sagemaker.replies += [parts(*sent), parts(*sent)]
    body = {**HI, "stop_sequences": ["END"]}
    expected = {**MESSAGE, "stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert api.send(PATH, body).json() == expected
    assert accumulate(api.send(PATH, {**body, "stream": True}).body) == expected


def test_the_engines_problems_have_the_names_of_the_clients_request(api_for: Api) -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    body = {
        **HI,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [image]}],
        "stop_sequences": ["a", "b", "c"],
        "tools": [{"name": "no_tool", "input_schema": {"type": "object", "properties": {"a": {"$ref": "#/x"}}}}],
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "temperature": 2,
    }
    facts = {"max_stop_sequences": 2, "reads_images": False}
    response = api_for(replace(LLAMA, facts=facts)).send(PATH, body)
    assert response.status == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    sentences = error["message"].split("; ")
    assert [each.split(" ")[0].rstrip(":") for each in sentences] == [
        "temperature",
        "stop_sequences",
        "tools[0].name",
        "tools[0].input_schema",
        "messages[1].content[0]",
    ]


def test_the_format_of_an_answer(api_for: Api, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*vllm.ANSWER))
    form = {"type": "json_schema", "schema": SCHEMA}
    assert api_for(vllm.VLLM).send(PATH, {**HI, "output_config": {"format": form}}).status == 200
    assert sagemaker.received[0].json()["response_format"]["json_schema"]["schema"] == SCHEMA


def test_as_many_tokens_as_fit_are_asked_for(api_for: Api, sagemaker: SageMakerDouble) -> None:
    message = (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 20. Given: 9 `inputs` tokens and 50"
    )
    sagemaker.replies += [
        parts(tgi.error(f"{message} `max_new_tokens`")),
        parts(tgi.text("Un"), tgi.text(" été", "length"), tgi.used(9, 11), DONE),
    ]
    message = api_for(LLAMA).send(PATH, HI).json()
    assert [received.json()["max_tokens"] for received in sagemaker.received] == [50, 11]
    assert message["stop_reason"] == "model_context_window_exceeded"


@pytest.mark.parametrize("path", [PATH, f"{PATH}/count_tokens"])
def test_a_prompt_that_does_not_fit_is_a_400(api_for: Api, sagemaker: SageMakerDouble, path: str) -> None:
    message = "Input validation error: `inputs` must have less than 8 tokens. Given: 9"
    sagemaker.replies.append(parts(tgi.error(message)))
    response = api_for(replace(LLAMA, facts=COUNTING)).send(path, HI)
    assert response.status == 400
    assert response.json()["error"]["message"].startswith("prompt is too long: ")


def test_an_error_before_the_answer_has_its_status(api_for: Api, sagemaker: SageMakerDouble) -> None:
    for stream_ in (False, True):
        sagemaker.replies.append(vllm.refused(400, {"error": {"message": "Too odd.", "type": "x", "code": 400}}))
        response = api_for(vllm.VLLM).send(PATH, {**HI, "stream": stream_})
        assert (response.status, response.headers["request-id"]) == (400, "gateway-id")
        assert response.json() == {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "Too odd."},
            "request_id": "gateway-id",
        }


@BOTH
def test_an_error_in_the_middle_ends_a_stream(
    api_for: Api, sagemaker: SageMakerDouble, model: Model, sent: list[bytes]
) -> None:
    broken = [part(each) for each in sent[:2]]
    for reply in (stream([*broken, exception("ModelStreamError")]), stream(broken, ends=False, then="close")):
        sagemaker.replies.append(reply)
        first, *_, last = events(api_for(model).send(PATH, {**HI, "stream": True}).body)
        assert (first["type"], last["type"]) == ("message_start", "error")
        assert (last["error"]["type"], last["request_id"]) == ("api_error", "gateway-id")


def test_keep_alives_are_pings(api_for: Api, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.02)
    reply = parts(*tgi.ANSWER)
    reply.pieces.insert(1, lambda: time.sleep(0.2))
    sagemaker.replies.append(reply)
    body = api_for(LLAMA).send(PATH, {**HI, "stream": True}).body
    assert body.startswith(b'event: ping\ndata: {"type":"ping"}\n\n')
    assert b"\n:" not in body
    assert accumulate(body) == MESSAGE


@pytest.mark.parametrize(
    ("event", "status", "kind"),
    [
        ({"body": {**HI, "model": "gpt"}}, 404, "not_found_error"),
        ({"body": HI, "method": "GET"}, 405, "invalid_request_error"),
        ({"raw": "{"}, 400, "invalid_request_error"),
        ({"body": {**HI, "model": 1}}, 400, "invalid_request_error"),
        ({"raw": "{}", "headers": {"Content-Type": "text/plain"}}, 415, "invalid_request_error"),
    ],
)
def test_errors_of_the_front_door_have_anthropics_form(
    api_for: Api, event: dict[str, Any], status: int, kind: str
) -> None:
    response = api_for(LLAMA, FALCON).send(PATH, **event)
    assert (response.status, response.headers["request-id"]) == (status, "gateway-id")
    assert response.json()["error"]["type"] == kind
    assert response.json()["request_id"] == "gateway-id"


@pytest.mark.parametrize("thread", [{"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}])
def test_tool_runners_are_told_to_send_the_whole_conversation(api_for: Api, thread: dict[str, str]) -> None:
    response = api_for(LLAMA).send(PATH, {**HI, "thread": thread})
    assert response.status == 400
    assert response.json()["error"]["details"] == {
        "error_code": "thread_unsupported_request",
        "unsupported": ["thread"],
    }


def test_deeply_nested_and_unwritable_bodies_get_a_400(api_for: Api) -> None:
    api = api_for(LLAMA)
    call = '{"type":"tool_use","id":"a","name":"b","input":{"a":%s}}'
    body = '{"max_tokens":5,"messages":[{"role":"assistant","content":[%s]},{"role":"user","content":"a"}]}'
    for value in ("[" * 100_000 + "]" * 100_000, '"\\ud800"', "1e999"):
        response = api.send(PATH, raw=body % (call % value))
        assert response.status == 400, value[:10]
        assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("model", [LLAMA, vllm.VLLM, replace(LLAMA, facts={"counts_tokens": False})])
def test_tokens_are_counted_only_where_it_is_switched_on(api_for: Api, model: Model) -> None:
    response = api_for(model).send(f"{PATH}/count_tokens", HI)
    assert (response.status, response.headers["request-id"]) == (404, "gateway-id")
    assert response.json()["error"]["type"] == "not_found_error"
    assert '`FrontDoor(count_tokens=["llama"])`' in response.json()["error"]["message"]


@BOTH
def test_a_count_costs_one_token(api_for: Api, sagemaker: SageMakerDouble, model: Model, sent: list[bytes]) -> None:
    api = api_for(replace(model, facts=COUNTING))
    sagemaker.replies.append(parts(*sent))
    body = {"system": "Be brief.", "messages": HI["messages"], "thinking": {"type": "adaptive"}}
    response = api.send(f"{PATH}/count_tokens", body)
    assert (response.status, response.json()) == (200, {"input_tokens": 9})
    assert response.headers["request-id"] == "gateway-id"
    asked = sagemaker.received[0].json()
    assert asked["max_tokens"] == 1
    assert [each["content"] for each in asked["messages"]] == ["Be brief.", "Hi"]
    (line,) = api.log()
    assert (line["PromptTokens"], line["GeneratedTokens"]) == (9, 2)


def test_a_prompt_with_tools_is_counted_by_tgi_too(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(replace(LLAMA, facts=COUNTING))
    sagemaker.replies.append(parts(tgi.used(120, 1), DONE))
    response = api.send(f"{PATH}/count_tokens", {**HI, "tools": TOOLS})
    assert (response.status, response.json()) == (200, {"input_tokens": 120})
    (line,) = api.log()
    assert (line["PromptTokens"], line["GeneratedTokens"], line.get("error")) == (120, 1, None)


def test_a_count_that_fails_is_an_error(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(replace(LLAMA, facts=COUNTING), replace(vllm.VLLM, name="v", facts=COUNTING))
    sagemaker.replies += [
        parts(tgi.error("Tool error: no")),
        parts(*vllm.ANSWER[:3], DONE),
        parts(*vllm.ANSWER[:3], vllm.usage_chunk(prompt_tokens=None), DONE),
    ]
    for name in ("llama", "v", "v"):
        response = api.send(f"/models/{name}/v1/messages/count_tokens", {**HI, "tools": TOOLS})
        assert response.status >= 400
        assert response.json()["type"] == "error"
    assert response.json()["error"]["message"] == "The model's server has not said how many tokens the prompt has."


def test_no_text_of_a_client_is_logged(api_for: Api, sagemaker: SageMakerDouble) -> None:
    api = api_for(LLAMA)
    sagemaker.replies += [parts(*tgi.ANSWER), parts(*tgi.ANSWER)]
    secret = {"role": "user", "content": "a-secret"}
    for more in ({}, {"stream": True}, {"top_k": 5}, {"messages": [{**secret, "role": "a-secret"}]}):
        api.send(PATH, {**HI, "system": "a-secret", "messages": [secret], **more})
    assert "a-secret" not in json.dumps(api.log())
