"""One log line per request: what it was, and how it went."""

import json
import time
from typing import Any

import pytest

from tests.lambda_.conftest import ApiClient
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
    stream,
)

TEXT = "Un été"
HI = {"messages": [{"role": "user", "content": TEXT, "name": TEXT}], "user": TEXT, "stop": [TEXT]}
GENERATE = {"inputs": TEXT, "parameters": {"stop": [TEXT]}}


def generation(text: str = TEXT) -> bytes:
    details = {"finish_reason": "length", "generated_tokens": 1, "seed": None, "input_length": 6}
    token = {"id": 1, "text": text, "logprob": -1, "special": False}
    return f"data: {json.dumps({'index': 1, 'token': token, 'generated_text': text, 'details': details})}\n\n".encode()


def chat(text: str = TEXT) -> list[bytes]:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
    chunks = [{"choices": [choice], "usage": None}, {"choices": [], "usage": usage}]
    return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]


@pytest.fixture(autouse=True)
def _name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONT_DOOR", "Stack/FrontDoor")


def test_a_request_is_one_log_line(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(generation()))
    api.send("/generate", GENERATE, headers={"Content-Type": "application/json", "X-Request-Id": "client-id"})
    (line,) = api.log()
    times = {name: line.pop(name) for name in ("TimeToFirstToken", "UpstreamTime", "Duration")}
    assert 0 < times["UpstreamTime"] <= times["Duration"] < 5000
    assert 0 < times["TimeToFirstToken"] <= times["Duration"]
    assert line.pop("request_bytes") > 0
    assert line.pop("_aws")
    assert line == {
        "level": "INFO",
        "request_id": "gateway-id",
        "lambda_request_id": "lambda-id",
        "client_request_id": "client-id",
        "consumer": "key-id",
        "route": "POST /generate",
        "FrontDoor": "Stack/FrontDoor",
        "Model": "llama",
        "endpoint": "llama-endpoint",
        "status": 200,
        "Requests": 1,
        "ClientErrors": 0,
        "ServerErrors": 0,
        "Retries": 0,
        "PromptTokens": 6,
        "GeneratedTokens": 1,
        "finish_reason": "length",
    }


def test_a_streams_log_line_is_written_at_its_end(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*chat()))
    body = iter(api.begin("/v1/chat/completions", {**HI, "stream": True}).body)
    next(body)
    assert api.log() == []
    list(body)
    (line,) = api.log()
    assert (line["streamed"], line["status"], line["PromptTokens"], line["GeneratedTokens"]) == (True, 200, 9, 1)
    assert line["TimeToFirstToken"] <= line["Duration"]


def test_a_stream_that_is_not_read_to_its_end_has_a_log_line_too(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(generation(), generation()))
    body: Any = iter(api.begin("/generate_stream", GENERATE).body)
    next(body)
    body.close()
    assert len(api.log()) == 1


def test_every_response_has_the_request_id_of_the_log(api: ApiClient) -> None:
    assert api.send("/nope", {}).headers["x-request-id"] == "gateway-id"
    assert api.send("/v1/models", requestContext=None).headers["x-request-id"] == "lambda-id"
    assert [line["request_id"] for line in api.log()] == ["gateway-id", "lambda-id"]


