"""Chat completions over a SageMaker double: what the client gets for TGI's events."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from front_door.config import Model

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.protocols.openai.events import ANSWER, DONE, HI, TOOLS, USAGE, Read, error, text, tool, used
from tests.lambda_.sagemaker_double import (
    Reply,
    SageMakerDouble,
    exception,
    part,
    parts,
    plain_response,
    slices,
    stream,
)

PATH = "/v1/chat/completions"


def streamed(api: ApiClient, **more: Any) -> Read:
    answer = api.send(PATH, {**HI, "stream": True, **more})
    assert answer.status == 200, answer.body
    return Read.of(answer.body)


def test_a_buffered_completion(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = api.send(PATH, HI)
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


def test_a_buffered_completion_is_the_same_wherever_the_slices_are_cut(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    events = b"".join(ANSWER)
    for size in range(1, len(events), 11):
        sagemaker.replies += [parts(*slices(events, size)), parts(*slices(events, size))]
        assert api.send(PATH, HI).json()["choices"][0]["message"]["content"] == "Un été 🧸"
        read = streamed(api)
        assert (read.text(), read.finish_reasons(), read.is_done) == ("Un été 🧸", ["stop"], True)


def test_the_chunks_of_a_stream(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    read = streamed(api)
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


def test_token_counts_are_streamed_only_on_request(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*ANSWER)] * 3
    assert streamed(api).usage() == ["absent"] * 3
    assert streamed(api, stream_options={"include_usage": False}).usage() == ["absent"] * 3
    read = streamed(api, stream_options={"include_usage": True})
    assert read.usage() == [None, None, None, USAGE]
    assert read.chunks[-1]["choices"] == []
    assert [line["GeneratedTokens"] for line in api.log()] == [2, 2, 2]


def test_a_text_that_looks_like_an_event_is_text(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    odd = 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"},"logprobs":null'
    sagemaker.replies.append(parts(text("a"), text(odd) + text(odd), text("\n\ndata: [DONE]\n\n"), *ANSWER[2:]))
    assert streamed(api).text() == "a" + odd + odd + "\n\ndata: [DONE]\n\n"


@pytest.mark.parametrize(("reason", "result"), [("stop", "stop"), ("stop_sequence", "stop"), ("length", "length")])
def test_finish_reasons_have_openais_names(
    api: ApiClient, sagemaker: SageMakerDouble, reason: str, result: str
) -> None:
    sagemaker.replies += [parts(text("Un"), text(" été", reason), used(), DONE)] * 2
    assert api.send(PATH, HI).json()["choices"][0]["finish_reason"] == result
    read = streamed(api)
    assert (read.text(), read.finish_reasons()) == ("Un été", [result])
    assert [line["finish_reason"] for line in api.log()] == [result, result]


def test_an_empty_text_has_a_role_and_a_finish_reason(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(text("", "stop"), used(), DONE))
    read = streamed(api)
    delta = {"role": "assistant", "content": "", "refusal": None}
    assert [(choice["delta"], choice["finish_reason"]) for choice in read.choices()] == [(delta, "stop")]


def entry(token: str, logprob: float | None = -0.5, *others: str) -> dict[str, Any]:
    top = [{"token": other, "logprob": -1.5} for other in others]
    return {"token": token, "logprob": logprob, "top_logprobs": top}


def test_log_probabilities_have_openais_form_and_leave_out_special_tokens(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
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
    requested = {"logprobs": True, "top_logprobs": 2}
    choice = api.send(PATH, {**HI, **requested}).json()["choices"][0]
    assert choice["logprobs"] == {"content": expected, "refusal": None}
    read = streamed(api, **requested)
    result = [choice["logprobs"] for choice in read.choices() if choice["logprobs"]]
    assert result == [{"content": [each], "refusal": None} for each in expected]


CALL = [tool("{", "weather"), tool(' "city":'), tool(' "Zürich"'), tool("}"), used(9, 12), DONE]


def test_a_buffered_tool_call(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*CALL))
    choice = api.send(PATH, {**HI, "tools": TOOLS}).json()["choices"][0]
    (call,) = choice["message"].pop("tool_calls")
    assert call.pop("id").startswith("call_")
    assert call == {"type": "function", "function": {"name": "weather", "arguments": '{"city":"Zürich"}'}}
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": None}
    assert choice["finish_reason"] == "tool_calls"


def test_a_streamed_tool_call(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*CALL), parts(*CALL)]
    reads = [streamed(api, tools=TOOLS) for _ in range(2)]
    first, *rest = reads[0].calls()
    assert first.pop("id").startswith("call_")
    assert first == {"index": 0, "type": "function", "function": {"name": "weather", "arguments": "{"}}
    assert all(call.keys() == {"index", "function"} and call["function"].keys() == {"arguments"} for call in rest)
    assert json.loads(reads[0].arguments()) == {"city": "Zürich"}
    assert reads[0].choices()[0]["delta"].keys() == {"role", "content", "refusal", "tool_calls"}
    assert reads[0].finish_reasons() == ["tool_calls"]


def test_every_tool_call_has_its_own_id(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*CALL)] * 3
    answers = [api.send(PATH, {**HI, "tools": TOOLS}).json() for _ in range(3)]
    assert len({answer["choices"][0]["message"]["tool_calls"][0]["id"] for answer in answers}) == 3


def test_the_brace_that_tgi_leaves_out_is_added(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(tool("{", "now"), text("", "stop"), used(), DONE)] * 2
    message = api.send(PATH, {**HI, "tools": TOOLS}).json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"
    read = streamed(api, tools=TOOLS)
    assert (read.arguments(), read.finish_reasons()) == ("{}", ["tool_calls"])


@pytest.mark.parametrize("reason", ["length", None])
def test_a_tool_call_that_was_cut_off_has_the_finish_reason_length(
    api: ApiClient, sagemaker: SageMakerDouble, reason: str | None
) -> None:
    chunks = [tool("{", "weather"), tool(' "city": "Z', None, reason), used(9, 12), DONE]
    sagemaker.replies += [parts(*chunks)] * 2
    choice = api.send(PATH, {**HI, "tools": TOOLS, "max_tokens": 12}).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{ "city": "Z'
    read = streamed(api, tools=TOOLS, max_tokens=12)
    assert (read.arguments(), read.finish_reasons()) == ('{ "city": "Z', ["length"])


@pytest.mark.parametrize(
    ("sent", "more", "message", "param"),
    [
        (
            [used(9, 5)],
            {"tool_choice": "required"},
            "Tool error: max_tokens (5) ended the answer before the name of the tool: raise it",
            "max_tokens",
        ),
        (
            [used(9, 4)],
            {"tool_choice": "required"},
            "Tool error: the model's answer is not a call of a tool: try again, or set `tool_choice` to `auto`",
            None,
        ),
        (
            [used(9, 4)],
            {"tool_choice": {"type": "function", "function": {"name": "now"}}},
            "Tool error: the model's answer is not a call of a tool: try again, or set `tool_choice` to `auto`",
            None,
        ),
        (
            [],
            {},
            "Tool error: the model's answer is not a call of a tool: try again, or set `tool_choice` to `none`",
            None,
        ),
    ],
)
def test_a_call_that_tgi_could_not_read_is_an_error(
    api: ApiClient,
    sagemaker: SageMakerDouble,
    sent: list[bytes],
    more: dict[str, Any],
    message: str,
    param: str | None,
) -> None:
    sagemaker.replies += [parts(*sent, DONE)] * 2
    buffered = api.send(PATH, {**HI, "tools": TOOLS, "max_tokens": 5, **more})
    assert buffered.status == 400
    read = streamed(api, tools=TOOLS, max_tokens=5, **more)
    assert (read.chunks, read.is_done) == ([], True)
    assert read.errors == [buffered.json()]
    assert buffered.json() == {
        "error": {"message": message, "type": "invalid_request_error", "param": param, "code": "tool_error"},
        "error_type": "tool_error",
    }


def test_an_empty_text_beside_tools_is_an_answer(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(text("", "stop"), used(), DONE))
    choice = api.send(PATH, {**HI, "tools": TOOLS}).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "stop")


LOST = [tool("{", "weather"), tool("}"), used(9, 12), DONE]
"""What TGI streams if the comma after the tool's name is one token with the quotation mark that follows."""


