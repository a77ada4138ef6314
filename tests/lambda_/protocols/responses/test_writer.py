"""The events of a response for the deltas of an answer, and the response that they end with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.generation.request import Problems
from front_door.protocols.responses.answer import Answer
from front_door.protocols.responses.request import read_request
from front_door.protocols.responses.writer import ResponseWriter

from tests.lambda_.protocols.responses.events import accumulate, read_events, read_response, types_of


@dataclass
class Ended:
    finish_reason: str | None = "stop"
    usage: dict[str, Any] = field(default_factory=dict)


USED = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def writer_of(ended: Ended, response_id: str = "1") -> ResponseWriter:
    settings = read_request({"input": "Hi"}, Problems(), has_efforts=False).settings
    return ResponseWriter(Answer(response_id, "llama", settings), ended)


def write(deltas: list[Delta], finish_reason: str = "stop", usage: dict[str, Any] = USED) -> list[dict[str, Any]]:
    """The events for some deltas, which add up to the response that is not streamed."""
    ended = Ended(finish_reason, usage)
    streamed, whole = writer_of(ended), writer_of(ended)
    events = read_events(streamed.begin() + b"".join(map(streamed.write, deltas)) + streamed.end())
    for delta in deltas:
        whole.write(delta)
    final = read_response(events[-1]["response"])
    assert read_response(whole.finish()[1]) == final
    assert final["output"] == accumulate(events)
    return events


TEXT = [
    *("created", "in_progress", "output_item.added", "content_part.added"),
    *("output_text.delta", "output_text.delta", "output_text.done", "content_part.done", "output_item.done"),
]


def test_a_text() -> None:
    events = write([Delta("Un été"), Delta(' "🧸"\n')])
    assert types_of(events) == [*TEXT, "completed"]
    assert [event["delta"] for event in events[4:6]] == ["Un été", ' "🧸"\n']
    (message,) = events[-1]["response"]["output"]
    assert message == {
        "id": "msg_1_0",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": 'Un été "🧸"\n', "annotations": [], "logprobs": []}],
    }
    assert events[-1]["response"]["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 11,
    }


def test_the_response_begins_without_output() -> None:
    created, in_progress, *_, completed = write([Delta("a")])
    for event in (created, in_progress):
        response = event["response"]
        assert (response["status"], response["output"], response["usage"]) == ("in_progress", [], None)
        assert response["id"] == completed["response"]["id"] == "resp_1"


def test_texts_that_were_not_parsed_are_written_as_parsed_ones() -> None:
    parsed, unparsed = writer_of(Ended()), writer_of(Ended())
    texts = ["a", "", 'b "%d"', "\\", "ü\n"]
    raw = [json.dumps(text, ensure_ascii=False)[1:-1].encode() for text in texts]
    out = b"".join(parsed.write(Delta(text)) for text in texts)
    assert unparsed.write_texts(raw[:3]) + unparsed.write_texts(raw[3:]) == out
    assert unparsed.write_texts([b""]) == b""
    assert unparsed.finish() == parsed.finish()
    assert len(out.split(b"\n\n")) == 2 + 4 + 1


def test_an_answer_without_anything_is_an_empty_message() -> None:
    events = write([])
    assert types_of(events) == [each for each in [*TEXT, "completed"] if each != "output_text.delta"]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == ""


def test_a_call() -> None:
    first = Delta(tool_name="weather", call_id="call_7", arguments="{")
    events = write(
        [first, Delta(arguments='"city": "Zürich"'), Delta(arguments=""), Delta(arguments="}")], "tool_calls"
    )
    assert types_of(events) == [
        *("created", "in_progress", "output_item.added"),
        *["function_call_arguments.delta"] * 3,
        *("function_call_arguments.done", "output_item.done", "completed"),
    ]
    assert events[2]["item"]["arguments"] == ""
    assert events[-1]["response"]["output"] == [
        {
            "id": "fc_1_0",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_7",
            "name": "weather",
            "arguments": '{"city": "Zürich"}',
        }
    ]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    events = write([Delta(tool_name="now", call_id="c1", arguments=""), Delta(tool_name="now", call_id="c2")])
    assert [item["arguments"] for item in events[-1]["response"]["output"]] == ["{}", "{}"]


def test_reasoning_texts_and_several_calls_are_items_in_their_order() -> None:
    deltas = [
        *(Delta(reasoning="Hm"), Delta(reasoning=", so."), Delta("Let me "), Delta("see.")),
        *(Delta(tool_name="a", call_id="c1", arguments="{}"), Delta(tool_name="b", call_id="c2", arguments='{"x":1}')),
        Delta("Done."),
    ]
    events = write(deltas, "tool_calls")
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "function_call", "message"]
    assert [item["id"] for item in output] == ["rs_1_0", "msg_1_1", "fc_1_2", "fc_1_3", "msg_1_4"]
    assert output[0] == {
        "id": "rs_1_0",
        "type": "reasoning",
        "status": "completed",
        "summary": [],
        "encrypted_content": None,
        "content": [{"type": "reasoning_text", "text": "Hm, so."}],
    }
    assert types_of(events)[2:9] == [
        *("output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.delta"),
        *("reasoning_text.done", "content_part.done", "output_item.done"),
    ]


def test_a_delta_may_have_reasoning_text_and_a_call_at_once() -> None:
    events = write([Delta("b", reasoning="a", tool_name="c", call_id="1", arguments="{}")])
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["reasoning", "message", "function_call"]


@pytest.mark.parametrize(
    ("finish_reason", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_an_answer_that_was_cut_off_is_incomplete(finish_reason: str, reason: str) -> None:
    deltas = [Delta("Let me see."), Delta(tool_name="weather", call_id="c", arguments='{"city": "Z')]
    events = write(deltas, finish_reason)
    response = events[-1]["response"]
    assert events[-1]["type"] == "response.incomplete"
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]
    assert response["output"][1]["arguments"] == '{"city": "Z'


def test_a_call_that_was_cut_off_before_its_arguments_has_none() -> None:
    events = write([Delta(tool_name="weather", call_id="c")], "length")
    assert events[-1]["response"]["output"][0]["arguments"] == ""


def test_log_probabilities_have_the_form_of_a_response() -> None:
    top = [{"token": "Zü", "logprob": -0.5, "bytes": [90, 195, 188]}, {"token": "é", "logprob": -1.5, "bytes": None}]
    entry = {"token": "Zü", "logprob": -0.5, "bytes": None, "top_logprobs": top}
    events = write([Delta("Zü", (entry,)), Delta("", ({**entry, "token": "", "top_logprobs": []},)), Delta("x")])
    first = {"token": "Zü", "bytes": [90, 195, 188], "logprob": -0.5}
    expected = [
        {**first, "top_logprobs": [first, {"token": "é", "bytes": [195, 169], "logprob": -1.5}]},
        {"token": "", "bytes": [], "logprob": -0.5, "top_logprobs": []},
    ]
    assert [event["logprobs"] for event in events if event["type"].endswith("output_text.delta")] == [
        *([each] for each in expected),
        [],
    ]
    assert events[-1]["response"]["output"][0]["content"][0]["logprobs"] == expected


def test_usage_has_the_details_that_the_server_reports() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 1}}
    usage = write([Delta("a")], usage={**USED, **details})[-1]["response"]["usage"]
    assert usage["input_tokens_details"]["cached_tokens"] == 8
    assert usage["output_tokens_details"] == {"reasoning_tokens": 1}
    nothing = dict.fromkeys(details)
    assert write([Delta("a")], usage={**USED, **nothing})[-1]["response"]["usage"]["total_tokens"] == 11


def test_an_error_in_the_stream_is_the_failed_response_with_what_there_was() -> None:
    writer = writer_of(Ended(None))
    call = Delta(tool_name="a", call_id="c", arguments='{"x')
    out = writer.begin() + writer.write(Delta("Un")) + writer.write(call)
    events = read_events(out + writer.error_event(ApiError("timeout", "It took too long.")))
    response = read_response(events[-1]["response"])
    assert events[-1]["type"] == "response.failed"
    assert (response["status"], response["usage"]) == ("failed", None)
    assert response["error"] == {"code": "server_error", "message": "It took too long."}
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]
    assert response["output"] == [*accumulate(events)[:1], {**accumulate(events)[1], "status": "incomplete"}]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ApiError("overloaded", "x"), "rate_limit_exceeded"),
        (ApiError("validation", "x"), "invalid_prompt"),
        (ApiError("upstream", "x"), "server_error"),
        (ApiError("validation", "x", code="context_length_exceeded"), "context_length_exceeded"),
    ],
)
def test_the_code_of_a_failed_response_is_one_of_openais(error: ApiError, code: str) -> None:
    writer = writer_of(Ended(None))
    writer.begin()
    event = writer.error_event(error)
    assert json.loads(event.split(b"data: ")[1])["response"]["error"]["code"] == code


def test_an_error_before_the_response_is_an_event_in_both_of_openais_forms() -> None:
    event = writer_of(Ended(None)).error_event(ApiError("overloaded", "Too much.", param="input"))
    (read,) = read_events(event)
    error = {"message": "Too much.", "type": "rate_limit_error", "param": "input", "code": "rate_limit_exceeded"}
    assert read["error"] == error
    assert {name: read[name] for name in ("type", "code", "message", "param")} == {**error, "type": "error"}


def test_an_error_before_the_stream_is_openais() -> None:
    response = writer_of(Ended(None)).error_response(ApiError("bad_request", "No.", param="input"))
    (body,) = response.body
    assert (response.status, json.loads(body)["error"]["param"]) == (400, "input")


def test_arguments_of_no_call_are_an_error_of_the_models_server() -> None:
    writer = writer_of(Ended())
    writer.write(Delta("a"))
    with pytest.raises(ApiError, match="arguments of no call"):
        writer.write(Delta(arguments="{}"))