def metrics(line: dict[str, Any]) -> dict[str, Any]:
    """What CloudWatch extracts from a line: dimensions and units, checked against the format's rules."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "TgiEndpoint/FrontDoor"
    assert all(isinstance(line[name], str) for names in directive["Dimensions"] for name in names)
    assert all(isinstance(line[metric["Name"]], int | float) for metric in directive["Metrics"])
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    return {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} | {"by": directive["Dimensions"]}


def test_a_log_line_carries_its_metrics(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    pause = [lambda: time.sleep(0.02)]
    first, *rest = (chunk(part(event)) for event in [generation("a").replace(b'"index": 1', b'"index": 2')] * 2)
    sagemaker.replies.append(Reply([HEAD, first, *pause, *rest, b"0\r\n\r\n"]))
    api.send("/generate_stream", GENERATE)
    (line,) = api.log()
    assert metrics(line) == {
        "Requests": "Count",
        "ClientErrors": "Count",
        "ServerErrors": "Count",
        "Retries": "Count",
        "PromptTokens": "Count",
        "GeneratedTokens": "Count",
        "TimeToFirstToken": "Milliseconds",
        "TokensPerSecond": "Count/Second",
        "UpstreamTime": "Milliseconds",
        "Duration": "Milliseconds",
        "by": [["FrontDoor"], ["FrontDoor", "Model"]],
    }
    assert 0 < line["TokensPerSecond"] <= 60


@pytest.mark.parametrize(
    ("reply", "errors"), [(error(429, "ThrottlingException"), (1, 0)), (error(500, "InternalFailure"), (0, 1))]
)
@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_client_and_server_errors_are_counted_separately(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, reply: Reply, errors: tuple[int, int]
) -> None:
    sagemaker.replies, sagemaker.repeats = [reply], True
    api.send(path, GENERATE)
    (line,) = api.log()
    metrics(line)
    assert (line["ClientErrors"], line["ServerErrors"]) == errors
    assert line["Retries"] == (2 if errors == (1, 0) else 0)


def test_an_error_in_a_stream_that_has_begun_is_counted_too(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    begun = generation().replace(b'"generated_text": "', b'"result": "')
    sagemaker.replies.append(stream([part(begun), exception("ModelStreamError", ErrorCode="x")]))
    assert api.send("/generate_stream", GENERATE).status == 200
    (line,) = api.log()
    assert (line["status"], line["error_status"], line["ServerErrors"]) == (200, 500, 1)


def test_a_request_without_a_model_has_the_front_doors_dimension_only(api: ApiClient) -> None:
    api.send("/nope")
    (line,) = api.log()
    assert metrics(line)["by"] == [["FrontDoor"]]


@pytest.mark.parametrize(
    ("context", "consumer"),
    [
        ({"identity": {"apiKeyId": "key-id", "userArn": "arn:x"}}, "key-id"),
        ({"authorizer": {"principalId": "team-a"}, "identity": {"userArn": "arn:x"}}, "team-a"),
        ({"authorizer": {"claims": {"sub": "somebody"}}}, "somebody"),
        ({"identity": {"userArn": "arn:aws:iam::1:role/app", "apiKeyId": None}}, "arn:aws:iam::1:role/app"),
        ({}, None),
    ],
)
def test_the_consumer_is_the_caller_that_the_gateway_authenticated(
    api: ApiClient, context: dict[str, Any], consumer: str | None
) -> None:
    api.send("/v1/models", requestContext=context)
    assert api.log()[0].get("consumer") == consumer


@pytest.mark.parametrize(
    ("headers", "result"),
    [
        ({"Idempotency-Key": "k-1", "X-Request-Id": "r-1"}, "k-1"),
        ({"x-request-id": "r-1"}, "r-1"),
        ({"X-Request-Id": "r\r\nX-Evil: 1 é\x00"}, "rX-Evil:1"),
        ({"X-Request-Id": "x" * 200}, "x" * 64),
        ({"X-Request-Id": " é "}, None),
        ({}, None),
    ],
)
def test_the_clients_request_id_reaches_the_log_and_sagemaker(
    api: ApiClient, sagemaker: SageMakerDouble, headers: dict[str, str], result: str | None
) -> None:
    sagemaker.replies += [parts(generation()), plain_response(b'[{"generated_text":"x"}]')]
    for parameters in ({}, {"best_of": 2}):
        body = {"inputs": "x", "parameters": parameters}
        assert api.send("/generate", body, headers={"Content-Type": "application/json", **headers}).status == 200
        assert sagemaker.received[-1].headers.get("x-amzn-sagemaker-inference-id") == result
        assert api.log()[0].get("client_request_id") == result


def answered_by(variant: str, reply: Reply) -> Reply:
    """The same answer with the header that names the variant."""
    head, *rest = reply.pieces
    assert isinstance(head, bytes)
    named = head.replace(b"\r\n\r\n", f"\r\nx-Amzn-Invoked-Production-Variant: {variant}\r\n\r\n".encode(), 1)
    return Reply([named, *rest], reply.then)


@pytest.mark.parametrize(("path", "body"), [("/generate", GENERATE), ("/generate_stream", GENERATE)])
def test_the_line_names_the_variant_that_answered_and_the_client_does_not_see_it(
    api: ApiClient, sagemaker: SageMakerDouble, path: str, body: dict[str, Any]
) -> None:
    sagemaker.replies.append(answered_by("blue", parts(generation())))
    answer = api.send(path, body)
    (line,) = api.log()
    assert line["variant"] == "blue"
    assert not [name for name, value in answer.headers.items() if "variant" in name.lower() or "blue" in value]


def test_a_request_that_cannot_be_streamed_names_its_variant_too(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(answered_by("blue", plain_response(b'[{"generated_text":"x"}]')))
    api.send("/generate", {"inputs": "x", "parameters": {"best_of": 2}})
    (line,) = api.log()
    assert line["variant"] == "blue"


def test_a_stream_that_breaks_names_the_variant_that_broke_it(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    failed = b'data: {"error":"Request failed","error_type":"generation"}\n\n'
    sagemaker.replies.append(answered_by("blue", parts(failed)))
    api.send("/generate_stream", GENERATE)
    (line,) = api.log()
    assert (line["variant"], line["error_status"]) == ("blue", 424)


def test_of_several_attempts_the_variant_of_the_last_one_counts(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    overloaded = b'data: {"error":"Model is overloaded","error_type":"overloaded"}\n\n'
    sagemaker.replies += [answered_by("blue", parts(overloaded)), answered_by("green", parts(generation()))]
    api.send("/generate", GENERATE)
    (line,) = api.log()
    assert (line["variant"], line["Retries"]) == ("green", 1)


def test_several_choices_name_all_variants_that_answered(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [answered_by(name, parts(*chat())) for name in ("green", "blue", "green")]
    api.send("/v1/chat/completions", {**HI, "n": 3})
    (line,) = api.log()
    assert line["variant"] == "blue,green"


def test_an_error_without_the_header_names_no_variant(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(error(424, "ModelError", OriginalStatusCode=500, OriginalMessage="CUDA error"))
    api.send("/generate", GENERATE)
    (line,) = api.log()
    assert "variant" not in line


def test_a_name_that_no_variant_can_have_is_cut(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(answered_by("b" * 1000, parts(generation())))
    api.send("/generate", GENERATE)
    (line,) = api.log()
    assert line["variant"] == "b" * 63