def test_arguments_that_tgi_lost_in_its_stream_are_requested_again(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    function = {"description": None, "name": "weather", "arguments": '{"city":"Zürich"}'}
    message = {"role": "assistant", "tool_calls": [{"id": "0", "type": "function", "function": function}]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {"object": "chat.completion", "id": "", "system_fingerprint": "3.3.6", "choices": [choice], "usage": USAGE}
    sagemaker.replies += [parts(*LOST), plain_response(json.dumps(answer).encode())]
    result = api.send(PATH, {**HI, "tools": TOOLS}).json()["choices"][0]
    assert result["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Zürich"}'}
    assert result["finish_reason"] == "tool_calls"
    assert [request.path.rpartition("/")[2] for request in sagemaker.received] == [
        "invocations-response-stream",
        "invocations",
    ]
    assert sagemaker.received[1].json().keys() & {"stream", "stream_options"} == set()


def test_arguments_that_tgi_lost_end_a_stream_with_an_error(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*LOST))
    read = streamed(api, tools=TOOLS)
    assert read.errors[0]["error_type"] == "upstream"
    assert "lost a part of the tool call" in read.errors[0]["error"]["message"]
    assert (read.finish_reasons(), read.is_done) == ([], True)


def test_a_tool_call_has_no_log_probabilities(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    """TGI reports them for tokens that it has changed, and none for those before the name."""
    sagemaker.replies.append(parts(*CALL))
    choice = api.send(PATH, {**HI, "tools": TOOLS, "logprobs": True}).json()["choices"][0]
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
def test_an_error_instead_of_the_first_chunk_becomes_the_status(
    api: ApiClient,
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
    answer = api.send(PATH, {**HI, "stream": is_streamed, "max_tokens": 5})
    assert (answer.status, answer.json()["error_type"]) == (status, kind)
    result = answer.json()["error"]
    assert (result["message"], result["code"], result["param"]) == (message, code, param)
    assert result.keys() == {"message", "type", "param", "code"}
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


@pytest.mark.parametrize("together", [False, True])
def test_an_error_in_the_middle_ends_a_stream_in_openais_form(
    api: ApiClient, sagemaker: SageMakerDouble, together: bool
) -> None:
    events = [text("Un"), text(" été"), error("Request failed during generation: x"), DONE]
    sagemaker.replies += [parts(b"".join(events)) if together else parts(*events)] * 2
    read = streamed(api)
    assert (read.text(), read.finish_reasons(), read.is_done) == ("Un été", [], True)
    assert [each["error"]["code"] for each in read.errors] == ["generation"]
    assert api.log()[0]["error"] == "generation"
    assert api.send(PATH, HI).status == 424


@pytest.mark.parametrize(
    "ending",
    [[], [part(DONE[:5])], [part(DONE)], [exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")]],
)
def test_a_stream_that_breaks_off_ends_with_an_error(
    api: ApiClient, sagemaker: SageMakerDouble, ending: list[bytes]
) -> None:
    sagemaker.replies += [stream([part(text("Un")), *ending])] * 2
    read = streamed(api)
    assert (read.text(), read.finish_reasons(), read.is_done) == ("Un", [], True)
    (result,) = read.errors
    assert (result["error"]["type"], result["error"]["code"]) == ("server_error", "incomplete_generation")
    answer = api.send(PATH, HI)
    assert (answer.status, answer.json()["error"]["code"]) == (500, "incomplete_generation")


def test_a_container_that_cannot_stream_is_supported(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    message = {"role": "assistant", "content": "Un été"}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE}
    reply = stream([part(json.dumps(answer).encode())])
    as_json = Reply([reply.pieces[0].replace(b"text/event-stream", b"application/json"), *reply.pieces[1:]])
    sagemaker.replies.append(as_json)
    result = api.send(PATH, HI).json()
    assert (result["id"], result["model"], result["usage"]) == ("chatcmpl-gateway-id", "llama", USAGE)
    assert result["choices"][0]["message"]["content"] == "Un été"


@pytest.mark.parametrize("name", ["llama", "meta-llama/Llama-3.1-8B-Instruct", "tgi", "", None])
def test_the_only_model_has_many_names_and_none_is_sent_to_the_container(
    api: ApiClient, sagemaker: SageMakerDouble, name: str | None
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = api.send(PATH, {**HI, "model": name, "seed": 1})
    assert (answer.status, answer.json()["model"]) == (200, "llama")
    assert "model" not in sagemaker.received[0].json()


def test_a_model_is_chosen_by_name_or_hub_id(api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble) -> None:
    api = api_for(LLAMA, FALCON)
    result = []
    for name in ("falcon", "llama", "meta-llama/Llama-3.1-8B-Instruct"):
        sagemaker.replies.append(parts(*ANSWER))
        result.append(api.send(PATH, {**HI, "model": name}).json()["model"])
    assert result == ["falcon", "llama", "llama"]
    assert [request.path.split("/")[2] for request in sagemaker.received] == [
        "falcon-endpoint",
        "llama-endpoint",
        "llama-endpoint",
    ]


def test_an_unknown_model_is_openais_404(api: ApiClient) -> None:
    answer = api.send(PATH, {**HI, "model": "gpt-4o"})
    assert answer.status == 404
    assert answer.json()["error"] == {
        "message": "The model `gpt-4o` does not exist. There is `llama`.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


ENDPOINT_URL = "https://x.execute-api.eu-west-1.amazonaws.com/api/v1/chat/completions"
NO_NAMES = [{}, {"model": None}, *({"model": name} for name in ("", "tgi", "dummy", "http://127.0.0.1", ENDPOINT_URL))]


@pytest.mark.parametrize("named", NO_NAMES)
def test_what_clients_send_in_place_of_a_name_is_the_only_model(
    api: ApiClient, sagemaker: SageMakerDouble, named: dict[str, object]
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = api.send(PATH, {**HI, **named})
    assert (answer.status, answer.json()["model"]) == (200, "llama")


@pytest.mark.parametrize("named", NO_NAMES)
def test_one_of_two_models_must_be_named(api_for: Callable[..., ApiClient], named: dict[str, str | None]) -> None:
    name = named.get("model")
    answer = api_for(LLAMA, FALCON).send(PATH, {**HI, **named})
    if name:
        hint = "A client that sends no name is given the URL of a model: /models/<name>/v1."
        expected = (404, f"The model `{name}` does not exist. There is `llama`, `falcon`. {hint}")
    else:
        expected = (400, "you must provide a model parameter: one of `llama`, `falcon`")
    assert (answer.status, answer.json()["error"]["message"]) == expected
    assert answer.json()["error"]["param"] == "model"


@pytest.mark.parametrize("named", [*NO_NAMES, {"model": "llama"}, {"model": "gpt-4o"}, {"model": 5}])
def test_the_path_of_a_model_decides_whatever_the_body_names(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, named: dict[str, object]
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    answer = api_for(LLAMA, FALCON).send(f"/models/falcon{PATH}", {**HI, **named})
    assert (answer.status, answer.json()["model"]) == (200, "falcon")
    assert sagemaker.received[0].path.split("/")[2] == "falcon-endpoint"


def test_a_model_that_is_not_a_string_is_rejected(api: ApiClient) -> None:
    answer = api.send(PATH, {**HI, "model": 5})
    assert (answer.status, answer.json()["error"]["message"]) == (400, "model must be a string")


def test_a_lone_surrogate_in_a_models_name_gets_a_response(api: ApiClient) -> None:
    answer = api.send(PATH, {**HI, "model": "\ud800"})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "model_not_found")


PNG = "data:image/png;base64,iVBORw0KGgo="
IMAGES = [
    {"role": "system", "content": [{"type": "text", "text": "x"}]},
    {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
            {"type": "text", "text": "What is this? ![](https://example.com/x.png)"},
            {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}},
        ],
    },
]


def with_facts(**facts: object) -> Model:
    return Model("llama", "e", None, 10000, facts=facts)


@pytest.mark.parametrize("more", [{}, {"stream": True}, {"n": 2}])
@pytest.mark.parametrize("path", [PATH, f"/models/llama{PATH}", "/invocations"])
def test_images_for_a_model_that_reads_none_are_named(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, path: str, more: dict[str, object]
) -> None:
    answer = api_for(with_facts(reads_images=False)).send(path, {"messages": IMAGES, "temperature": "x", **more})
    places = ("messages[1].content[0].image_url", "messages[1].content[2].image_url")
    sentences = [f"{place}: `llama` does not read images, send it text only" for place in places]
    message = "; ".join(["temperature: invalid type: string, expected a number", *sentences])
    found = answer.json()["error"]
    assert (answer.status, found if path == "/invocations" else found["message"]) == (400, message)
    assert sagemaker.received == []


def test_the_param_of_an_image_is_its_place(api_for: Callable[..., ApiClient]) -> None:
    answer = api_for(with_facts(reads_images=False)).send(PATH, {"messages": IMAGES})
    assert answer.json()["error"]["param"] == "messages[1].content[0].image_url"
    assert PNG not in answer.body.decode()


@pytest.mark.parametrize("facts", [{"reads_images": True}, {}])
def test_images_are_passed_on_to_a_model_that_reads_them_or_of_which_nothing_is_known(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble, facts: dict[str, object]
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    assert api_for(with_facts(**facts)).send(PATH, {"messages": IMAGES}).status == 200
    assert sagemaker.received[0].json()["messages"] == IMAGES


def test_text_that_looks_like_an_image_is_text(api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble) -> None:
    api, text = api_for(with_facts(reads_images=False)), f"Explain ![]({PNG})"
    for content in (text, [{"type": "text", "text": text}]):
        sagemaker.replies.append(parts(*ANSWER))
        assert api.send(PATH, {"messages": [{"role": "user", "content": content}]}).status == 200
        assert sagemaker.received[-1].json()["messages"][0]["content"] == content


def test_without_max_tokens_the_default_is_used_and_lowered_if_it_does_not_fit(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    api = api_for(Model("llama", "e", None, 10000, facts={"max_total_tokens": 500}))
    too_long = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 500. Given: 9 `inputs` tokens and"
    sagemaker.replies += [parts(error(too_long), DONE), parts(*ANSWER)]
    assert api.send(PATH, HI).status == 200
    assert [request.json()["max_tokens"] for request in sagemaker.received] == [499, 491]


def test_unknown_names_are_ignored_on_tgis_route(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    assert api.send("/invocations", {**HI, "made_up": 1}).status == 200
    assert "made_up" not in sagemaker.received[0].json()


def test_the_path_names_the_model_on_tgis_route(api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble) -> None:
    api = api_for(LLAMA, FALCON)
    sagemaker.replies.append(parts(*ANSWER))
    assert api.send("/models/falcon/invocations", {**HI, "model": "llama"}).json()["model"] == "falcon"


def test_a_deeply_nested_body_gets_a_response(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies, sagemaker.repeats = [parts(*ANSWER)], True
    for depth in range(100, 1000, 50):
        schema = '{"items":' * depth + "{}" + "}" * depth
        form = '{"type":"json_schema","json_schema":{"name":"x","schema":' + schema + "}}"
        raw = '{"messages":[{"role":"user","content":"Hi"}],"response_format":' + form + "}"
        answer = api.send(PATH, raw=raw)
        assert answer.status in (200, 400), answer.body
