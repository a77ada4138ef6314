"""Every error of SageMaker and of the container, at every point of a response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_door.engines.tgi.errors import KIND_BY_MESSAGE
from front_door.errors import KINDS
from front_door.sagemaker.errors import BY_CODE
from front_door.sagemaker.retry import MAX_ATTEMPTS

from local.sagemaker_runtime.event_stream import event, exception, part
from tests.robustness.cases import (
    CASES,
    NON_STREAMING,
    FaultOnce,
    check_complete_or_error,
    check_fault_and_recovery,
    expected_response,
    response_bytes,
    response_events,
)
from tests.robustness.checked_client import CheckedClient
from tests.robustness.expected_responses import DONE, HEAD, TOKENS, chunk, error_response, sse, stream_response
from tests.robustness.fake_sagemaker import WireResponse

ALL = [*CASES.values(), *NON_STREAMING.values()]
CODES = {
    **{code: {"Message": "m"} for code in BY_CODE},
    "ModelStreamError": {"Message": "m", "ErrorCode": "StreamBroken"},
    "ModelError": {"Message": "m", "OriginalStatusCode": "424", "OriginalMessage": "{}"},
    "ValidationError": {"Message": "m"},
    "ValidationException": {"Message": "no capacity"},
    "SomethingNew": {},
    "": {},
}
RETRIED = ("Throttl", "TooManyRequests", "RequestLimit", "ModelNotReady")


def framed(frames: list[bytes]) -> bytes:
    return HEAD + b"".join(map(chunk, frames)) + b"0\r\n\r\n"


@pytest.mark.parametrize("code", CODES)
def test_an_exception_between_any_two_events(client: CheckedClient, code: str) -> None:
    broken = exception(code, **CODES[code])
    for case in CASES.values():
        frames = [part(each) for each in response_events(client, case)]
        for at in range(len(frames) + 1):
            count = check_fault_and_recovery(client, case, framed([*frames[:at], broken, *frames[at:]]), "keep")
            if at == 0 and code.startswith(RETRIED):
                assert count == (len(TOKENS) if case.is_streamed else -1), "the request was not retried"
            elif case.is_streamed:
                assert max(count, 0) == min(at, len(TOKENS))


@pytest.mark.parametrize("code", ["ThrottlingException", "ModelNotReadyException"])
@pytest.mark.parametrize("comment", [b":\n\n", b": ping\n\n", b"\n\n", b":\r\n\r\n"])
def test_a_response_that_has_begun_is_not_retried(client: CheckedClient, code: str, comment: bytes) -> None:
    """Even if the first token is preceded by a keep-alive."""
    for case in CASES.values():
        frames = [part(comment + each) for each in response_events(client, case)]
        for at in range(1, len(frames)):
            client.sagemaker.received.clear()
            client.sagemaker.respond = FaultOnce(WireResponse(framed([*frames[:at], exception(code)])))
            check_complete_or_error(client, case, case.send(client))
            assert len(client.sagemaker.received) == 1, "the request was retried after its response had begun"


@pytest.mark.parametrize("code", CODES)
def test_a_persistent_error_is_passed_on_after_the_last_attempt(client: CheckedClient, code: str) -> None:
    for case in CASES.values():
        expected_response(client, case)  # asks for it, unless an earlier test of this process has
        wire = WireResponse(framed([exception(code, **CODES[code])]))
        client.sagemaker.received.clear()
        client.sagemaker.respond = lambda _request, wire=wire: wire
        assert check_complete_or_error(client, case, case.send(client)) == -1
        assert len(client.sagemaker.received) == (MAX_ATTEMPTS if code.startswith(RETRIED) else 1)


def test_an_event_of_unknown_type_is_ignored(client: CheckedClient) -> None:
    unknown = [event("SomethingNew", b"{}"), event("initial-response", b"{}"), event("", b"data: {}\n\n")]
    for case in CASES.values():
        frames = [part(each) for each in response_events(client, case)]
        for at in range(len(frames) + 1):
            data = framed([*frames[:at], *unknown, *frames[at:]])
            assert check_fault_and_recovery(client, case, data, "keep") == (len(TOKENS) if case.is_streamed else -1)


@pytest.mark.parametrize("status", [*range(201, 300, 7), *range(300, 600), 600, 999])
def test_every_status_other_than_200_is_an_error(client: CheckedClient, status: int) -> None:
    for case in (CASES["generate"], CASES["chat, streamed"], NON_STREAMING["best of two"]):
        client.sagemaker.respond = lambda _request: WireResponse(error_response(status, "", Message="m"))
        response = case.send(client)
        assert check_complete_or_error(client, case, response) == -1
        assert response.status in {403: (502,), 413: (413,), 429: (429,), 503: (503,)}.get(status, (502,))


ORIGINAL_STATUSES = [*range(390, 610), 0, -1, 10**30, None, "424", 424.0, True, [], {}]
ORIGINAL_MESSAGES: list[Any] = [
    *(None, "", "plain", 7, [], {}, "[" * 5000, "[" * 200_000, "\ud800", "{}", "[]", "null", '{"error":', "\0\r\n"),
    *('{"error":null}', '{"error":7}', '{"error":[]}', '{"error":{}}', '{"error":{"message":null}}'),
    *('{"error":"x","error_type":null}', '{"error":"x","error_type":"internal"}', '{"error":"\\ud800"}'),
    *(
        '{"error":{"message":"x"},"error_type":{}}',
        '{"error":{"message":"x","http_status_code":422}}',
        '{"error":"' + "x" * 2**20 + '"}',
        '{"error":NaN}',
    ),
    *('{"error":"x","error_type":"overloaded","more":1e999}', '{"detail":[{"loc":["body"],"msg":"x"}]}'),
]


@pytest.mark.parametrize("message", ORIGINAL_MESSAGES, ids=[str(at) for at in range(len(ORIGINAL_MESSAGES))])
def test_any_error_message_of_the_container(client: CheckedClient, message: Any) -> None:
    for case in (CASES["generate"], CASES["chat, streamed"], CASES["completions"], NON_STREAMING["best of two"]):
        for status in (400, 422, 424, 500, 0):
            rejection = error_response(
                424, "ModelError", Message="m", OriginalStatusCode=status, OriginalMessage=message
            )
            client.sagemaker.respond = lambda _request, rejection=rejection: WireResponse(rejection)
            assert check_complete_or_error(client, case, case.send(client)) == -1


@pytest.mark.parametrize("status", ORIGINAL_STATUSES, ids=str)
def test_any_error_status_of_the_container(client: CheckedClient, status: Any) -> None:
    for case in (CASES["generate"], CASES["chat"], NON_STREAMING["best of two"]):
        own = '{"error":"x","error_type":"y"}'
        rejection = error_response(424, "ModelError", OriginalStatusCode=status, OriginalMessage=own)
        client.sagemaker.respond = lambda _request, rejection=rejection: WireResponse(rejection)
        response = case.send(client)
        assert check_complete_or_error(client, case, response) == -1
        if type(status) is int and 400 <= status <= 599:
            assert response.status == (400 if status == 422 and response.protocol == "openai" else status)
        else:
            assert response.status in (502, 504)


IN_BAND_ERRORS = {
    **{f"type {kind}": {"error": "m", "error_type": kind} for kind in [*KINDS, "new", None, 7]},
    **{f"message {message}": {"error": {"message": message, "http_status_code": 422}} for message in KIND_BY_MESSAGE},
    "without a message": {"error": {}},
    "null": {"error": None},
    "a number": {"error": 7, "error_type": {}},
    "a list": {"error": []},
    "a lone surrogate": {"error": "\ud800", "error_type": "generation"},
}


@pytest.mark.parametrize("name", IN_BAND_ERRORS)
def test_an_in_band_error_of_the_container_is_the_last_event(client: CheckedClient, name: str) -> None:
    is_utf8 = name != "a lone surrogate"
    for case in CASES.values():
        if case.is_streamed and not case.path.startswith("/v1/") and not is_utf8:
            continue  # passed on unchanged, so the response is not valid UTF-8
        events = response_events(client, case)
        for at in range(len(events)):
            ending = [b"data: " + json.dumps(IN_BAND_ERRORS[name]).encode() + b"\n\n"]
            ending += [DONE] if case.path.startswith("/v1/") else []
            for then in ("keep", "close"):
                data = stream_response([*events[:at], *ending])
                data = data if then == "keep" else data.removesuffix(b"0\r\n\r\n")
                client.sagemaker.respond = FaultOnce(WireResponse(data, then))
                response = case.send(client)
                tokens = check_complete_or_error(client, case, response, passed_on=IN_BAND_ERRORS[name])
                if at and case.is_streamed:
                    assert tokens == min(at, len(TOKENS))
                    assert response.line["cause"] == "in-band" or not is_utf8


@pytest.mark.parametrize(
    "data",
    [b"data: x\n\n", b"data: 7\n\n", b"data: " + b"[" * 200_000 + b"\n\n", sse([]), b'data: {"a":NaN}\n\n'],
    ids=["word", "number", "deeply nested", "array", "NaN"],
)
def test_an_event_that_is_not_an_object_is_an_error(client: CheckedClient, data: bytes) -> None:
    """Of the events of TGI's streaming routes only the beginning is looked at."""
    for case in CASES.values():
        if case.path.startswith("/v1/") or not case.is_streamed or b"NaN" not in data:
            for at in range(3):
                events = response_events(client, case)
                client.sagemaker.respond = FaultOnce(WireResponse(stream_response([*events[:at], data, *events[at:]])))
                response = case.send(client)
                check_complete_or_error(client, case, response)
                assert response.line["error"] == "upstream"


def test_an_empty_response_is_an_error(client: CheckedClient) -> None:
    for case in CASES.values():
        for frames in ([], [part(b"")], [part(b""), part(b"")], [part(b":\n\n")], [part(b"\n\n")]):
            client.sagemaker.respond = FaultOnce(WireResponse(framed(frames)))
            response = case.send(client)
            check_complete_or_error(client, case, response)
            assert response.line["error"].startswith("incomplete_generation")


def test_events_are_framed_as_in_the_healthy_response(client: CheckedClient) -> None:
    for case in CASES.values():
        assert framed([part(each) for each in response_events(client, case)]) == response_bytes(client, case)
