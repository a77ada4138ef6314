"""vLLM's answers that were not recorded: its queue, its death, its versions, adapters and tools of the toy."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from local.model_container.openai.engines import ENGINES, Image
from tests.local.model_container.servers import Response, Servers, call, post

CHAT = {"messages": [{"role": "user", "content": "What is the weather in Oslo?"}], "temperature": 0}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
PARSER = {"SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true", "SM_VLLM_TOOL_CALL_PARSER": "hermes"}


def serve(servers: Servers, version: str = "0.30.0", **environment: str) -> str:
    variables = {"SM_VLLM_MODEL": "a/b", "TOY_TOKENS_PER_SECOND": "0", **environment}
    return servers.serve(ENGINES["vllm"](variables, Image("vllm", version)))


def invoke(url: str, headers: dict[str, str] | None = None, **body: Any) -> Response:
    return post(f"{url}/invocations", {**CHAT, **body}, headers)


def message(response: Response) -> str:
    text: str = response.json["error"]["message"]
    return text


def test_a_full_queue_counts_what_runs_and_what_waits_and_is_503_before_a_stream(servers: Servers) -> None:
    url = serve(servers, SM_VLLM_MAX_NUM_QUEUED_REQS="2", SM_VLLM_MAX_NUM_SEQS="1", TOY_FIRST_TOKEN_SECONDS="0.6")
    answers: list[Response] = []
    waiting = [threading.Thread(target=lambda: answers.append(invoke(url, max_tokens=1))) for _ in range(2)]
    for thread in waiting:
        thread.start()
    while (
        "vllm:num_requests_waiting{" not in (text := call("GET", f"{url}/metrics").text)
        or " 1.0" not in (text.partition("num_requests_waiting{")[2].splitlines()[0])
    ):
        pass
    refused = [invoke(url, max_tokens=1), invoke(url, max_tokens=1, stream=True)]
    for thread in waiting:
        thread.join()
    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.status for answer in refused] == [503, 503]
    assert refused[0].json == refused[1].json
    assert refused[0].json["error"] == {
        "message": "The engine is currently busy and cannot accept new requests. Please try again later or on a "
        "different instance.",
        "type": "Service Unavailable",
        "param": None,
        "code": 503,
    }
    assert invoke(url, max_tokens=1).status == 200


def test_an_engine_that_dies_says_so_in_the_stream_and_is_dead_from_then_on(servers: Servers) -> None:
    url = serve(servers, TOY_FAIL_AFTER_TOKENS="2")
    events = invoke(url, stream=True).events
    assert [event["choices"][0]["delta"]["content"] for event in events[:3]] == ["", "No", " language"]
    assert events[-2]["error"]["message"].startswith("EngineCore encountered an issue.")
    assert events[-1] == "[DONE]"
    assert invoke(url).status == 500
    assert call("GET", f"{url}/ping").status == 503


def test_max_tokens_that_do_not_fit_behind_the_prompt_are_an_error_until_they_are_reduced(servers: Servers) -> None:
    prompt = len(call("POST", f"{serve(servers)}/tokenize", CHAT).json["tokens"])
    old = invoke(serve(servers, "0.30.0", SM_VLLM_MAX_MODEL_LEN="64"), max_tokens=50)
    assert old.status == 400
    assert message(old) == (
        "This model's maximum context length is 64 tokens. However, you requested 50 output tokens and your prompt "
        "contains at least 15 input tokens, for a total of at least 65 tokens. Please reduce the length of the input "
        "prompt or the number of requested output tokens. (parameter=input_tokens, value=15)"
    )
    new = invoke(serve(servers, "0.32.0", SM_VLLM_MAX_MODEL_LEN="64"), max_tokens=60, ignore_eos=True)
    assert new.json["usage"]["completion_tokens"] == 64 - prompt


def test_four_stop_strings_are_the_limit_from_0_28_on(servers: Servers) -> None:
    stop = [f"z{number}" for number in range(5)]
    assert invoke(serve(servers, "0.27.1"), stop=stop).status == 200
    assert invoke(serve(servers, "0.28.0"), stop=stop).status == 400
    url = serve(servers, "0.30.0")
    assert "at most 4 items" in message(post(f"{url}/v1/chat/completions", {**CHAT, "stop": stop}))
    # On /invocations a chat of another shape counts as a completion.
    assert message(invoke(url, stop=stop)).startswith("Either prompt or prompt_embeds must be provided")


def test_an_adapter_is_the_header_s_and_answers_by_its_name(servers: Servers) -> None:
    url = serve(servers, SM_VLLM_ENABLE_LORA="true", SM_VLLM_LORA_MODULES='["sql=a/sql"]')
    header = {"X-Amzn-SageMaker-Adapter-Identifier": "sql"}
    answer = invoke(url, header).json
    assert answer["model"] == "sql"
    assert answer["choices"][0]["message"]["content"].startswith(" Adapter sql:")
    assert invoke(url, model="sql").json["model"] == "a/b", "the body's is overwritten"
    unknown = invoke(url, {"X-Amzn-SageMaker-Adapter-Identifier": "nope"})
    assert (unknown.status, message(unknown)) == (404, "The model `nope` does not exist. Valid aliases: a/b.")
    assert call("POST", f"{url}/adapters", {"name": "x", "src": "y"}).status == 404


@pytest.mark.parametrize(("version", "tag"), [("0.30.0-ubuntu24.04-sagemaker", "not read"), ("server-v2", "read")])
def test_the_route_of_custom_attributes_is_read_by_awss_own_builds(servers: Servers, version: str, tag: str) -> None:
    response = invoke(serve(servers, version), {"X-Amzn-SageMaker-Custom-Attributes": "route=/tokenize"})
    assert ("count" in response.json) == (tag == "read")


def test_a_tool_whose_name_is_in_the_prompt_is_called_if_there_is_a_parser(servers: Servers) -> None:
    url = serve(servers, **PARSER)
    (choice,) = invoke(url, tools=[TOOL]).json["choices"]
    (call_,) = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", "")
    assert (call_["function"]["name"], json.loads(call_["function"]["arguments"])) == ("get_weather", {"city": "Oslo"})
    assert invoke(url, tools=[TOOL], tool_choice="none").json["choices"][0]["finish_reason"] == "stop"
    named = {"type": "function", "function": {"name": "get_weather"}}
    assert invoke(url, tools=[TOOL], tool_choice=named).json["choices"][0]["finish_reason"] == "stop"
    refused = invoke(serve(servers), tools=[TOOL])
    assert message(refused) == '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'


def test_the_arguments_of_a_streamed_call_are_those_of_a_call_in_one_piece(servers: Servers) -> None:
    events = invoke(serve(servers, **PARSER), tools=[TOOL], stream=True).events[:-1]
    deltas = [each["choices"][0]["delta"] for each in events]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert calls[0]["function"] == {"name": "get_weather"}
    assert json.loads("".join(each["function"].get("arguments", "") for each in calls)) == {"city": "Oslo"}
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_after_the_result_of_a_call_the_toy_calls_nothing(servers: Servers) -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}]
    messages = [
        *CHAT["messages"],  # type: ignore[misc]
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
    ]
    answer = invoke(serve(servers, **PARSER), messages=messages, tools=[TOOL]).json
    assert "tool_calls" not in answer["choices"][0]["message"]


def test_a_text_has_the_format_of_a_schema(servers: Servers) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    url = serve(servers)
    for body in ({"response_format": form}, {"structured_outputs": {"json": schema}}):
        assert json.loads(invoke(url, **body).json["choices"][0]["message"]["content"]) == {"a": 1}
    text = invoke(url, structured_outputs={"choice": ["red", "blue"]}).json["choices"][0]["message"]["content"]
    assert text == "red"


def test_a_stream_s_pieces_are_the_text_also_where_a_stop_string_may_begin(servers: Servers) -> None:
    url = serve(servers)
    for more in ({}, {"stop": ["toy"]}, {"stop": ["oy"], "include_stop_str_in_output": True}, {"stream_interval": 5}):
        whole = invoke(url, **more).json["choices"][0]
        events = invoke(url, **more, stream=True).events[1:-1]
        pieces = "".join(event["choices"][0]["delta"]["content"] for event in events)
        assert pieces == whole["message"]["content"]
        assert events[-1]["choices"][0]["stop_reason"] == whole["stop_reason"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_echo_with_the_ids_of_tokens_has_the_prompt_as_tokens_alone(servers: Servers, stream: bool) -> None:
    # As 0.30.0 and 0.27.1 answered.
    body = {"prompt": "a b", "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 0, "stream": stream}
    answer = post(f"{serve(servers)}/invocations", {**body, "return_token_ids": True})
    choice = (answer.events[0] if stream else answer.json)["choices"][0]
    *prompt, last = choice["logprobs"]["tokens"]
    assert choice["text"] == last
    assert (len(prompt), len(choice["token_ids"])) == (len(choice["prompt_token_ids"]), 1)
    alone = post(f"{serve(servers)}/invocations", body)
    assert (alone.events[0] if stream else alone.json)["choices"][0]["text"] == f"a b{last}"


def test_an_idle_stream_has_comments_if_the_server_is_told_so(servers: Servers) -> None:
    url = serve(servers, SM_VLLM_SSE_KEEP_ALIVE_INTERVAL="1", TOY_FIRST_TOKEN_SECONDS="1.4")
    assert invoke(url, stream=True, max_tokens=1).text.startswith(": keep-alive\n\ndata: ")


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/v1/chat/completions", {**CHAT, "structured_outputs": {"json": "{"}}, "Invalid JSON grammar specification."),
        ("/v1/chat/completions", {**CHAT, "structured_outputs": {"choice": []}}, "Choice '[]' cannot be an empty list"),
        ("/tokenize", {"prompt": 5}, "Input should be a valid string"),
        ("/detokenize", {"tokens": "x"}, "Input should be a valid list"),
        ("/detokenize", [], "Input should be a valid dictionary or object"),
    ],
)
def test_a_body_of_another_shape_is_an_error(servers: Servers, path: str, body: Any, text: str) -> None:
    response = post(serve(servers) + path, body)
    assert response.status == 400
    assert text in message(response)


def test_parts_of_a_message_are_its_text(servers: Servers) -> None:
    parts = [{"type": "text", "text": "What is"}, "the weather?"]
    messages = [{"role": "user", "content": parts}]
    text = invoke(serve(servers), messages=messages).json["choices"][0]["message"]["content"]
    assert "the weather" in text
