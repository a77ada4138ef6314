"""The OpenAI routes."""

import json

import jsonschema
import pytest

from tests.local.model_container.servers import MODEL, post

FINGERPRINT = "3.3.6-dev0-sha-efb94e0"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string"},
                "format": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location", "format"],
        },
    },
}


@pytest.fixture(scope="module")
def container(servers):
    return servers.container(max_input_tokens=900, max_total_tokens=1000)


def chat(container, content="Why do zebras have stripes?", **more):
    return post(f"{container}/v1/chat/completions", {"messages": [{"role": "user", "content": content}], **more})


def delta_text(events):
    return "".join(event["choices"][0]["delta"]["content"] for event in events if event["choices"])


def test_a_chat_response_has_tgis_keys_in_order(container):
    response = chat(container).json
    assert list(response) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert (response["object"], response["id"], response["model"]) == ("chat.completion", "", MODEL)
    assert response["system_fingerprint"] == FINGERPRINT
    [choice] = response["choices"]
    assert list(choice) == ["index", "message", "logprobs", "finish_reason"]
    assert list(choice["message"]) == ["role", "content"]
    assert "Why do zebras have stripes" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    usage = response["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_model_of_the_request_is_echoed_unless_it_is_tgi(container):
    assert chat(container, model="tgi").json["model"] == MODEL
    assert chat(container, model="some-adapter").json["model"] == "some-adapter"


def test_temperature_0_is_greedy_and_max_tokens_limits_the_length(container):
    assert chat(container, temperature=0).json["choices"] == chat(container, temperature=0).json["choices"]
    response = chat(container, max_completion_tokens=3).json
    assert response["choices"][0]["finish_reason"] == "length"
    assert response["usage"]["completion_tokens"] == 3


def test_only_the_last_user_message_is_repeated(container):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "First question"},
        {"role": "assistant", "content": "First answer"},
        {"role": "user", "content": [{"type": "text", "text": "Second question"}]},
    ]
    text = post(f"{container}/v1/chat/completions", {"messages": messages}).json["choices"][0]["message"]["content"]
    assert "Second question" in text
    assert "First" not in text


def test_an_assistant_message_at_the_end_is_continued(container):
    messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Well,"}]
    prompt = post(f"{container}/chat_tokenize", {"messages": messages}).json["templated_text"]
    assert prompt.endswith("<|start_header_id|>assistant<|end_header_id|>\n\nWell,")


def test_chat_tokenize_returns_the_prompt_and_its_tokens(container):
    response = post(f"{container}/chat_tokenize", {"messages": [{"role": "user", "content": "Hello"}]}).json
    assert list(response) == ["tokenize_response", "templated_text"]
    assert "".join(token["text"] for token in response["tokenize_response"]) == response["templated_text"]
    assert chat(container, "Hello").json["usage"]["prompt_tokens"] == len(response["tokenize_response"])


def test_logprobs_include_top_logprobs(container):
    response = chat(container, logprobs=True, top_logprobs=2, max_tokens=2).json
    content = response["choices"][0]["logprobs"]["content"]
    assert [list(each) for each in content] == [["token", "logprob", "top_logprobs"]] * 2
    assert [len(each["top_logprobs"]) for each in content] == [2, 2]
    streamed = chat(container, logprobs=True, top_logprobs=2, max_tokens=2, stream=True, temperature=0).events
    assert len(streamed[0]["choices"][0]["logprobs"]["content"][0]["top_logprobs"]) == 2


def test_a_streamed_chat_repeats_the_role_and_ends_with_done(container):
    response = chat(container, stream=True, temperature=0)
    assert response.headers["content-type"] == "text/event-stream"
    *events, done = response.events
    assert done == "[DONE]"
    assert list(events[0]) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert events[0]["object"] == "chat.completion.chunk"
    assert all(event["choices"][0]["delta"]["role"] == "assistant" for event in events)
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["stop"]
    assert events[-1]["choices"][0]["delta"]["content"] == ""
    assert delta_text(events) == chat(container, temperature=0).json["choices"][0]["message"]["content"]
    assert all(event["usage"] is None for event in events)


def test_usage_is_streamed_if_requested(container):
    *events, usage, done = chat(container, stream=True, stream_options={"include_usage": True}, max_tokens=3).events
    assert (usage["choices"], usage["usage"]["completion_tokens"], done) == ([], 3, "[DONE]")
    assert len(events) == 3


