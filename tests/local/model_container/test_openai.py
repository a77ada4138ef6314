"""The OpenAI-style routes over the toy."""

import json

import jsonschema
import pytest

from tests.local.model_container.servers import MODEL, Servers, post

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
def servers():
    with Servers() as running:
        yield running


@pytest.fixture(scope="module")
def container(servers):
    return servers.container(max_input_tokens=900, max_total_tokens=1000)


def chat(container, content="Why do zebras have stripes?", **more):
    return post(f"{container}/v1/chat/completions", {"messages": [{"role": "user", "content": content}], **more})


def delta_text(events):
    return "".join(event["choices"][0]["delta"]["content"] for event in events if event["choices"])


def test_a_chat_answer_has_the_keys_of_tgi_in_its_order(container):
    answer = chat(container).json
    assert list(answer) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert (answer["object"], answer["id"], answer["model"]) == ("chat.completion", "", MODEL)
    assert answer["system_fingerprint"] == FINGERPRINT
    [choice] = answer["choices"]
    assert list(choice) == ["index", "message", "logprobs", "finish_reason"]
    assert list(choice["message"]) == ["role", "content"]
    assert "Why do zebras have stripes" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_model_of_the_request_is_echoed_unless_it_is_tgi(container):
    assert chat(container, model="tgi").json["model"] == MODEL
    assert chat(container, model="some-adapter").json["model"] == "some-adapter"


def test_temperature_0_is_greedy_and_max_tokens_ends_for_length(container):
    assert chat(container, temperature=0).json["choices"] == chat(container, temperature=0).json["choices"]
    answer = chat(container, max_completion_tokens=3).json
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 3


def test_only_the_last_words_of_the_person_are_reflected(container):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "First question"},
        {"role": "assistant", "content": "First answer"},
        {"role": "user", "content": [{"type": "text", "text": "Second question"}]},
    ]
    text = post(f"{container}/v1/chat/completions", {"messages": messages}).json["choices"][0]["message"]["content"]
    assert "Second question" in text
    assert "First" not in text


def test_an_answer_that_was_begun_goes_on(container):
    messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Well,"}]
    prompt = post(f"{container}/chat_tokenize", {"messages": messages}).json["templated_text"]
    assert prompt.endswith("<|start_header_id|>assistant<|end_header_id|>\n\nWell,")


def test_chat_tokenize_gives_the_prompt_and_its_tokens(container):
    answer = post(f"{container}/chat_tokenize", {"messages": [{"role": "user", "content": "Hello"}]}).json
    assert list(answer) == ["tokenize_response", "templated_text"]
    assert "".join(token["text"] for token in answer["tokenize_response"]) == answer["templated_text"]
    assert chat(container, "Hello").json["usage"]["prompt_tokens"] == len(answer["tokenize_response"])


def test_logprobs_come_with_their_alternatives(container):
    answer = chat(container, logprobs=True, top_logprobs=2, max_tokens=2).json
    content = answer["choices"][0]["logprobs"]["content"]
    assert [list(each) for each in content] == [["token", "logprob", "top_logprobs"]] * 2
    assert [len(each["top_logprobs"]) for each in content] == [2, 2]
    streamed = chat(container, logprobs=True, top_logprobs=2, max_tokens=2, stream=True, temperature=0).events
    assert len(streamed[0]["choices"][0]["logprobs"]["content"][0]["top_logprobs"]) == 2


def test_a_streamed_chat_repeats_the_role_and_ends_with_done(container):
    answer = chat(container, stream=True, temperature=0)
    assert answer.headers["content-type"] == "text/event-stream"
    *events, done = answer.events
    assert done == "[DONE]"
    assert list(events[0]) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert events[0]["object"] == "chat.completion.chunk"
    assert all(event["choices"][0]["delta"]["role"] == "assistant" for event in events)
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["stop"]
    assert events[-1]["choices"][0]["delta"]["content"] == ""
    assert delta_text(events) == chat(container, temperature=0).json["choices"][0]["message"]["content"]
    assert all(event["usage"] is None for event in events)


def test_usage_is_streamed_when_asked_for(container):
    *events, usage, done = chat(container, stream=True, stream_options={"include_usage": True}, max_tokens=3).events
    assert (usage["choices"], usage["usage"]["completion_tokens"], done) == ([], 3, "[DONE]")
    assert len(events) == 3


def test_errors_before_a_stream_are_real_and_later_ones_always_say_422(servers, container):
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


def test_a_buffered_chat_reports_the_real_status(servers, container):
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


def test_a_tool_that_fits_the_question_is_called_in_tgis_shape(container):
    answer = chat(container, "What is the weather in Paris", tools=[WEATHER]).json["choices"][0]
    [call] = answer["message"].pop("tool_calls")
    assert answer["message"] == {"role": "assistant"}
    assert list(call) == ["id", "type", "function"]
    assert list(call["function"]) == ["description", "name", "arguments"]
    assert (call["id"], call["function"]["name"], call["function"]["description"]) == ("0", "get_current_weather", None)
    assert json.loads(call["function"]["arguments"]) == {"location": "Paris", "format": "celsius"}


