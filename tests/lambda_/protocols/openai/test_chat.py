"""Chat completions over a SageMaker double: what the client gets for what TGI says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from front_door.config import Model

from tests.lambda_.conftest import FALCON, LLAMA, Door
from tests.lambda_.protocols.openai.events import ANSWER, DONE, HI, TOOLS, USAGE, Read, error, text, tool, used
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, exception, part, parts, slices, stream, whole

PATH = "/v1/chat/completions"


def streamed(door: Door, **more: Any) -> Read:
    answer = door.ask(PATH, {**HI, "stream": True, **more})
    assert answer.status == 200, answer.body
    return Read.of(answer.body)


def test_a_completion_in_one_piece(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = door.ask(PATH, HI)
    completion = answer.json()
    created = completion.pop("created")
    assert answer.status == 200
    assert created > 1.6e9
    assert completion == {
        "id": "chatcmpl-gateway-id",
        "object": "chat.completion",
        "model": "llama",
        "system_fingerprint": "3.3.6",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Un été 🧸", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }
    sent = {**HI, "max_tokens": 1024, "stream": True, "stream_options": {"include_usage": True}}
    assert sagemaker.received[0].json() == sent


def test_it_is_the_same_whatever_the_cut(door: Door, sagemaker: SageMakerDouble) -> None:
    events = b"".join(ANSWER)
    for size in range(1, len(events), 11):
        sagemaker.replies += [parts(*slices(events, size)), parts(*slices(events, size))]
        assert door.ask(PATH, HI).json()["choices"][0]["message"]["content"] == "Un été 🧸"
        read = streamed(door)
        assert (read.text(), read.finish_reasons(), read.is_done) == ("Un été 🧸", ["stop"], True)


def test_the_chunks_of_a_stream(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    read = streamed(door)
    assert [choice["delta"] for choice in read.choices()] == [
        {"role": "assistant", "content": "Un été", "refusal": None},
        {"content": " 🧸"},
        {},
    ]
    heads = [{name: chunk[name] for name in chunk if name != "choices"} for chunk in read.chunks]
    assert all(head == heads[0] for head in heads)
    assert heads[0].pop("created") > 1.6e9
    assert heads[0] == {
        "id": "chatcmpl-gateway-id",
        "object": "chat.completion.chunk",
        "model": "llama",
        "system_fingerprint": "3.3.6",
    }


def test_the_token_counts_come_only_where_they_were_asked_for(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*ANSWER)] * 3
    assert streamed(door).usage() == ["absent"] * 3
    assert streamed(door, stream_options={"include_usage": False}).usage() == ["absent"] * 3
    read = streamed(door, stream_options={"include_usage": True})
    assert read.usage() == [None, None, None, USAGE]
    assert read.chunks[-1]["choices"] == []
    assert [line["GeneratedTokens"] for line in door.log()] == [2, 2, 2]


def test_a_text_that_looks_like_an_event_is_text(door: Door, sagemaker: SageMakerDouble) -> None:
    odd = 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"},"logprobs":null'
    sagemaker.replies.append(parts(text("a"), text(odd) + text(odd), text("\n\ndata: [DONE]\n\n"), *ANSWER[2:]))
    assert streamed(door).text() == "a" + odd + odd + "\n\ndata: [DONE]\n\n"


@pytest.mark.parametrize(("reason", "told"), [("stop", "stop"), ("stop_sequence", "stop"), ("length", "length")])
def test_the_reasons_to_finish_are_openais(door: Door, sagemaker: SageMakerDouble, reason: str, told: str) -> None:
    sagemaker.replies += [parts(text("Un"), text(" été", reason), used(), DONE)] * 2
    assert door.ask(PATH, HI).json()["choices"][0]["finish_reason"] == told
    read = streamed(door)
    assert (read.text(), read.finish_reasons()) == ("Un été", [told])
    assert [line["finish_reason"] for line in door.log()] == [told, told]


def test_an_answer_of_nothing_has_a_role_and_a_reason(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(text("", "stop"), used(), DONE))
    read = streamed(door)
    delta = {"role": "assistant", "content": "", "refusal": None}
    assert [(choice["delta"], choice["finish_reason"]) for choice in read.choices()] == [(delta, "stop")]


def entry(token: str, logprob: float | None = -0.5, *others: str) -> dict[str, Any]:
    top = [{"token": other, "logprob": -1.5} for other in others]
    return {"token": token, "logprob": logprob, "top_logprobs": top}


def test_log_probabilities_are_openais_and_of_the_text_alone(door: Door, sagemaker: SageMakerDouble) -> None:
    chunks = [
        text("Zü", None, {"content": [entry("Zü", -0.25, "Zü", "é")]}),
        text("", None, {"content": [entry("", None)]}),
        text("", "stop", {"content": [entry("</s>")]}),
    ]
    sagemaker.replies += [parts(*chunks, used(), DONE)] * 2
    top = [
        {"token": "Zü", "logprob": -1.5, "bytes": [90, 195, 188]},
        {"token": "é", "logprob": -1.5, "bytes": [195, 169]},
    ]
    expected = [
        {"token": "Zü", "logprob": -0.25, "bytes": [90, 195, 188], "top_logprobs": top},
        {"token": "", "logprob": -9999.0, "bytes": None, "top_logprobs": []},
    ]
    asked = {"logprobs": True, "top_logprobs": 2}
    choice = door.ask(PATH, {**HI, **asked}).json()["choices"][0]
    assert choice["logprobs"] == {"content": expected, "refusal": None}
    read = streamed(door, **asked)
    told = [choice["logprobs"] for choice in read.choices() if choice["logprobs"]]
    assert told == [{"content": [each], "refusal": None} for each in expected]


CALL = [tool("{", "weather"), tool(' "city":'), tool(' "Zürich"'), tool("}"), used(9, 12), DONE]


def test_a_tool_call_in_one_piece(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*CALL))
    choice = door.ask(PATH, {**HI, "tools": TOOLS}).json()["choices"][0]
    (call,) = choice["message"].pop("tool_calls")
    assert call.pop("id").startswith("call_")
    assert call == {"type": "function", "function": {"name": "weather", "arguments": '{"city":"Zürich"}'}}
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": None}
    assert choice["finish_reason"] == "tool_calls"


def test_a_streamed_tool_call(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*CALL), parts(*CALL)]
    reads = [streamed(door, tools=TOOLS) for _ in range(2)]
    first, *rest = reads[0].calls()
    assert first.pop("id").startswith("call_")
    assert first == {"index": 0, "type": "function", "function": {"name": "weather", "arguments": "{"}}
    assert all(call.keys() == {"index", "function"} and call["function"].keys() == {"arguments"} for call in rest)
    assert json.loads(reads[0].arguments()) == {"city": "Zürich"}
    assert reads[0].choices()[0]["delta"].keys() == {"role", "content", "refusal", "tool_calls"}
    assert reads[0].finish_reasons() == ["tool_calls"]


def test_every_tool_call_has_an_id_of_its_own(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*CALL)] * 3
    answers = [door.ask(PATH, {**HI, "tools": TOOLS}).json() for _ in range(3)]
    assert len({answer["choices"][0]["message"]["tool_calls"][0]["id"] for answer in answers}) == 3


def test_the_brace_that_tgi_leaves_out_is_put_back(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(tool("{", "now"), text("", "stop"), used(), DONE)] * 2
    message = door.ask(PATH, {**HI, "tools": TOOLS}).json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"
    read = streamed(door, tools=TOOLS)
    assert (read.arguments(), read.finish_reasons()) == ("{}", ["tool_calls"])


@pytest.mark.parametrize("reason", ["length", None])
def test_a_tool_call_that_the_limit_cut_off_says_so(door: Door, sagemaker: SageMakerDouble, reason: str | None) -> None:
    chunks = [tool("{", "weather"), tool(' "city": "Z', None, reason), used(9, 12), DONE]
    sagemaker.replies += [parts(*chunks)] * 2
    choice = door.ask(PATH, {**HI, "tools": TOOLS, "max_tokens": 12}).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{ "city": "Z'
    read = streamed(door, tools=TOOLS, max_tokens=12)
    assert (read.arguments(), read.finish_reasons()) == ('{ "city": "Z', ["length"])


def test_where_the_limit_comes_before_the_name_of_the_tool_there_is_no_text(
    door: Door, sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies += [parts(used(9, 5), DONE)] * 2
    choice = door.ask(PATH, {**HI, "tools": TOOLS, "max_tokens": 5}).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")
    assert streamed(door, tools=TOOLS, max_tokens=5).finish_reasons() == ["length"]


LOST = [tool("{", "weather"), tool("}"), used(9, 12), DONE]
"""What TGI streams where the comma behind the tool's name is one token with the quotation mark of what follows."""


