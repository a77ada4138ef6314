"""No text of a client or a model is logged, whatever member, header, path or error it is in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from front_door import app, context, delivery
from front_door.sagemaker import invocation
from front_door.sagemaker.errors import BY_CODE

from local.sagemaker_runtime.event_stream import exception, part
from tests.robustness.cases import CASES, NAMES, NON_STREAMING, STREAMED, Case, response_events
from tests.robustness.checked_client import JSON, CheckedClient, CheckedResponse
from tests.robustness.corpus import CHAT, COMPLETION, POST_PATHS, valid_body
from tests.robustness.expected_responses import DONE, error_response, healthy_response, json_response, stream_response
from tests.robustness.fake_sagemaker import Received, WireResponse
from tests.robustness.wrong_values import paths_in, with_value_at

WORD = "c4n4ry"
CANARY = f"{WORD}-été 🐤"
# The client's id of a request is logged on purpose, and documented.
LOGGED_HEADERS = ("idempotency-key", "x-request-id")
ALL = [*CASES.values(), *NON_STREAMING.values()]


def check_not_logged(response: CheckedResponse) -> None:
    """Check that the output does not have the canary, however JSON or URLs encode it."""
    written = (response.out + response.err).lower()
    assert WORD not in written
    for encoded in ("\\u00e9t\\u00e9", "été", "%c3%a9t%c3%a9", "\\ud83d\\udc24", "🐤"):
        assert encoded not in written


def leaves_in(value: Any) -> Iterator[tuple[Any, ...]]:
    """The paths of all values that are neither objects nor arrays."""
    for place in paths_in(value):
        inner = value
        for step in place:
            inner = inner[step]
        if not isinstance(inner, dict | list):
            yield place


REQUESTS = [(path, valid_body(path)) for path in POST_PATHS]
REQUESTS += [("/invocations", CHAT), ("/invocations", COMPLETION)]


@pytest.mark.parametrize(("path", "valid"), REQUESTS, ids=str)
def test_no_member_of_a_request_is_logged(client: CheckedClient, path: str, valid: dict[str, Any]) -> None:
    for stream in (False, True):
        for place in leaves_in(valid):
            for value in (CANARY, [CANARY], {CANARY: CANARY}, {"type": CANARY}):
                check_not_logged(client.send(path, {**with_value_at(valid, place, value), "stream": stream}))
        check_not_logged(client.send(path, {**valid, CANARY: CANARY, "stream": stream}))


@pytest.mark.parametrize("body", [CANARY, f'"{CANARY}"', f"[{CANARY!r}", f'{{"inputs":"{CANARY}', f'{{"{CANARY}":1}}'])
@pytest.mark.parametrize("path", POST_PATHS)
def test_no_rejected_body_is_logged(client: CheckedClient, path: str, body: str) -> None:
    check_not_logged(client.send(path, body))
    check_not_logged(client.send(path, body, headers={"Content-Type": "text/plain"}))
    check_not_logged(client.send(path, body, isBase64Encoded=True))


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Cookie", "X-Api-Key", "User-Agent", "Referer", "Origin", "Accept", "Content-Type", "Host"),
        *("X-Amzn-Trace-Id", "X-Forwarded-For", "OpenAI-Organization", "X-Stainless-OS", "Transfer-Encoding", CANARY),
    ],
)
def test_no_header_is_logged(client: CheckedClient, name: str) -> None:
    assert name.lower() not in LOGGED_HEADERS
    for path in POST_PATHS:
        headers = {**JSON, name: CANARY}
        check_not_logged(client.send(path, valid_body(path), headers=headers))
        check_not_logged(
            client.send(path, valid_body(path), multiValueHeaders={name: [CANARY] * 2 for name in headers})
        )


@pytest.mark.parametrize("segment", [CANARY, quote(CANARY), quote(CANARY, safe="é")])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT", CANARY])
def test_no_path_and_no_query_is_logged(client: CheckedClient, segment: str, method: str) -> None:
    for path in ("/{}", "/v1/{}", "/v1/models/{}", "/models/{}/generate", "/models/{}/info", "/models/llama/{}"):
        body = None if method == "GET" else valid_body("/generate")
        query = {"queryStringParameters": {CANARY: segment}, "pathParameters": {"proxy": segment}}
        check_not_logged(client.send(path.format(segment), body, httpMethod=method, resource="/{proxy+}", **query))
        routed = {"resource": path.replace("{}", "{model}"), "pathParameters": {"model": segment}}
        check_not_logged(client.send(path.format(segment), body, httpMethod=method, **routed))


def test_no_secret_of_the_request_context_is_logged(client: CheckedClient) -> None:
    identity = {"apiKeyId": "key-id", "apiKey": CANARY, "userAgent": CANARY, "sourceIp": CANARY, "user": CANARY}
    context = {"requestId": "gateway-id", "identity": identity, "path": CANARY, "domainName": CANARY}
    context["authorizer"] = {"principalId": "p", "integrationLatency": 1, "usageIdentifierKey": CANARY, "email": CANARY}
    for path in POST_PATHS:
        check_not_logged(client.send(path, valid_body(path), requestContext=context, stageVariables={"x": CANARY}))


@pytest.mark.parametrize("case", ALL, ids=[*CASES, *NON_STREAMING])
def test_no_member_of_a_response_is_logged(client: CheckedClient, case: Case) -> None:
    if case in NON_STREAMING.values():
        bodies: list[Any] = [[{"generated_text": CANARY}], [{"generated_text": "x", "details": CANARY}], CANARY]
        for body in bodies:
            _respond_with(client, json_response(json.dumps(body).encode()))
            check_not_logged(case.send(client))
        return
    events = [each if each == DONE else json.loads(each[6:]) for each in response_events(client, case)]
    for at, event in enumerate(events):
        for place in leaves_in(event) if event != DONE else ():
            for value in (CANARY, [CANARY], {CANARY: CANARY}):
                changed = [*events[:at], with_value_at(event, place, value), *events[at + 1 :]]
                _respond_with(client, stream_response([each if each == DONE else _sse(each) for each in changed]))
                check_not_logged(case.send(client))


@pytest.mark.parametrize("case", ALL, ids=[*CASES, *NON_STREAMING])
def test_no_text_of_an_error_is_logged(client: CheckedClient, case: Case) -> None:
    for status, code in [(400, code) for code in BY_CODE] + [(424, "ModelError"), (400, "ValidationError"), (500, "")]:
        errors: list[dict[str, Any]] = [
            {"Message": CANARY, "message": CANARY, CANARY: CANARY},
            {"OriginalStatusCode": 422, "OriginalMessage": CANARY, "LogStreamArn": CANARY},
            {"OriginalStatusCode": CANARY, "OriginalMessage": {CANARY: CANARY}},
            *({"OriginalStatusCode": 424, "OriginalMessage": json.dumps(body)} for body in _container_errors()),
        ]
        for members in errors:
            _respond_with(client, error_response(status, code, **members))
            check_not_logged(case.send(client))
    for response in (
        error_response(400, CANARY),
        error_response(400, "", __type=CANARY),
        _with_code(CANARY),
        _page(502),
    ):
        _respond_with(client, response)
        check_not_logged(case.send(client))


def _with_code(code: str) -> bytes:
    return json_response(json.dumps({"code": code, "message": code}).encode(), 400)


def _container_errors() -> list[dict[str, Any]]:
    return [
        {"error": CANARY, "error_type": "validation"},
        {"error": CANARY, "error_type": CANARY},
        {"error": {"message": CANARY, "type": CANARY, "code": CANARY, "param": CANARY}},
        {"error": [CANARY], "detail": CANARY},
    ]


DEFECTS = {
    "while routing": (app, "match"),
    "while encoding the request": (context, "compact"),
    "while reading the response": (invocation.ModelStream, "__iter__"),
    "while passing on events": (delivery, "_render"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_an_internal_error_is_logged_with_its_place_but_not_its_message(
    client: CheckedClient, monkeypatch: pytest.MonkeyPatch, defect: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError(CANARY)

    cases = CASES if defect != "while passing on events" else STREAMED
    for case in cases.values():
        monkeypatch.setattr(*DEFECTS[defect], fails)
        response = client.send(
            case.path, {**case.body, CANARY: CANARY} if case.path == "/" else case.body, has_defect=True
        )
        monkeypatch.undo()
        check_not_logged(response)
        assert response.line["cause"] == "KeyError"
        assert response.line["traceback"]
        assert WORD not in response.body.decode()


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_a_broken_stream_is_logged(client: CheckedClient, name: str) -> None:
    case = CASES[name]
    events = response_events(client, case)
    endings = [
        exception("ModelStreamError", Message=CANARY, ErrorCode=CANARY),
        exception("InternalStreamFailure", Message=CANARY),
        exception(CANARY, Message=CANARY),
        part(f"data: {CANARY}".encode()),
        part(f"data: {CANARY}\n\n".encode()),
        part(f": {CANARY}\n\n".encode()),
        *(part(_sse(body)) for body in _container_errors()),
    ]
    for at in range(len(events)):
        for ending in endings:
            data = b"".join(map(part, events[:at])) + ending
            head = stream_response([]).removesuffix(b"0\r\n\r\n")
            _respond_with(client, head + b"%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n")
            check_not_logged(case.send(client))


def _sse(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _page(status: int) -> bytes:
    return json_response(f"<html>{CANARY}</html>".encode(), status, f"Server: {WORD}\r\n")


def _respond_with(client: CheckedClient, data: bytes) -> None:
    def respond(request: Received) -> WireResponse:
        return healthy_response(request) if request.path == "/" else WireResponse(data)

    client.sagemaker.respond = respond


def test_a_logged_canary_is_found(client: CheckedClient) -> None:
    for text in (CANARY, json.dumps(CANARY), quote(CANARY)):
        response = client.send("/v1/models", httpMethod="GET")
        response.out += text
        with pytest.raises(AssertionError):
            check_not_logged(response)
