"""TGI's own routes over a SageMaker double; test_container compares them with the container."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.sagemaker_double import (
    HEAD,
    Reply,
    SageMakerDouble,
    chunk,
    error,
    exception,
    part,
    parts,
    plain_response,
    slices,
    stream,
)

TOKENS = [
    {"index": 1, "token": {"id": 330, "text": " Un été", "logprob": -0.5, "special": False}},
    {"index": 2, "token": {"id": 2, "text": " 🧸", "logprob": -0.1, "special": False}},
]
DETAILS = {"finish_reason": "length", "generated_tokens": 2, "seed": 7, "input_length": 6}


def sse(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def generation(details: object = DETAILS, **more: Any) -> list[bytes]:
    first = {**TOKENS[0], **more, "generated_text": None, "details": None}
    last = {**TOKENS[1], **more, "generated_text": " Un été 🧸", "details": details}
    return [sse(first), sse(last)]


def test_generate_returns_one_object(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*generation()))
    answer = api.send("/generate", {"inputs": "Hi", "stream": True})
    assert (answer.status, answer.json()) == (200, {"generated_text": " Un été 🧸"})
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.headers["x-prompt-tokens"], answer.headers["x-generated-tokens"]) == ("6", "2")


def test_the_root_returns_an_array_of_one(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*generation()))
    assert api.send("/", {"inputs": "Hi"}).json() == [{"generated_text": " Un été 🧸"}]


def test_the_root_streams_on_request(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*generation(details=None)))
    answer = api.send("/", {"inputs": "Hi", "stream": True})
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.body == b"".join(generation(details=None))


def test_details_are_those_of_the_buffered_route(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    top = [[{"id": 1, "text": "a", "logprob": -1.5, "special": False}]]
    sagemaker.replies.append(parts(*generation(top_tokens=top[0])))
    body = {"inputs": "Hi", "parameters": {"details": True, "top_n_tokens": 1}}
    assert api.send("/generate", body).json()["details"] == {
        "finish_reason": "length",
        "generated_tokens": 2,
        "seed": 7,
        "prefill": [],
        "tokens": [event["token"] for event in TOKENS],
        "top_tokens": top * 2,
    }


def test_details_have_no_top_tokens_unless_requested(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*generation()))
    details = api.send("/generate", {"inputs": "Hi", "parameters": {"details": True}}).json()["details"]
    assert list(details) == ["finish_reason", "generated_tokens", "seed", "prefill", "tokens"]


@pytest.mark.parametrize(
    ("path", "body", "sent"),
    [
        ("/generate", {}, {"do_sample": True, "return_full_text": False, "details": True}),
        ("/generate", {"parameters": {}}, {"return_full_text": False, "details": True}),
        ("/generate", {"parameters": {"return_full_text": None}}, {"return_full_text": False, "details": True}),
        ("/generate", {"parameters": {"return_full_text": True}}, {"return_full_text": True, "details": True}),
        ("/generate_stream", {}, {"do_sample": True, "return_full_text": False}),
        ("/generate_stream", {"parameters": {"seed": 1}}, {"seed": 1, "return_full_text": False}),
        ("/", {}, {"do_sample": True, "details": True}),
        ("/", {"parameters": {"seed": 1}}, {"seed": 1, "details": True}),
        ("/", {"stream": True}, {"do_sample": True}),
        ("/", {"stream": True, "parameters": {"seed": 1}}, {"seed": 1}),
    ],
)
def test_the_container_gets_the_defaults_of_the_route(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, body: dict[str, Any], sent: dict[str, Any]
) -> None:
    sagemaker.replies.append(parts(*generation()))
    api.send(path, {"inputs": "Hi", "messages": [], "prompt": "x", **body})
    expected = {"inputs": "Hi", "stream": True, "parameters": {**sent, "max_new_tokens": 1024}}
    assert sagemaker.received[0].json() == expected


def test_the_request_is_signed_for_sagemaker(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*generation()))
    api.send("/generate", {"inputs": "Hi"})
    request = sagemaker.received[0]
    assert (request.method, request.path) == ("POST", "/endpoints/llama-endpoint/invocations-response-stream")
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/sagemaker/aws4_request" in request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == "token"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("parameters", [{"best_of": 2, "do_sample": True}, {"decoder_input_details": True}])
@pytest.mark.parametrize(
    ("path", "body"), [("/generate", b'{"generated_text":"x"}'), ("/", b'[{"generated_text":"x"}]')]
)
def test_what_tgi_cannot_stream_is_invoked_without_streaming(
    api: ApiClient, sagemaker: SageMakerDouble, parameters: dict[str, Any], path: str, body: bytes
) -> None:
    sagemaker.replies.append(plain_response(b'[{"generated_text":"x"}]'))
    answer = api.send(path, {"inputs": "Hi", "parameters": parameters})
    assert (answer.status, answer.body) == (200, body)
    assert sagemaker.received[0].path == "/endpoints/llama-endpoint/invocations"
    assert sagemaker.received[0].json()["stream"] is False


@pytest.mark.parametrize(
    ("details", "prompt", "generated"),
    [
        ({"generated_tokens": 3, "best_of_sequences": [{"generated_tokens": 4}], "prefill": []}, None, 7),
        ({"generated_tokens": 3, "prefill": [{"id": 1}, {"id": 2}]}, 2, 3),
        ({"generated_tokens": "3", "best_of_sequences": [1, {}], "prefill": 7}, None, 0),
        ({"best_of_sequences": 5}, None, 0),
        ("none", None, None),
        (None, None, None),
    ],
)
def test_its_tokens_are_counted_by_details_that_the_client_need_not_want(
    api: ApiClient, sagemaker: SageMakerDouble, details: Any, prompt: int | None, generated: int | None
) -> None:
    content = json.dumps([{"generated_text": "Un été", "details": details}]).encode()
    sagemaker.replies += [plain_response(content), plain_response(content)]
    parameters = {"best_of": 2, "do_sample": True}
    assert api.send("/generate", {"inputs": "Hi", "parameters": parameters}).json() == {"generated_text": "Un été"}
    wanted = api.send("/generate", {"inputs": "Hi", "parameters": {**parameters, "details": True}})
    assert wanted.body == content[1:-1]
    assert [request.json()["parameters"]["details"] for request in sagemaker.received] == [True, True]
    counted = [(line.get("PromptTokens"), line.get("GeneratedTokens")) for line in api.log()]
    assert counted == [(prompt, generated)] * 2


def test_a_stream_has_the_same_bytes_wherever_the_slices_are_cut(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    expected = b"".join(generation())
    for size in range(1, len(expected), 7):
        sagemaker.replies.append(parts(*slices(expected, size)))
        answer = api.send("/generate_stream", {"inputs": "Hi"})
        assert (answer.status, answer.body) == (200, expected)


def test_a_buffered_response_is_the_same_wherever_the_slices_are_cut(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    events = b"".join(generation())
    for size in range(1, len(events), 7):
        sagemaker.replies.append(parts(*slices(events, size)))
        assert api.send("/generate", {"inputs": "Hi"}).json() == {"generated_text": " Un été 🧸"}


def test_each_token_is_passed_on_before_the_next_one_arrives(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    import threading

    seen = threading.Event()
    first, last = generation()
    waits = chunk(part(first)), lambda: seen.wait(5), chunk(part(last)), b"0\r\n\r\n"
    sagemaker.replies.append(Reply([HEAD, *waits]))
    body = iter(api.begin("/generate_stream", {"inputs": "Hi"}).body)
    assert next(body) == first
    seen.set()
    assert list(body) == [last]


def test_keep_alive_comments_are_passed_on(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    first, last = generation()
    sagemaker.replies += [parts(b":\n\n", first, b":\n\n", last)] * 2
    assert api.send("/generate_stream", {"inputs": "Hi"}).body == b":\n\n" + first + b":\n\n" + last
    assert api.send("/generate", {"inputs": "Hi"}).json() == {"generated_text": " Un été 🧸"}


def test_a_stream_cut_at_any_byte_ends_with_tgis_error_event(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    first, last = generation()
    raw = b"".join(chunk(part(piece)) for piece in (first, last)) + b"0\r\n\r\n"
    for cut in range(len(raw)):
        sagemaker.replies.append(Reply([HEAD, raw[:cut]], then="close"))
        answer = api.send("/generate_stream", {"inputs": "Hi"})
        if cut < len(chunk(part(first))):
            assert (answer.status, answer.json()["error_type"]) == (502, "upstream")
            continue
        assert answer.status == 200
        if cut >= len(chunk(part(first)) + chunk(part(last))):
            assert answer.body == first + last
            continue
        relayed, event = answer.body.rsplit(b"data: ", 1)
        assert relayed == first
        assert json.loads(event) == {
            "error": "The model's response broke off before its end.",
            "error_type": "upstream",
        }


def test_a_buffered_response_cut_at_any_byte_is_an_error(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    raw = b"".join(chunk(part(piece)) for piece in generation()) + b"0\r\n\r\n"
    for cut in range(0, len(raw), 3):
        sagemaker.replies.append(Reply([HEAD, raw[:cut]], then="reset" if cut % 2 else "close"))
        answer = api.send("/generate", {"inputs": "Hi"})
        assert (answer.status, answer.json()["error_type"]) == (502, "upstream")


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ([part(b'data: {"ind')], "incomplete_generation_stream"),
        ([], "incomplete_generation_stream"),
        ([exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")], "incomplete_generation"),
        ([exception("ModelStreamError", Message="m", ErrorCode="ModelInvocationTimeExceeded")], "timeout"),
        ([exception("InternalStreamFailure", Message="m")], "incomplete_generation"),
        ([part(b"data: {")[:-1] + b"?"], "incomplete_generation"),
    ],
)
def test_a_stream_that_breaks_in_the_middle_ends_with_an_error(
    api: ApiClient, sagemaker: SageMakerDouble, ending: list[bytes], kind: str
) -> None:
    first = generation()[0]
    sagemaker.replies.append(stream([part(first), *ending]))
    answer = api.send("/generate_stream", {"inputs": "Hi"})
    assert answer.status == 200
    assert answer.body.startswith(first + b'data: {"error":"')
    assert json.loads(answer.body[len(first) :].removeprefix(b"data: "))["error_type"] == kind
    assert api.log()[0]["error"] == kind


def test_tgis_error_event_is_passed_on_in_a_stream(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    event = b'data: {"error":"Model is overloaded","error_type":"overloaded"}\n\n'
    sagemaker.replies, sagemaker.repeats = [parts(event)], True
    answer = api.send("/generate_stream", {"inputs": "Hi"})
    assert (answer.status, answer.body) == (200, event)
    assert api.log()[0]["error"] == "overloaded"


@pytest.mark.parametrize(
    ("message", "kind", "status"),
    [
        ("Model is overloaded", "overloaded", 429),
        ("Input validation error: `inputs` cannot be empty", "validation", 422),
        ("Request failed during generation: CUDA out of memory", "generation", 424),
    ],
)
def test_tgis_error_event_becomes_the_status_of_a_buffered_response(
    api: ApiClient, sagemaker: SageMakerDouble, message: str, kind: str, status: int
) -> None:
    event = sse({"error": message, "error_type": kind})
    for reply in (parts(event), parts(generation()[0], event)):
        sagemaker.replies, sagemaker.repeats = [reply], True
        answer = api.send("/generate", {"inputs": "Hi"})
        assert (answer.status, answer.json()) == (status, {"error": message, "error_type": kind})
        assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_a_generation_without_an_end_has_tgis_error(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    incomplete = {"error": "Incomplete generation", "error_type": "incomplete_generation"}
    event = {"error": "Incomplete generation stream", "error_type": "incomplete_generation_stream"}
    sagemaker.replies += [parts(generation()[0]), parts(generation()[0], sse(event)), parts()]
    for _ in range(3):
        answer = api.send("/generate", {"inputs": "Hi"})
        assert (answer.status, answer.json()) == (500, incomplete)


def test_a_stream_without_any_event_is_an_error_with_its_own_status(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts())
    assert api.send("/generate_stream", {"inputs": "Hi"}).status == 500


def test_the_deadline_ends_a_stream_with_an_event_and_a_buffered_response_with_504(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    first = generation()[0]
    sagemaker.replies += [Reply([HEAD, chunk(part(first)), lambda: time.sleep(5)], then="close")] * 2
    started = time.monotonic()
    answer = api.send("/generate_stream", {"inputs": "Hi"}, seconds=1.2)
    timeout = {"error": "The model did not finish in time.", "error_type": "timeout"}
    assert time.monotonic() - started < 3
    assert answer.body.startswith(first)
    assert json.loads(answer.body[len(first) + 6 :]) == timeout
    answer = api.send("/generate", {"inputs": "Hi"}, seconds=1.2)
    assert (answer.status, answer.json(), answer.headers["x-should-retry"]) == (504, timeout, "false")


def test_a_response_that_is_not_streamed_is_read_up_to_sagemakers_limit(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    body = {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}
    largest = b'[{"generated_text":"' + b"x" * (25 * 1024 * 1024 - 23) + b'"}]'
    sagemaker.replies += [plain_response(largest), plain_response(largest + b" ")]
    assert api.send("/generate", body).body == largest[1:-1]
    answer = api.send("/generate", body)
    assert answer.status == 502
    assert answer.json() == {"error": "The model's response is too large.", "error_type": "upstream"}
    assert api.log()[1]["cause"] == "over 26214400 bytes"


def test_sagemakers_limit_of_sixty_seconds_is_explained(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    timed_out = {"OriginalStatusCode": 0, "OriginalMessage": "", "Message": "Your invocation timed out"}
    sagemaker.replies.append(error(424, "ModelError", **timed_out))
    answer = api.send("/generate", {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}})
    assert answer.status == 504
    assert (
        "60 seconds that SageMaker allows for a request that the model cannot stream (best_of > 1"
        in answer.json()["error"]
    )


def test_the_functions_deadline_is_not_called_sagemakers(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(Reply([lambda: time.sleep(5)], then="close"))
    body = {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}
    answer = api.send("/generate", body, seconds=1.2)
    assert (answer.status, answer.json()["error"]) == (504, "The model did not finish in time.")


def test_a_json_response_of_the_container_is_passed_on(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    head = HEAD.replace(b"text/event-stream", b"application/json")
    body = b'{"generated_text":"x"}'
    sagemaker.replies += [Reply([head, chunk(part(body)), b"0\r\n\r\n"])] * 2
    for path in ("/generate", "/generate_stream"):
        answer = api.send(path, {"inputs": "Hi"})
        assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "application/json", body)


def test_a_body_of_6_mib_arrives_and_one_more_byte_is_rejected(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    fixed = len(b'{"inputs":"","parameters":{"return_full_text":false,"max_new_tokens":1024},"stream":true}')
    inputs = "é" * 1_000_000 + "x" * (LLAMA.max_body_bytes - fixed - 2_000_000)
    sagemaker.replies.append(parts(*generation()))
    assert api.send("/generate_stream", {"inputs": inputs, "parameters": {}}).status == 200
    assert len(sagemaker.received[0].body) == 6291456
    assert sagemaker.received[0].json()["inputs"] == inputs
    answer = api.send("/generate_stream", {"inputs": inputs + "x", "parameters": {}})
    assert answer.status == 413
    assert answer.json()["error"] == "The request is 6291457 bytes; llama accepts at most 6291456."


def test_routes_without_a_model_require_a_single_model(api_for: Callable[..., ApiClient]) -> None:
    answer = api_for(LLAMA, FALCON).send("/generate", {"inputs": "Hi"})
    assert answer.status == 404
    assert answer.json()["error"] == (
        "This URL serves several models; put the name into the path: /models/<one of llama, falcon>/generate."
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "missing field `inputs`"),
        ({"inputs": ["a"]}, "inputs: invalid type: sequence, expected a string"),
        ({"inputs": "x", "parameters": None}, "parameters: invalid type: null, expected struct GenerateParameters"),
        ({"inputs": "x", "parameters": {"max_new_tokens": "9"}}, "max_new_tokens: invalid type: string, expected u32"),
        ({"inputs": "x", "parameters": {"max_new_tokens": -1}}, "invalid value: integer `-1`, expected u32"),
        ({"inputs": "x", "parameters": {"max_new_tokens": 2**32}}, "integer `4294967296`, expected u32"),
        ({"inputs": "x", "parameters": {"best_of": 1.5}}, "best_of: invalid type: floating point, expected usize"),
        ({"inputs": "x", "parameters": {"top_k": True}}, "parameters.top_k: invalid type: boolean, expected i32"),
        ({"inputs": "x", "parameters": {"temperature": True}}, "temperature: invalid type: boolean, expected f32"),
        ({"inputs": "x", "parameters": {"details": None}}, "details: invalid type: null, expected a boolean"),
        ({"inputs": "x", "parameters": {"stop": "\n"}}, "parameters.stop: invalid type: string, expected a sequence"),
        (
            {"inputs": "x", "parameters": {"stop": ["a", 1]}},
            "parameters.stop[1]: invalid type: integer, expected a string",
        ),
        ({"inputs": "x", "parameters": {"grammar": {"type": "json"}}}, "parameters.grammar: missing field `value`"),
        ({"inputs": "x", "parameters": {"grammar": {"type": "x", "value": 1}}}, "grammar.type: unknown variant"),
    ],
)
def test_a_wrong_type_is_named(api: ApiClient, body: dict[str, Any], problem: str) -> None:
    answer = api.send("/generate", body)
    assert answer.status == 422
    assert answer.json()["error_type"] == "validation"
    assert answer.json()["error"].startswith("Failed to deserialize the JSON body into the target type: ")
    assert problem in answer.json()["error"]


def test_all_wrong_types_are_named_and_no_value_is_quoted(api: ApiClient) -> None:
    body = {"inputs": 1, "parameters": {"seed": "canary", "stop": "canary"}, "stream": "canary"}
    text = api.send("/", body).json()["error"]
    assert all(name in text for name in ("inputs:", "stream:", "parameters.seed:", "parameters.stop:"))
    assert "canary" not in text


def test_generate_ignores_a_wrong_stream_as_tgi_does(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*generation()))
    assert api.send("/generate", {"inputs": "x", "stream": "yes"}).status == 200