def test_a_streamed_tool_call_names_the_function_once_and_then_its_arguments(container):
    *events, done = chat(container, "What is the weather in Paris", tools=[WEATHER], stream=True).events
    assert done == "[DONE]"
    deltas = [event["choices"][0]["delta"] for event in events]
    calls = [call for delta in deltas for call in delta["tool_calls"]]
    assert [call["function"]["name"] for call in calls] == ["get_current_weather"] + [None] * (len(calls) - 1)
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert json.loads(arguments) == {"location": "Paris", "format": "celsius"}
    assert {(call["index"], call["id"], call["type"]) for call in calls} == {(0, "0", "function")}


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_that_no_tool_fits_is_answered_with_words(container, stream):
    answer = chat(container, "Hello", tools=[WEATHER], stream=stream, temperature=0)
    assert "Hello" in (delta_text(answer.events[:-1]) if stream else answer.json["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    "choice", ["required", "get_current_weather", {"type": "function", "function": {"name": "get_current_weather"}}]
)
def test_a_tool_can_be_forced(container, choice):
    answer = chat(container, "Hello", tools=[WEATHER], tool_choice=choice).json
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "get_current_weather"


def test_no_tool_is_called_when_that_is_asked_for(container):
    answer = chat(container, "What is the weather in Paris", tools=[WEATHER], tool_choice="none").json
    assert "content" in answer["choices"][0]["message"]


def test_a_tool_that_is_not_offered_cannot_be_forced(container):
    answer = chat(container, tools=[WEATHER], tool_choice="nope")
    assert (answer.status, answer.json["error"]) == (422, "Tool error: Tool with name nope not found")


def test_a_call_that_is_cut_for_its_length_is_a_tool_error(container):
    answer = chat(container, tools=[WEATHER], tool_choice="required", max_tokens=5)
    assert (answer.status, answer.json["error_type"]) == (422, "tool_error")
    words = 'EOF while parsing a string at line 1 column 20 "{\\"function\\": {\\"_name"'
    assert answer.json["error"] == f"Tool error: Failed to parse generated text: {words}"


def test_tool_call_ids_go_on_from_the_conversation(container):
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


def test_a_completion_has_the_keys_of_tgi_in_its_order(container):
    answer = post(f"{container}/v1/completions", {"prompt": "Zebras", "max_tokens": 4, "temperature": 0})
    assert list(answer.json) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert answer.json["object"] == "text_completion"
    [choice] = answer.json["choices"]
    assert list(choice) == ["index", "text", "logprobs", "finish_reason"]
    assert choice["finish_reason"] == "length"
    assert answer.json["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert answer.headers["x-generated-tokens"] == "4"
    assert "x-compute-time" not in answer.headers


def test_several_prompts_get_a_choice_each(container):
    answer = post(f"{container}/v1/completions", {"prompt": ["Zebras", "Lions and bears"], "max_tokens": 4}).json
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["usage"] == {"prompt_tokens": 6, "completion_tokens": 8, "total_tokens": 14}


def test_too_many_prompts_and_a_suffix_are_refused(container):
    answer = post(f"{container}/v1/completions", {"prompt": list("abcde")})
    assert (answer.status, answer.json["error_type"]) == (422, "batch size exceeded")
    assert answer.json["error"] == "Number of prompts exceeds the maximum allowed batch size of 4"
    answer = post(f"{container}/v1/completions", {"prompt": "a", "suffix": "b"})
    assert (answer.status, answer.json["error_type"]) == (422, "suffix not supported")
    assert answer.json["error"] == "Suffix is not supported and can be achieved by preprocessing the prompt."


def test_streamed_completions_take_turns_and_keep_tgis_key_order(container):
    body = {"prompt": ["Zebras", "Lions"], "max_tokens": 2, "stream": True}
    *events, done = post(f"{container}/v1/completions", body).events
    assert done == "[DONE]"
    assert [event["choices"][0]["index"] for event in events] == [0, 1, 0, 1]
    assert list(events[0]) == ["object", "id", "created", "choices", "model", "system_fingerprint"]
    assert list(events[-1]) == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"]
    assert [event["choices"][0]["finish_reason"] for event in events] == ["", "", "length", "length"]


def test_a_streamed_completion_shows_the_end_token_and_its_raw_reason_as_tgi_does(container):
    *_, last, _ = post(f"{container}/v1/completions", {"prompt": "Zebras", "stream": True}).events
    assert last["choices"][0]["text"] == "<|eot_id|>"
    assert last["choices"][0]["finish_reason"] == "eos_token"


def test_an_error_of_one_streamed_completion_is_an_event(container):
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
def test_invocations_takes_the_first_shape_that_fits(container, body, kind):
    answer = post(f"{container}/invocations", body).json
    assert isinstance(answer, list) if kind is list else answer["object"] == kind
