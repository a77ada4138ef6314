"""No text of a client or of a model gets into the log, whatever member, header, path or error it stands in."""

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
from tests.robustness.cases import CASES, WHOLE, Case, response_events
from tests.robustness.checked_client import JSON, CheckedClient, CheckedResponse
from tests.robustness.corpus import CHAT, COMPLETION, POST_PATHS, valid_body
from tests.robustness.expected_responses import DONE, error, healthy_response, plain_response, stream_response
from tests.robustness.fake_sagemaker import Received, WireResponse
from tests.robustness.wrong_values import paths_in, with_value_at

WORD = "c4n4ry"
CANARY = f"{WORD}-été 🐤"
# What a client may call its request, and then finds in the log, is said to be there.
TOLD_HEADERS = ("idempotency-key", "x-request-id")
ALL = [*CASES.values(), *WHOLE.values()]


def silent(response: CheckedResponse) -> None:
    """What was written does not have the canary, in whatever spelling of JSON or of a URL."""
    written = (response.out + response.err).lower()
    assert WORD not in written
    for spelled in ("\\u00e9t\\u00e9", "été", "%c3%a9t%c3%a9", "\\ud83d\\udc24", "🐤"):
        assert spelled not in written


def texts(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where a text, or the name of a member, could be another."""
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
        for place in texts(valid):
            for told in (CANARY, [CANARY], {CANARY: CANARY}, {"type": CANARY}):
                silent(client.ask(path, {**with_value_at(valid, place, told), "stream": stream}))
        silent(client.ask(path, {**valid, CANARY: CANARY, "stream": stream}))


@pytest.mark.parametrize("body", [CANARY, f'"{CANARY}"', f"[{CANARY!r}", f'{{"inputs":"{CANARY}', f'{{"{CANARY}":1}}'])
@pytest.mark.parametrize("path", POST_PATHS)
def test_no_body_that_is_refused_is_logged(client: CheckedClient, path: str, body: str) -> None:
    silent(client.ask(path, body))
    silent(client.ask(path, body, headers={"Content-Type": "text/plain"}))
    silent(client.ask(path, body, isBase64Encoded=True))


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Cookie", "X-Api-Key", "User-Agent", "Referer", "Origin", "Accept", "Content-Type", "Host"),
        *("X-Amzn-Trace-Id", "X-Forwarded-For", "OpenAI-Organization", "X-Stainless-OS", "Transfer-Encoding", CANARY),
    ],
)
def test_no_header_is_logged(client: CheckedClient, name: str) -> None:
    assert name.lower() not in TOLD_HEADERS
    for path in POST_PATHS:
        headers = {**JSON, name: CANARY}
        silent(client.ask(path, valid_body(path), headers=headers))
        silent(client.ask(path, valid_body(path), multiValueHeaders={name: [CANARY] * 2 for name in headers}))


@pytest.mark.parametrize("spelled", [CANARY, quote(CANARY), quote(CANARY, safe="é")])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT", CANARY])
def test_no_path_and_no_query_is_logged(client: CheckedClient, spelled: str, method: str) -> None:
    for path in ("/{}", "/v1/{}", "/v1/models/{}", "/models/{}/generate", "/models/{}/info", "/models/llama/{}"):
        body = None if method == "GET" else valid_body("/generate")
        query = {"queryStringParameters": {CANARY: spelled}, "pathParameters": {"proxy": spelled}}
        silent(client.ask(path.format(spelled), body, httpMethod=method, resource="/{proxy+}", **query))
        told = {"resource": path.replace("{}", "{model}"), "pathParameters": {"model": spelled}}
        silent(client.ask(path.format(spelled), body, httpMethod=method, **told))


def test_no_secret_of_the_gateways_context_is_logged(client: CheckedClient) -> None:
    identity = {"apiKeyId": "key-id", "apiKey": CANARY, "userAgent": CANARY, "sourceIp": CANARY, "user": CANARY}
    told = {"requestId": "gateway-id", "identity": identity, "path": CANARY, "domainName": CANARY}
    told["authorizer"] = {"principalId": "p", "integrationLatency": 1, "usageIdentifierKey": CANARY, "email": CANARY}
    for path in POST_PATHS:
        silent(client.ask(path, valid_body(path), requestContext=told, stageVariables={"x": CANARY}))


@pytest.mark.parametrize("case", ALL, ids=[*CASES, *WHOLE])
def test_no_member_of_an_answer_is_logged(client: CheckedClient, case: Case) -> None:
    if case in WHOLE.values():
        answers: list[Any] = [[{"generated_text": CANARY}], [{"generated_text": "x", "details": CANARY}], CANARY]
        for told in answers:
            _answers(client, plain_response(json.dumps(told).encode()))
            silent(case.ask(client))
        return
    events = [each if each == DONE else json.loads(each[6:]) for each in response_events(client, case)]
    for at, event in enumerate(events):
        for place in texts(event) if event != DONE else ():
            for told in (CANARY, [CANARY], {CANARY: CANARY}):
                changed = [*events[:at], with_value_at(event, place, told), *events[at + 1 :]]
                _answers(client, stream_response([each if each == DONE else _sse(each) for each in changed]))
                silent(case.ask(client))


@pytest.mark.parametrize("case", ALL, ids=[*CASES, *WHOLE])
def test_no_words_of_an_error_are_logged(client: CheckedClient, case: Case) -> None:
    for status, code in [(400, code) for code in BY_CODE] + [(424, "ModelError"), (400, "ValidationError"), (500, "")]:
        told: list[dict[str, Any]] = [
            {"Message": CANARY, "message": CANARY, CANARY: CANARY},
            {"OriginalStatusCode": 422, "OriginalMessage": CANARY, "LogStreamArn": CANARY},
            {"OriginalStatusCode": CANARY, "OriginalMessage": {CANARY: CANARY}},
            *({"OriginalStatusCode": 424, "OriginalMessage": json.dumps(words)} for words in _container_errors()),
        ]
        for members in told:
            _answers(client, error(status, code, **members))
            silent(case.ask(client))
    for refused in (error(400, CANARY), error(400, "", __type=CANARY), _with_code(CANARY), _page(502)):
        _answers(client, refused)
        silent(case.ask(client))


def _with_code(code: str) -> bytes:
    return plain_response(json.dumps({"code": code, "message": code}).encode(), 400)


def _container_errors() -> list[dict[str, Any]]:
    return [
        {"error": CANARY, "error_type": "validation"},
        {"error": CANARY, "error_type": CANARY},
        {"error": {"message": CANARY, "type": CANARY, "code": CANARY, "param": CANARY}},
        {"error": [CANARY], "detail": CANARY},
    ]


DEFECTS = {
    "before anything": (app, "match"),
    "while it asks": (context, "compact"),
    "while it reads": (invocation.ModelStream, "__iter__"),
    "while it passes on": (delivery, "_render"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_of_ours_tells_its_place_and_not_its_words(
    client: CheckedClient, monkeypatch: pytest.MonkeyPatch, defect: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError(CANARY)

    cases = CASES.values() if defect != "while it passes on" else [case for case in CASES.values() if case.is_streamed]
    for case in cases:
        monkeypatch.setattr(*DEFECTS[defect], fails)
        response = client.ask(
            case.path, {**case.body, CANARY: CANARY} if case.path == "/" else case.body, has_defect=True
        )
        monkeypatch.undo()
        silent(response)
        assert response.line["cause"] == "KeyError"
        assert response.line["traceback"]
        assert WORD not in response.body.decode()


@pytest.mark.parametrize("name", CASES)
def test_no_words_of_a_broken_stream_are_logged(client: CheckedClient, name: str) -> None:
    case = CASES[name]
    events = response_events(client, case)
    endings = [
        exception("ModelStreamError", Message=CANARY, ErrorCode=CANARY),
        exception("InternalStreamFailure", Message=CANARY),
        exception(CANARY, Message=CANARY),
        part(f"data: {CANARY}".encode()),
        part(f"data: {CANARY}\n\n".encode()),
        part(f": {CANARY}\n\n".encode()),
        *(part(_sse(words)) for words in _container_errors()),
    ]
    for at in range(len(events)):
        for ending in endings:
            data = b"".join(map(part, events[:at])) + ending
            head = stream_response([]).removesuffix(b"0\r\n\r\n")
            _answers(client, head + b"%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n")
            silent(case.ask(client))


def _sse(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _page(status: int) -> bytes:
    return plain_response(f"<html>{CANARY}</html>".encode(), status, f"Server: {WORD}\r\n")


def _answers(client: CheckedClient, data: bytes) -> None:
    def answers(request: Received) -> WireResponse:
        return healthy_response(request) if request.path == "/" else WireResponse(data)

    client.sagemaker.answers = answers


def test_the_canary_is_found_where_it_is(client: CheckedClient) -> None:
    for told in (CANARY, json.dumps(CANARY), quote(CANARY)):
        response = client.ask("/v1/models", httpMethod="GET")
        response.out += told
        with pytest.raises(AssertionError):
            silent(response)
