"""`/v1/responses` over a SageMaker double: what containers get, and what the client gets for their events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from front_door.sagemaker import connection

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.protocols.openai import natives
from tests.lambda_.protocols.openai.events import ANSWER, DONE, error, text, tool, used
from tests.lambda_.protocols.openai.natives import VLLM, chat_chunk, refused, usage_chunk
from tests.lambda_.protocols.responses.events import accumulate, read_events, read_response, types_of
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, exception, part, parts, slices, stream

PATH = "/v1/responses"
HI = {"model": "llama", "input": "Hi"}
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALL = [tool("{", "weather"), tool(' "city":'), tool(' "Zürich"'), tool("}"), used(9, 12), DONE]
BOTH = pytest.mark.parametrize(("model", "answer"), [(LLAMA, ANSWER), (VLLM, natives.ANSWER)], ids=["tgi", "vllm"])


@pytest.fixture
def vllm(api_for: Callable[..., ApiClient]) -> ApiClient:
    return api_for(VLLM)


def respond(api: ApiClient, **more: Any) -> dict[str, Any]:
    answer = api.send(PATH, {**HI, **more})
    assert answer.status == 200, answer.body
    return read_response(answer.body)


def streamed(api: ApiClient, **more: Any) -> list[dict[str, Any]]:
    answer = api.send(PATH, {**HI, **more, "stream": True})
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "text/event-stream"
    return read_events(answer.body)


def refusal(api: ApiClient, **more: Any) -> dict[str, Any]:
    answer = api.send(PATH, {**HI, **more})
    assert answer.status == 400, answer.body
    details: dict[str, Any] = answer.json()["error"]
    assert details["type"] == "invalid_request_error"
    return details


def both(api: ApiClient, sagemaker: SageMakerDouble, *events: bytes, **body: Any) -> dict[str, Any]:
    """The response, which a stream of the same events adds up to."""
    sagemaker.replies += [parts(*events)] * 2
    response = respond(api, **body)
    read = streamed(api, **body)
    final = read_response(read[-1]["response"])
    assert accumulate(read) == final["output"]
    assert _without_call_ids(final) == _without_call_ids(response)
    return response


def _without_call_ids(response: dict[str, Any]) -> str:
    """TGI gives its calls no ids, so that each has a random one."""
    return re.sub('"call_[0-9a-f]{24}"', "", json.dumps(response))


@BOTH
def test_a_response(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, model: Any, answer: list[bytes]
) -> None:
    response = both(api_for(model), sagemaker, *answer)
    assert response == {
        "id": "resp_gateway-id",
        "object": "response",
        "model": "llama",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "temperature": None,
        "top_p": None,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "safety_identifier": None,
        "user": None,
        "background": False,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": False,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 11,
        },
        "output": [
            {
                "id": "msg_gateway-id_0",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Un été 🧸", "annotations": [], "logprobs": []}],
            }
        ],
    }


@BOTH
def test_a_stream_is_the_same_wherever_the_slices_are_cut(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, model: Any, answer: list[bytes]
) -> None:
    api = api_for(model)
    events = b"".join([*answer[:2], *[answer[1]] * 20, *answer[2:]])
    expected = both(api, sagemaker, events)
    for size in range(1, len(events), 97):
        sagemaker.replies.append(parts(*slices(events, size)))
        assert read_response(streamed(api)[-1]["response"]) == expected


def test_what_tgi_gets(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    conversation = [
        {"role": "developer", "content": "In French."},
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    ]
    respond(api, instructions="Be brief.", input=conversation, max_output_tokens=5, temperature=0.5, store=True)
    assert sagemaker.received[0].json() == {
        "messages": [
            {"role": "system", "content": "Be brief.\n\nIn French."},
            {"role": "user", "content": "Hi"},
        ],
        "max_tokens": 5,
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_what_vllm_gets(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*natives.ANSWER))
    respond(vllm, tools=[WEATHER], tool_choice="required", reasoning={"effort": "low"}, top_k=5)
    function = {"name": "weather", "parameters": WEATHER["parameters"]}
    assert sagemaker.received[0].json() == {
        "tools": [{"type": "function", "function": function}],
        "messages": [{"role": "user", "content": "Hi"}],
        "tool_choice": "required",
        "reasoning_effort": "low",
        "top_k": 5,
        "max_tokens": 1024,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_the_path_of_a_model_chooses_it(api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = api_for(LLAMA, FALCON).send("/models/falcon/v1/responses", {"model": "gpt-5", "input": "Hi"})
    assert read_response(answer.body)["model"] == "falcon"


def test_a_call_and_the_answer_to_its_output(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    (call,) = both(api, sagemaker, *CALL, tools=[WEATHER])["output"]
    assert (call["name"], json.loads(call["arguments"])) == ("weather", {"city": "Zürich"})
    assert call["call_id"].startswith("call_")
    sagemaker.replies.append(parts(*ANSWER))
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "Sunny."}
    respond(api, input=[{"role": "user", "content": "Hi"}, call, output], tools=[WEATHER])
    messages = sagemaker.received[-1].json()["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": call["arguments"]}


def test_reasoning_and_several_calls_of_vllm(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    def calls(index: int, **function: str) -> bytes:
        head = {"id": f"call_{index}", "type": "function"} if "name" in function else {}
        return chat_chunk({"tool_calls": [{"index": index, **head, "function": function}]})

    usage = usage_chunk(completion_tokens_details={"reasoning_tokens": 2}, prompt_tokens_details={"cached_tokens": 4})
    events = [
        *(natives.FIRST, chat_chunk({"reasoning": "Hm"}), chat_chunk({"reasoning_content": "."})),
        *(calls(0, name="weather", arguments=""), calls(0, arguments='{"city":'), calls(0, arguments='"Bern"}')),
        *(calls(1, name="now", arguments="{}"), chat_chunk({}, "tool_calls"), usage, DONE),
    ]
    response = both(vllm, sagemaker, *events, tools=[WEATHER, {"type": "function", "name": "now"}])
    reasoning, *called = response["output"]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "Hm."}]
    assert [(call["call_id"], call["name"], call["arguments"]) for call in called] == [
        ("call_0", "weather", '{"city":"Bern"}'),
        ("call_1", "now", "{}"),
    ]
    assert response["usage"]["output_tokens_details"] == {"reasoning_tokens": 2}
    assert response["usage"]["input_tokens_details"]["cached_tokens"] == 4


@pytest.mark.parametrize("arguments", ["", "{}", '{"city":"Be'])
def test_a_call_of_vllm_that_the_limit_cuts_off_is_incomplete(
    vllm: ApiClient, sagemaker: SageMakerDouble, arguments: str
) -> None:
    """vLLM says `tool_calls` in a stream, and writes `{}` for a call that has no arguments yet."""
    function = {"name": "weather", "arguments": arguments}
    call = chat_chunk({"tool_calls": [{"index": 0, "id": "call_0", "type": "function", "function": function}]})
    events = [natives.FIRST, call, chat_chunk({}, "tool_calls"), usage_chunk(), DONE]
    response = both(vllm, sagemaker, *events, tools=[WEATHER], max_output_tokens=2)
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert [item["status"] for item in response["output"]] == ["incomplete"]


def test_a_formatted_answer_beside_tools_that_the_limit_cuts_off_is_incomplete(
    vllm: ApiClient, sagemaker: SageMakerDouble
) -> None:
    def events(arguments: str) -> list[bytes]:
        function = {"name": "final_answer", "arguments": arguments}
        call = chat_chunk({"tool_calls": [{"index": 0, "id": "call_0", "type": "function", "function": function}]})
        return [natives.FIRST, call, chat_chunk({}, "tool_calls"), usage_chunk(), DONE]

    asked = {"tools": [WEATHER], "text": {"format": SCHEMA}}
    response = both(vllm, sagemaker, *events('{"city":"Be'), **asked, max_output_tokens=2)
    assert response["status"] == "incomplete"
    response = both(vllm, sagemaker, *events('{"city":"Bern"}'), **asked, max_output_tokens=20)
    assert response["status"] == "completed"


SCHEMA = {"type": "json_schema", "name": "place", "schema": WEATHER["parameters"]}


def test_a_format_beside_tools(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    events = [tool("{", "final_answer"), tool(' "city":'), tool(' "Bern"'), tool("}"), used(), DONE]
    response = both(api, sagemaker, *events, tools=[WEATHER], text={"format": SCHEMA})
    (message,) = response["output"]
    assert json.loads(message["content"][0]["text"]) == {"city": "Bern"}
    assert response["text"]["format"] == SCHEMA
    names = [each["function"]["name"] for each in sagemaker.received[0].json()["tools"]]
    assert names == ["weather", "final_answer"]


def test_log_probabilities(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    entry = {"token": "Zü", "logprob": -0.25, "top_logprobs": [{"token": "Zü", "logprob": -0.25}]}
    events = [text("Zü", None, {"content": [entry]}), text("", "stop"), used(), DONE]
    response = both(api, sagemaker, *events, include=["message.output_text.logprobs"], top_logprobs=1)
    bytes_ = {"bytes": [90, 195, 188]}
    assert response["output"][0]["content"][0]["logprobs"] == [
        {**entry, **bytes_, "top_logprobs": [{"token": "Zü", "logprob": -0.25, **bytes_}]}
    ]
    assert sagemaker.received[0].json()["top_logprobs"] == 1


@BOTH
def test_an_answer_that_was_cut_off(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, model: Any, answer: list[bytes]
) -> None:
    events = [each.replace(b'"finish_reason":"stop"', b'"finish_reason":"length"') for each in answer]
    response = both(api_for(model), sagemaker, *events)
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert response["output"][0]["status"] == "incomplete"


def test_problems_of_the_chat_name_the_members_of_the_response(api_for: Callable[..., ApiClient]) -> None:
    api = api_for(replace(LLAMA, facts={"reads_images": False, "max_top_n_tokens": 5}))
    image = {"type": "input_image", "image_url": "https://x/y.png"}
    conversation = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "What?"}, image]},
        {"type": "function_call_output", "call_id": "c", "output": [image]},
    ]
    message = refusal(
        api,
        input=conversation,
        tools=[{**WEATHER, "name": "no name"}],
        include=["message.output_text.logprobs"],
        top_logprobs=6,
        nobody=1,
    )["message"]
    assert "input[1].content[1].image_url: `llama` does not read images" in message
    assert "input[2].output[0].image_url: `llama` does not read images" in message
    assert "tools[0].name: must be 1 to 64 letters" in message
    assert "top_logprobs is 6, this model returns at most 5 alternatives" in message
    assert "Unrecognized request argument supplied: nobody" in message


def test_problems_of_the_request_and_of_its_chat_are_reported_together(api: ApiClient) -> None:
    error = refusal(api, input=None, tools=[{"type": "web_search"}], presence_penalty=1, previous_response_id="r")
    assert error["param"] == "input"
    for name in ("tools[0].type", "presence_penalty", "previous_response_id"):
        assert name in error["message"]
    assert "messages" not in error["message"]


def test_a_schema_that_cannot_be_honoured_is_named_by_its_place(api: ApiClient) -> None:
    form = {**SCHEMA, "schema": {"$ref": "#"}}
    assert refusal(api, text={"format": form})["param"] == "text.format.schema"


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_container_refuses_is_openais_error(vllm: ApiClient, sagemaker: SageMakerDouble, stream: bool) -> None:
    body = {"error": {"message": "max_tokens is too large", "type": "BadRequestError", "param": None, "code": 400}}
    sagemaker.replies.append(refused(400, body))
    assert "max_tokens is too large" in refusal(vllm, stream=stream)["message"]


BROKEN = exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")


@BOTH
def test_a_stream_that_breaks_is_a_failed_response(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, model: Any, answer: list[bytes]
) -> None:
    api = api_for(model)
    begun = [part(each) for each in answer if "Un été".encode() in each]
    sagemaker.replies += [stream([*begun, BROKEN])] * 2
    read = streamed(api)
    assert types_of(read)[-1] == "failed"
    response = read_response(read[-1]["response"])
    assert (response["status"], response["error"]["code"]) == ("failed", "server_error")
    (message,) = response["output"]
    assert (message["status"], message["content"][0]["text"]) == ("incomplete", "Un été")
    assert api.send(PATH, HI).json()["error"]["message"] == response["error"]["message"]


def test_an_error_before_the_first_token_that_comes_late_is_an_error_event(
    vllm: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.05)
    reply = stream([BROKEN])
    sagemaker.replies.append(Reply([reply.pieces[0], partial(time.sleep, 0.2), *reply.pieces[1:]]))
    answer = vllm.send(PATH, {**HI, "stream": True})
    assert (answer.status, answer.body[:3]) == (200, b":\n\n")
    (event,) = read_events(answer.body)
    assert (event["type"], event["code"], event["error"]["type"]) == ("error", "incomplete_generation", "server_error")


def test_a_stream_is_kept_alive_by_comments(
    vllm: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.05)
    head, *events = parts(*natives.ANSWER).pieces
    sagemaker.replies.append(Reply([head, events[0], events[1], partial(time.sleep, 0.2), *events[2:]]))
    answer = vllm.send(PATH, {**HI, "stream": True})
    assert b"\n\n:\n\n" in answer.body
    assert types_of(read_events(answer.body))[-1] == "completed"


def test_an_error_that_tgi_reports_in_its_stream(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(text("Un"), error("It broke.")))
    read = streamed(api)
    assert types_of(read)[-1] == "failed"
    assert read[-1]["response"]["error"]["message"] == "It broke."


def test_a_stream_without_an_end_has_failed(vllm: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*natives.ANSWER[:2]))
    assert types_of(streamed(vllm))[-1] == "failed"


def test_text_that_no_json_can_have_is_refused(api: ApiClient) -> None:
    for member in ("instructions", "input", "user"):
        raw = json.dumps({**HI, member: "\ud800"})
        answer = api.send(PATH, raw=raw)
        assert answer.status == 400
        assert "lone surrogate" in answer.json()["error"]["message"]


def test_a_request_that_is_nested_too_deeply_is_refused(api: ApiClient) -> None:
    deep = '{"a":' * 900 + "1" + "}" * 900
    raw = '{"input":"Hi","tools":[{"type":"function","name":"f","parameters":' + deep + "}]}"
    assert api.send(PATH, raw=raw).status == 400


def test_a_container_that_only_completes_prompts_is_named(api_for: Callable[..., ApiClient]) -> None:
    api = api_for(replace(VLLM, facts={"chat": False}))
    answer = api.send(PATH, HI)
    assert answer.status == 400
    assert "/v1/responses" in answer.json()["error"]["message"]