def test_arguments_that_tgi_lost_in_its_stream_are_asked_for_again(door: Door, sagemaker: SageMakerDouble) -> None:
    function = {"description": None, "name": "weather", "arguments": '{"city":"Zürich"}'}
    message = {"role": "assistant", "tool_calls": [{"id": "0", "type": "function", "function": function}]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {"object": "chat.completion", "id": "", "system_fingerprint": "3.3.6", "choices": [choice], "usage": USAGE}
    sagemaker.replies += [parts(*LOST), whole(json.dumps(answer).encode())]
    told = door.ask(PATH, {**HI, "tools": TOOLS}).json()["choices"][0]
    assert told["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Zürich"}'}
    assert told["finish_reason"] == "tool_calls"
    assert [request.path.rpartition("/")[2] for request in sagemaker.received] == [
        "invocations-response-stream",
        "invocations",
    ]
    assert sagemaker.received[1].json().keys() & {"stream", "stream_options"} == set()


def test_arguments_that_tgi_lost_end_a_stream_with_an_error(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*LOST))
    read = streamed(door, tools=TOOLS)
    assert read.errors[0]["error_type"] == "upstream"
    assert "lost a part of the tool call" in read.errors[0]["error"]["message"]
    assert (read.finish_reasons(), read.is_done) == ([], True)