def test_errors_before_a_stream_have_their_status_and_later_errors_report_422(servers, container):
    tools = {"tools": [WEATHER], "response_format": {"type": "regex", "value": "a"}}
    early = chat(container, stream=True, **tools)
    assert early.status == 422
    assert early.json == {
        "error": "Tool error: Grammar and tools are mutually exclusive",
        "error_type": "tool_error",
    }
    error, done = chat(container, stream=True, top_p=1.0).events
    assert error == {
        "error": {"message": "Input validation error: `top_p` must be > 0.0 and < 1.0", "http_status_code": 422}
    }
    assert done == "[DONE]"
    *_, error, done = chat(servers.container(fail_after_tokens=2), stream=True).events
    assert error["error"]["http_status_code"] == 422
    assert error["error"]["message"].startswith("Request failed during generation: ")


def test_a_non_streaming_chat_has_the_status_of_its_error(servers, container):
    assert chat(container, top_p=1.0).status == 422
    assert chat(servers.container(fail_after_tokens=2)).status == 424
    assert chat(servers.container(max_concurrent_requests=0)).status == 429


SCHEMA = {"type": "object", "properties": {"animal": {"type": "string"}, "stripes": {"type": "integer"}}}


@pytest.mark.parametrize(
    "response_format",
    [
        {"type": "json_object", "value": SCHEMA},
        {"type": "json_schema", "value": {"name": "zebra", "schema": SCHEMA}},
    ],
)
def test_response_format_is_honoured(container, response_format):
    content = chat(container, response_format=response_format).json["choices"][0]["message"]["content"]
    jsonschema.validate(json.loads(content), {**SCHEMA, "required": ["animal", "stripes"]})


def test_a_matching_tool_is_called_in_tgis_format(container):
    response = chat(container, "What is the weather in Paris", tools=[WEATHER]).json["choices"][0]
    [call] = response["message"].pop("tool_calls")
    assert response["message"] == {"role": "assistant"}
    assert list(call) == ["id", "type", "function"]
    assert list(call["function"]) == ["description", "name", "arguments"]
    assert (call["id"], call["function"]["name"], call["function"]["description"]) == ("0", "get_current_weather", None)
    assert json.loads(call["function"]["arguments"]) == {"location": "Paris", "format": "celsius"}


def test_a_streamed_tool_call_sends_the_name_once_and_then_the_arguments(container):
    *events, done = chat(container, "What is the weather in Paris", tools=[WEATHER], stream=True).events
    assert done == "[DONE]"
    deltas = [event["choices"][0]["delta"] for event in events]
    calls = [call for delta in deltas for call in delta["tool_calls"]]
    assert [call["function"]["name"] for call in calls] == ["get_current_weather"] + [None] * (len(calls) - 1)
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert json.loads(arguments) == {"location": "Paris", "format": "celsius"}
    assert {(call["index"], call["id"], call["type"]) for call in calls} == {(0, "0", "function")}


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_without_a_matching_tool_gets_a_text(container, stream):
    response = chat(container, "Hello", tools=[WEATHER], stream=stream, temperature=0)
    assert "Hello" in (
        delta_text(response.events[:-1]) if stream else response.json["choices"][0]["message"]["content"]
    )


