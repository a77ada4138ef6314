"""A response format beside tools, and schemas that TGI takes only as a part of an object, streamed and buffered."""

import json
from typing import Any

import pytest

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import DONE, HI, TOOLS, USAGE, Read, text, tool, used
from tests.lambda_.sagemaker_double import SageMakerDouble, parts, plain_response

PATH = "/v1/chat/completions"
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "array"}},
    "required": ["a", "b"],
}
ANSWER = '{"a":1,"b":[2, {"c": "}"}]}'


def form(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}


BODY = {**HI, "tools": TOOLS, "response_format": form(SCHEMA)}


def both(
    api: ApiClient, sagemaker: SageMakerDouble, body: dict[str, Any], *events: bytes
) -> tuple[dict[str, Any], Read]:
    """The choice of a buffered response, and the stream of the same events."""
    sagemaker.replies += [parts(*events)] * 2
    buffered = api.send(PATH, body)
    read = Read.of(api.send(PATH, {**body, "stream": True, "stream_options": {"include_usage": True}}).body)
    assert (buffered.status, read.errors, read.is_done) == (200, [], True), buffered.body
    assert read.usage()[-1] == buffered.json()["usage"]
    choice: dict[str, Any] = buffered.json()["choices"][0]
    return choice, read


# What TGI streams depends on where the tokens of the model end: it swallows the one that completes the name.
CALLS = {
    "comma swallowed": [' "_ready": true,', ' "a": 1, ', '"b": [2, {"c": "}"}]', "}", ""],
    "comma streamed": [",", '"_', 'ready":true', ',"a":1', ',"b":[2, {"c": "}"}]}'],
    "first argument swallowed": [', "a": 1,"b" ', ":", ' [2, {"c": "}"}]', "} "],
    "one token": ['"_ready":true,"a":1,"b":[2, {"c": "}"}]}'],
}


@pytest.mark.parametrize("arguments", CALLS.values(), ids=CALLS.keys())
def test_the_arguments_of_the_final_tool_are_the_content(
    api: ApiClient, sagemaker: SageMakerDouble, arguments: list[str]
) -> None:
    events = [tool("{", "final_answer"), *map(tool, arguments), used(), DONE]
    choice, read = both(api, sagemaker, BODY, *events)
    assert choice["message"] == {"role": "assistant", "content": ANSWER, "refusal": None}
    assert (choice["finish_reason"], choice["logprobs"]) == ("stop", None)
    assert (read.text(), read.calls(), read.finish_reasons()) == (ANSWER, [], ["stop"])
    assert read.choices()[0]["delta"].keys() == {"role", "content", "refusal"}
    body = sagemaker.received[0].json()
    assert (body["tool_choice"], "response_format" in body) == ("required", False)
    final = body["tools"][-1]["function"]
    assert (len(body["tools"]), final["name"]) == (3, "final_answer")
    assert list(final["parameters"]["properties"]) == ["_ready", "a", "b"]
    assert final["parameters"]["required"] == ["_ready", "a", "b"]