def test_log_probabilities_of_a_tool_call_are_not_told(door: Door, sagemaker: SageMakerDouble) -> None:
    """TGI gives them for tokens that it has changed, and none for those in front of the name."""
    sagemaker.replies.append(parts(*CALL))
    choice = door.ask(PATH, {**HI, "tools": TOOLS, "logprobs": True}).json()["choices"][0]
    assert choice["logprobs"] is None


@pytest.mark.parametrize(
    ("message", "kind", "status", "code", "param"),
    [
        ("Model is overloaded", "overloaded", 429, "rate_limit_exceeded", None),
        ("Input validation error: `top_p` must be > 0.0 and < 1.0", "validation", 400, None, "top_p"),
        ("Input validation error: grammar is not valid: x", "validation", 400, None, "response_format"),
        (
            "Input validation error: `inputs` must have less than 10 tokens. Given: 20",
            "validation",
            400,
            "context_length_exceeded",
            None,
        ),
        (
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 9. Given: 5 `inputs` tokens",
            "validation",
            400,
            "context_length_exceeded",
            None,
        ),
        ("Request failed during generation: Server error", "generation", 424, "generation", None),
        ("Template error: template not found", "template_error", 400, "template_error", None),
        ("Tool error: x", "tool_error", 400, "tool_error", None),
        ("Something else", "upstream", 502, "upstream_error", None),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_error_in_the_place_of_the_first_chunk_is_the_status(
    door: Door,
    sagemaker: SageMakerDouble,
    message: str,
    kind: str,
    status: int,
    code: str | None,
    param: str | None,
    is_streamed: bool,
) -> None:
    event = error(message) + DONE
    sagemaker.replies, sagemaker.repeats = [parts(event[:9], event[9:])], True
    answer = door.ask(PATH, {**HI, "stream": is_streamed, "max_tokens": 5})
    assert (answer.status, answer.json()["error_type"]) == (status, kind)
    told = answer.json()["error"]
    assert (told["message"], told["code"], told["param"]) == (message, code, param)
    assert told.keys() == {"message", "type", "param", "code"}
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


@pytest.mark.parametrize("together", [False, True])
def test_an_error_in_the_middle_ends_a_stream_in_openais_words_behind_what_came_before(
    door: Door, sagemaker: SageMakerDouble, together: bool
) -> None:
    events = [text("Un"), text(" été"), error("Request failed during generation: x"), DONE]
    sagemaker.replies += [parts(b"".join(events)) if together else parts(*events)] * 2
    read = streamed(door)
    assert (read.text(), read.finish_reasons(), read.is_done) == ("Un été", [], True)
    assert [each["error"]["code"] for each in read.errors] == ["generation"]
    assert door.log()[0]["error"] == "generation"
    assert door.ask(PATH, HI).status == 424


@pytest.mark.parametrize(
    "ending",
    [[], [part(DONE[:5])], [part(DONE)], [exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")]],
)
def test_a_stream_that_breaks_off_ends_with_an_error(
    door: Door, sagemaker: SageMakerDouble, ending: list[bytes]
) -> None:
    sagemaker.replies += [stream([part(text("Un")), *ending])] * 2
    read = streamed(door)
    assert (read.text(), read.finish_reasons(), read.is_done) == ("Un", [], True)
    (told,) = read.errors
    assert (told["error"]["type"], told["error"]["code"]) == ("server_error", "incomplete_generation")
    answer = door.ask(PATH, HI)
    assert (answer.status, answer.json()["error"]["code"]) == (500, "incomplete_generation")


def test_a_container_that_cannot_stream_is_answered_for_as_well(door: Door, sagemaker: SageMakerDouble) -> None:
    message = {"role": "assistant", "content": "Un été"}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE}
    reply = stream([part(json.dumps(answer).encode())])
    as_json = Reply([reply.pieces[0].replace(b"text/event-stream", b"application/json"), *reply.pieces[1:]])
    sagemaker.replies.append(as_json)
    told = door.ask(PATH, HI).json()
    assert (told["id"], told["model"], told["usage"]) == ("chatcmpl-gateway-id", "llama", USAGE)
    assert told["choices"][0]["message"]["content"] == "Un été"


@pytest.mark.parametrize("name", ["llama", "meta-llama/Llama-3.1-8B-Instruct", "tgi", "", None])
def test_the_only_model_has_many_names_and_the_container_sees_none(
    door: Door, sagemaker: SageMakerDouble, name: str | None
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = door.ask(PATH, {**HI, "model": name, "seed": 1})
    assert (answer.status, answer.json()["model"]) == (200, "llama")
    assert "model" not in sagemaker.received[0].json()


def test_a_model_is_chosen_by_name_or_hub_id(door_for: Callable[..., Door], sagemaker: SageMakerDouble) -> None:
    door = door_for(LLAMA, FALCON)
    told = []
    for name in ("falcon", "llama", "meta-llama/Llama-3.1-8B-Instruct"):
        sagemaker.replies.append(parts(*ANSWER))
        told.append(door.ask(PATH, {**HI, "model": name}).json()["model"])
    assert told == ["falcon", "llama", "llama"]
    assert [request.path.split("/")[2] for request in sagemaker.received] == [
        "falcon-endpoint",
        "llama-endpoint",
        "llama-endpoint",
    ]


def test_an_unknown_model_is_openais_404(door: Door) -> None:
    answer = door.ask(PATH, {**HI, "model": "gpt-4o"})
    assert answer.status == 404
    assert answer.json()["error"] == {
        "message": "The model `gpt-4o` does not exist or you do not have access to it. There is `llama`.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


@pytest.mark.parametrize(("name", "status"), [("tgi", 404), (None, 400), ("", 400)])
def test_among_several_models_one_must_be_named(door_for: Callable[..., Door], name: object, status: int) -> None:
    answer = door_for(LLAMA, FALCON).ask(PATH, {**HI, "model": name})
    assert answer.status == status
    assert answer.json()["error"]["param"] == "model"
    assert "`llama`, `falcon`" in answer.json()["error"]["message"]


def test_a_model_that_is_no_name_is_refused(door: Door) -> None:
    answer = door.ask(PATH, {**HI, "model": 5})
    assert (answer.status, answer.json()["error"]["message"]) == (400, "model must be a string")


def test_a_lone_surrogate_in_a_models_name_is_answered(door: Door) -> None:
    answer = door.ask(PATH, {**HI, "model": "\ud800"})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_without_a_limit_the_default_is_asked_for_and_lowered_where_it_does_not_fit(
    door_for: Callable[..., Door], sagemaker: SageMakerDouble
) -> None:
    door = door_for(Model("llama", "e", None, 10000, facts={"max_total_tokens": 500}))
    words = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 500. Given: 9 `inputs` tokens and"
    sagemaker.replies += [parts(error(words), DONE), parts(*ANSWER)]
    assert door.ask(PATH, HI).status == 200
    assert [request.json()["max_tokens"] for request in sagemaker.received] == [499, 491]


def test_names_that_mean_nothing_are_passed_over_on_tgis_own_route(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    assert door.ask("/invocations", {**HI, "made_up": 1}).status == 200
    assert "made_up" not in sagemaker.received[0].json()


def test_the_path_names_the_model_on_tgis_own_route(door_for: Callable[..., Door], sagemaker: SageMakerDouble) -> None:
    door = door_for(LLAMA, FALCON)
    sagemaker.replies.append(parts(*ANSWER))
    assert door.ask("/models/falcon/invocations", {**HI, "model": "llama"}).json()["model"] == "falcon"


def test_a_body_as_deep_as_python_reads_it_is_answered(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies, sagemaker.repeats = [parts(*ANSWER)], True
    for depth in range(100, 1000, 50):
        schema = '{"items":' * depth + "{}" + "}" * depth
        form = '{"type":"json_schema","json_schema":{"name":"x","schema":' + schema + "}}"
        raw = '{"messages":[{"role":"user","content":"Hi"}],"response_format":' + form + "}"
        answer = door.ask(PATH, raw=raw)
        assert answer.status in (200, 400), answer.body
