"""A response format beside tools becomes one more tool, whatever the engine."""

import json
from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.final_answer import FinalAnswerReader, with_final_answer
from front_door.generation.request import FinalAnswer, GenerationRequest, Problems, ResponseFormat

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


def request(**members: Any) -> GenerationRequest:
    tools = members.pop("tools", [function("weather"), function("now")])
    names = [tool["function"]["name"] for tool in tools]
    form = members.pop("response_format", ResponseFormat(SCHEMA, path="response_format.json_schema.schema"))
    return GenerationRequest(**{"tools": tools, "allowed_tools": names, "response_format": form, **members})


def translated(given: GenerationRequest) -> GenerationRequest:
    problems = Problems()
    result = with_final_answer(given, problems)
    problems.raise_if_any()
    return result


def test_with_auto_one_tool_more_must_be_called() -> None:
    result = translated(request())
    assert (result.tool_choice, result.response_format) == ("required", None)
    assert result.allowed_tools == ["weather", "now", "final_answer"]
    assert result.final_answer == FinalAnswer("final_answer", "response_format.json_schema.schema", is_wrapped=False)
    assert result.tools[:2] == [function("weather"), function("now")]
    assert result.tools[2] == {
        "type": "function",
        "function": {
            "name": "final_answer",
            "description": "Give the user the final answer. Call this function as soon as no other function is needed: "
            "its arguments are the answer.",
            "parameters": SCHEMA,
        },
    }


def test_what_the_client_says_of_its_format_is_shown_to_the_model() -> None:
    result = translated(request(response_format=ResponseFormat(SCHEMA, description="A forecast.")))
    assert result.tools[-1]["function"]["description"].endswith("its arguments are the answer. A forecast.")


def test_the_final_tool_has_a_name_that_no_tool_of_the_request_has() -> None:
    tools = [function(name) for name in ("final_answer", "final_answer_2", "now")]
    # Nor one that may not be called now: it may be in the history.
    result = translated(request(tools=tools, allowed_tools=["now"]))
    assert result.allowed_tools == ["now", "final_answer_3"]
    assert result.tools[-1]["function"]["name"] == "final_answer_3"


@pytest.mark.parametrize("choice", ["required", "now", {"type": "function", "function": {"name": "now"}}])
def test_where_a_call_is_required_there_is_no_message_to_format(choice: Any) -> None:
    given = request(tool_choice=choice)
    result = translated(given)
    assert (result.response_format, result.final_answer) == (None, None)
    assert (result.tools, result.tool_choice) == (given.tools, choice)


@pytest.mark.parametrize(
    "members", [{"tool_choice": "none"}, {"allowed_tools": []}, {"response_format": None}, {"tools": []}]
)
def test_where_no_tool_may_be_called_or_the_text_is_free_nothing_changes(members: dict[str, Any]) -> None:
    given = request(**members)
    assert translated(given) is given


@pytest.mark.parametrize(
    ("schema", "moved"),
    [
        (None, {"type": "object"}),
        ({"type": "object"}, {"type": "object"}),
        ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "integer"}}),
        ({"enum": ["a", "b"]}, {"enum": ["a", "b"]}),
        ({"type": "string"}, {"type": "string"}),
        ({**SCHEMA, "anyOf": [SCHEMA]}, {**SCHEMA, "anyOf": [SCHEMA]}),
        (
            {"$defs": {"A": {"$ref": "#"}}, "anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
            {
                "$defs": {"A": {"$ref": "#/properties/answer"}},
                "anyOf": [{"$ref": "#/properties/answer/$defs/A"}, {"type": "null"}],
            },
        ),
        (
            {"$id": "https://a/b", "type": "array", "items": {"$ref": "https://a/b#/$defs/A"}},
            {"$id": "https://a/b", "type": "array", "items": {"$ref": "#/properties/answer/$defs/A"}},
        ),
    ],
)
def test_a_schema_that_is_no_plain_object_is_the_only_argument(
    schema: dict[str, Any] | None, moved: dict[str, Any]
) -> None:
    result = translated(request(response_format=ResponseFormat(schema)))
    assert result.final_answer == FinalAnswer("final_answer", "response_format", is_wrapped=True)
    parameters = result.tools[-1]["function"]["parameters"]
    assert parameters == {"type": "object", "properties": {"answer": moved}, "required": ["answer"]}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"response_format": ResponseFormat(regex="a+")},
            "response_format: `regex` is not supported beside tools, use `json_schema`",
        ),
        (
            {"logprobs": True},
            "logprobs is not supported with response_format beside tools: leave one of them out",
        ),
    ],
)
def test_what_cannot_be_an_answer_by_a_call_is_rejected(members: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError) as raised:
        translated(request(**members))
    assert raised.value.message == message
    assert translated(request(**members, tool_choice="none")).final_answer is None


def call(name: str, *arguments: str) -> list[Delta]:
    first, *others = arguments
    return [Delta(tool_name=name, call_id="c", arguments=first), *(Delta(arguments=each) for each in others)]


def test_the_arguments_of_the_final_tool_are_text() -> None:
    reader = FinalAnswerReader(FinalAnswer("final_answer", "", is_wrapped=False))
    assert reader.read(call("final_answer", "{", '"a"', "", ": 1}")) == [Delta("{"), Delta('"a"'), Delta(": 1}")]
    assert reader.is_called


def test_the_wrapped_value_is_text_without_its_wrapper() -> None:
    reader = FinalAnswerReader(FinalAnswer("final_answer", "", is_wrapped=True))
    assert reader.read(call("final_answer", "{", '"answer": [', "1, 2", "]}")) == [
        Delta("["),
        Delta("1, 2"),
        Delta("]"),
    ]


def test_a_call_of_another_tool_stays_one() -> None:
    reader = FinalAnswerReader(FinalAnswer("final_answer", "", is_wrapped=True))
    deltas = [*call("now", "{", "}"), Delta("text")]
    assert reader.read(deltas) == deltas
    assert not reader.is_called


class ScriptedChoice(Choice):
    """Reads `{"call": name, "arguments": text}`, of any engine."""

    def read_event(self, data: bytes) -> list[Delta]:
        event = json.loads(data)
        self.usage = {"prompt_tokens": 1, "completion_tokens": 2}
        return [Delta(tool_name=event.get("call"), call_id="c", arguments=event["arguments"])]

    def finish(self) -> list[Delta]:
        deltas = super().finish()
        self.finish_reason = "tool_calls"
        return [*deltas, Delta(arguments="}")]


@pytest.mark.parametrize(("name", "text", "reason"), [("final_answer", '{"a":1}', "stop"), ("now", "", "tool_calls")])
@pytest.mark.parametrize("is_streamed", [True, False])
def test_the_choice_of_any_engine_ends_as_a_message(name: str, text: str, reason: str, is_streamed: bool) -> None:
    choice = ScriptedChoice(translated(request()), 100)
    event = json.dumps({"call": name, "arguments": '{"a":1'}).encode()
    deltas = choice.read(b"data: " + event + b"\n\ndata: [DONE]\n\n") if is_streamed else choice.read_buffered(event)
    assert ("".join(delta.text for delta in deltas), choice.finish_reason) == (text, reason)
    assert "".join(delta.arguments or "" for delta in deltas) == ("" if text else '{"a":1}')