def test_the_content_arrives_as_the_model_writes_it(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    events = [tool("{", "final_answer"), tool('"_ready": true, "a": 1'), tool(', "b": ["x'), tool('y"'), tool("]}")]
    _, read = both(api, sagemaker, BODY, *events, used(), DONE)
    assert [choice["delta"].get("content") for choice in read.choices()] == ['{"a":1', ',"b":["x', 'y"', "]}", None]


def test_a_call_of_another_tool_stays_a_call(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    events = [tool("{", "weather"), tool(' "city": "Bern"'), tool("}"), used(), DONE]
    choice, read = both(api, sagemaker, BODY, *events)
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Bern"}'}
    assert (choice["finish_reason"], read.finish_reasons(), read.text()) == ("tool_calls", ["tool_calls"], "")
    assert json.loads(read.arguments()) == {"city": "Bern"}


@pytest.mark.parametrize(
    ("schema", "content"),
    [
        ({"type": "array", "items": {"type": "string"}}, '["]}", "b"]'),
        ({"type": "string"}, '"a \\" b"'),
        ({"enum": [1, 20]}, "20"),
        ({"anyOf": [SCHEMA, {"type": "null"}]}, "null"),
        ({"type": "object"}, '{"x": {}}'),
        ({"$defs": {"A": {"type": "boolean"}}, "$ref": "#/$defs/A"}, "true"),
    ],
)
def test_a_schema_that_is_no_object_is_wrapped_for_the_model_and_unwrapped_for_the_client(
    api: ApiClient, sagemaker: SageMakerDouble, schema: dict[str, Any], content: str
) -> None:
    cut = len(content) // 2
    arguments = ['"_ready": true, "ans', 'wer": ', content[:cut], content[cut:], "}"]
    events = [tool("{", "final_answer"), *map(tool, arguments), used(), DONE]
    choice, read = both(api, sagemaker, {**BODY, "response_format": form(schema)}, *events)
    assert (choice["message"]["content"], choice["finish_reason"]) == (content, "stop")
    assert (read.text(), read.calls(), read.finish_reasons()) == (content, [], ["stop"])


def test_json_mode_and_huggingfaces_schema_are_final_answers_too(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    events = [tool("{", "final_answer"), tool('"answer": {"x": 1}}'), used(), DONE]
    choice, read = both(api, sagemaker, {**BODY, "response_format": {"type": "json_object"}}, *events)
    assert (choice["message"]["content"], read.text()) == ('{"x": 1}', '{"x": 1}')
    events = [tool("{", "final_answer"), tool('"a": 1, "b": []}'), used(), DONE]
    choice, read = both(api, sagemaker, {**BODY, "response_format": {"type": "json_object", "schema": SCHEMA}}, *events)
    assert (choice["message"]["content"], read.text()) == ('{"a":1,"b":[]}', '{"a":1,"b":[]}')


def test_an_answer_that_max_tokens_cuts_off_keeps_what_there_is(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    events = [tool("{", "final_answer"), tool('"_ready":true,"a": 1, "b": [2'), used(9, 12), DONE]
    choice, read = both(api, sagemaker, {**BODY, "max_tokens": 12}, *events)
    assert (choice["message"]["content"], choice["finish_reason"]) == ('{"a":1,"b":[2', "length")
    assert (read.text(), read.finish_reasons()) == ('{"a":1,"b":[2', ["length"])


def test_a_stop_sequence_ends_the_content_and_not_what_is_around_it(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    events = [tool("{", "final_answer"), tool('"_ready":true,"a": 1, '), tool('"b": []}'), used(), DONE]
    choice, read = both(api, sagemaker, {**BODY, "stop": [',"b"']}, *events)
    assert (choice["message"]["content"], choice["finish_reason"]) == ('{"a":1', "stop")
    assert (read.text(), read.finish_reasons()) == ('{"a":1', ["stop"])
    assert "stop" not in sagemaker.received[0].json()


def test_an_answer_of_which_tgi_lost_a_part_is_requested_again_or_an_error(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    lost = parts(tool("{", "final_answer"), tool(', "b": []}'), used(), DONE)
    function = {"description": None, "name": "final_answer", "arguments": '{"_ready":true,"a":1,"b":[]}'}
    message = {"role": "assistant", "tool_calls": [{"id": "0", "type": "function", "function": function}]}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
    sagemaker.replies += [lost, plain_response(json.dumps(whole).encode()), lost]
    choice = api.send(PATH, BODY).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ('{"a":1,"b":[]}', "stop")
    read = Read.of(api.send(PATH, {**BODY, "stream": True}).body)
    message_text = "The model's server lost a part of the tool call. Try again, or without `stream`."
    assert [error["error"]["message"] for error in read.errors] == [message_text]


def test_an_answer_that_is_neither_a_call_nor_final_says_what_to_change(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(parts(used(9, 4), DONE))
    error = api.send(PATH, BODY).json()["error"]
    expected = "Tool error: the model's answer is not a call of a tool: try again, or set `tool_choice` to `none`"
    assert error["message"] == expected


@pytest.mark.parametrize(("choice", "names"), [("required", ["weather", "now"]), ("now", ["now"])])
def test_where_a_call_is_required_there_is_no_final_tool(
    api: ApiClient, sagemaker: SageMakerDouble, choice: str, names: list[str]
) -> None:
    sagemaker.replies.append(parts(tool("{", "now"), text("", "stop"), used(), DONE))
    assert api.send(PATH, {**BODY, "tool_choice": choice}).status == 200
    body = sagemaker.received[0].json()
    assert ([each["function"]["name"] for each in body["tools"]], "response_format" in body) == (names, False)


def test_where_no_call_is_allowed_the_schema_is_alone(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    choice, read = both(api, sagemaker, {**BODY, "tool_choice": "none"}, text("{}"), text("", "stop"), used(), DONE)
    assert (choice["message"]["content"], read.text()) == ("{}", "{}")
    body = sagemaker.received[0].json()
    assert body["response_format"]["value"]["schema"]["properties"].keys() == {"a", "b"}
    assert "tools" not in body


def test_of_allowed_tools_only_those_and_the_final_one_are_sent(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "now"}}]}
    body = {**BODY, "tool_choice": {"type": "allowed_tools", "allowed_tools": allowed}}
    sagemaker.replies.append(parts(tool("{", "now"), text("", "stop"), used(), DONE))
    assert api.send(PATH, body).json()["choices"][0]["finish_reason"] == "tool_calls"
    assert [each["function"]["name"] for each in sagemaker.received[0].json()["tools"]] == ["now", "final_answer"]


@pytest.mark.parametrize("required", [5, "a", ["a", 1]])
def test_names_that_are_no_names_are_rejected_like_any_other_problem(api: ApiClient, required: object) -> None:
    answer = api.send(PATH, {**BODY, "response_format": form({**SCHEMA, "required": required})})
    path = "response_format.json_schema.schema"
    assert (answer.status, answer.json()["error"]["message"]) == (
        400,
        f"{path}: `required` must be an array of strings",
    )


def test_a_problem_of_the_schema_is_reported_where_the_client_wrote_it(api: ApiClient) -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/A"}}}
    answer = api.send(PATH, {**BODY, "response_format": form(schema)})
    assert (answer.status, answer.json()["error"]) == (
        400,
        {
            "message": "response_format.json_schema.schema: a $ref points to something that is not in the schema",
            "type": "invalid_request_error",
            "param": "response_format.json_schema.schema",
            "code": None,
        },
    )


@pytest.mark.parametrize(
    ("schema", "content", "sent"),
    [
        ({"type": "array", "items": {"type": "string"}}, '["a", "}"]', ['{"val', 'ue": [', '"a", ', '"}"]', "}"]),
        ({"type": "number"}, "-1.5e3", ['{ "value":', "-1.5", "e3", " }"]),
        ({"anyOf": [SCHEMA, {"type": "null"}]}, '{"a": 1, "b": []}', ['{"value":{"a": 1, "b": []', "}}"]),
    ],
)
def test_without_tools_what_is_no_object_is_wrapped_too(
    api: ApiClient, sagemaker: SageMakerDouble, schema: dict[str, Any], content: str, sent: list[str]
) -> None:
    body = {**HI, "response_format": form(schema)}
    choice, read = both(api, sagemaker, body, *map(text, sent), text("", "stop"), used(), DONE)
    assert (choice["message"]["content"], choice["finish_reason"]) == (content, "stop")
    assert (read.text(), read.finish_reasons()) == (content, ["stop"])
    grammar = sagemaker.received[0].json()["response_format"]
    assert (grammar["type"], list(grammar["value"]["properties"]), grammar["value"]["required"]) == (
        "json",
        ["value"],
        ["value"],
    )


def test_the_tokens_of_a_wrapped_text_are_not_those_of_the_content(api: ApiClient) -> None:
    body = {**HI, "response_format": form({"type": "string"}), "logprobs": True}
    error = api.send(PATH, body).json()["error"]
    assert error["message"] == "logprobs is supported with a response_format only if its schema has `properties`"
    assert error["param"] == "logprobs"


UNION = {
    "anyOf": [
        {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
        {"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"]},
    ]
}


@pytest.mark.parametrize(
    "parameters",
    [
        UNION,
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"_name": {"type": "string"}}},
    ],
)
def test_parameters_that_tgi_does_not_compile_are_wrapped_and_a_call_is_unwrapped(
    api: ApiClient, sagemaker: SageMakerDouble, parameters: dict[str, Any]
) -> None:
    body = {**HI, "tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]}
    events = [tool("{", "f"), tool(',"_ready": true'), tool(', "arguments": {"y"'), tool(': "a"}'), tool("}"), used()]
    choice, read = both(api, sagemaker, body, *events, DONE)
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"y":"a"}'}
    assert (json.loads(read.arguments()), read.finish_reasons()) == ({"y": "a"}, ["tool_calls"])
    sent = sagemaker.received[0].json()["tools"][0]["function"]["parameters"]
    assert list(sent["properties"]) == sent["required"] == ["_ready", "arguments"]
    assert sent["properties"]["_ready"] == {"const": True}
    assert sent["properties"]["arguments"] == parameters


@pytest.mark.parametrize("parameters", [{"type": "object"}, {"type": "object", "description": "none"}])
def test_an_object_of_which_nothing_is_said_has_no_arguments(
    api: ApiClient, sagemaker: SageMakerDouble, parameters: dict[str, Any]
) -> None:
    body = {**HI, "tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]}
    choice, _ = both(api, sagemaker, body, tool("{", "f"), text("", "stop"), used(), DONE)
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    sent = sagemaker.received[0].json()["tools"][0]["function"]["parameters"]
    assert sent == {**parameters, "properties": {}}


@pytest.mark.parametrize(
    "parameters", [{"type": "array", "items": {}}, {"anyOf": [UNION, {"type": "null"}]}, {"enum": [1]}]
)
def test_parameters_that_are_no_object_are_rejected_in_openais_words(
    api: ApiClient, parameters: dict[str, Any]
) -> None:
    body = {**HI, "tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]}
    error = api.send(PATH, body).json()["error"]
    assert error == {
        "message": "tools[0].function.parameters: schema must be a JSON Schema of 'type: \"object\"'",
        "type": "invalid_request_error",
        "param": "tools[0].function.parameters",
        "code": None,
    }