@pytest.mark.parametrize(
    "choice", ["required", "get_current_weather", {"type": "function", "function": {"name": "get_current_weather"}}]
)
def test_a_tool_can_be_forced(container, choice):
    response = chat(container, "Hello", tools=[WEATHER], tool_choice=choice).json
    assert response["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "get_current_weather"


def test_tool_choice_none_calls_no_tool(container):
    response = chat(container, "What is the weather in Paris", tools=[WEATHER], tool_choice="none").json
    assert "content" in response["choices"][0]["message"]


def test_an_unknown_tool_cannot_be_forced(container):
    response = chat(container, tools=[WEATHER], tool_choice="nope")
    assert (response.status, response.json["error"]) == (422, "Tool error: Tool with name nope not found")


def test_a_truncated_tool_call_is_a_tool_error(container):
    response = chat(container, tools=[WEATHER], tool_choice="required", max_tokens=5)
    assert (response.status, response.json["error_type"]) == (422, "tool_error")
    message = 'EOF while parsing a string at line 1 column 20 "{\\"function\\": {\\"_name"'
    assert response.json["error"] == f"Tool error: Failed to parse generated text: {message}"


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_a_call_that_tgi_cannot_read_is_an_error_and_in_a_stream_nothing(servers, choice):
    container = servers.container(tool="")
    response = chat(container, tools=[WEATHER], tool_choice=choice)
    message = 'missing field `function` at line 1 column 3 "{ }"'
    assert (response.status, response.json["error_type"]) == (422, "tool_error")
    assert response.json["error"] == f"Tool error: Failed to parse generated text: {message}"
    stream = chat(container, tools=[WEATHER], tool_choice=choice, stream=True)
    assert (stream.status, stream.text) == (200, "data: [DONE]\n\n")


def test_tool_call_ids_continue_those_of_the_conversation(container):
    call = {"id": "3", "type": "function", "function": {"name": "get_current_weather", "arguments": {}}}
    messages = [
        {"role": "user", "content": "weather"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "sunny"},
        {"role": "user", "content": "and the weather in Rome"},
    ]
    body = {"messages": messages, "tools": [WEATHER], "stream": True}
    first = post(f"{container}/v1/chat/completions", body).events[0]
    assert first["choices"][0]["delta"]["tool_calls"][0]["id"] == "4"


def test_a_completion_has_tgis_keys_in_order(container):
    response = post(f"{container}/v1/completions", {"prompt": "Zebras", "max_tokens": 4, "temperature": 0})
    assert list(response.json) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert response.json["object"] == "text_completion"
    [choice] = response.json["choices"]
    assert list(choice) == ["index", "text", "logprobs", "finish_reason"]
    assert choice["finish_reason"] == "length"
    assert response.json["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert response.headers["x-generated-tokens"] == "4"
    assert "x-compute-time" not in response.headers


def test_each_prompt_gets_a_choice(container):
    response = post(f"{container}/v1/completions", {"prompt": ["Zebras", "Lions and bears"], "max_tokens": 4}).json
    assert [choice["index"] for choice in response["choices"]] == [0, 1]
    assert response["usage"] == {"prompt_tokens": 6, "completion_tokens": 8, "total_tokens": 14}


def test_too_many_prompts_and_a_suffix_are_rejected(container):
    response = post(f"{container}/v1/completions", {"prompt": list("abcde")})
    assert (response.status, response.json["error_type"]) == (422, "batch size exceeded")
    assert response.json["error"] == "Number of prompts exceeds the maximum allowed batch size of 4"
    response = post(f"{container}/v1/completions", {"prompt": "a", "suffix": "b"})
    assert (response.status, response.json["error_type"]) == (422, "suffix not supported")
    assert response.json["error"] == "Suffix is not supported and can be achieved by preprocessing the prompt."


def test_streamed_completions_are_interleaved_with_tgis_key_order(container):
    body = {"prompt": ["Zebras", "Lions"], "max_tokens": 2, "stream": True}
    *events, done = post(f"{container}/v1/completions", body).events
    assert done == "[DONE]"
    assert [event["choices"][0]["index"] for event in events] == [0, 1, 0, 1]
    assert list(events[0]) == ["object", "id", "created", "choices", "model", "system_fingerprint"]
    assert list(events[-1]) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert [event["choices"][0]["finish_reason"] for event in events] == ["", "", "length", "length"]


def test_a_streamed_completion_has_the_end_token_and_its_raw_reason_like_tgis(container):
    *_, last, _ = post(f"{container}/v1/completions", {"prompt": "Zebras", "stream": True}).events
    assert last["choices"][0]["text"] == "<|eot_id|>"
    assert last["choices"][0]["finish_reason"] == "eos_token"


def test_an_error_of_a_streamed_completion_is_an_event(container):
    error, done = post(f"{container}/v1/completions", {"prompt": "", "stream": True}).events
    assert error["error"]["message"] == "Input validation error: `inputs` cannot be empty"
    assert done == "[DONE]"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"inputs": "a", "messages": [], "prompt": "b"}, list),
        ({"messages": [{"role": "user", "content": "a"}], "prompt": "b"}, "chat.completion"),
        ({"prompt": "b"}, "text_completion"),
        ({"inputs": 5, "prompt": "b"}, "text_completion"),
        ({"inputs": "a", "parameters": {"top_k": "x"}, "messages": [{"role": "a", "content": "b"}]}, "chat.completion"),
    ],
)  # fmt: skip
def test_invocations_uses_the_first_matching_shape(container, body, kind):
    response = post(f"{container}/invocations", body).json
    assert isinstance(response, list) if kind is list else response["object"] == kind
