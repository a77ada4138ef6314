"""SageMaker and the container say that something is wrong, in every word that they have and at every moment."""

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
    WHOLE,
    FaultOnce,
    check_complete_or_error,
    check_fault_and_recovery,
    response_bytes,
    response_events,
)
from tests.robustness.checked_client import CheckedClient
from tests.robustness.expected_responses import DONE, HEAD, TOKENS, chunk, error, sse, stream_response
from tests.robustness.fake_sagemaker import WireResponse

ALL = [*CASES.values(), *WHOLE.values()]
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
def test_an_exception_may_come_between_any_two_events(client: CheckedClient, code: str) -> None:
    broken = exception(code, **CODES[code])
    for case in CASES.values():
        frames = [part(each) for each in response_events(client, case)]
        for at in range(len(frames) + 1):
            told = check_fault_and_recovery(client, case, framed([*frames[:at], broken, *frames[at:]]), "keep")
            if at == 0 and code.startswith(RETRIED):
                assert told == (len(TOKENS) if case.is_streamed else -1), "it was not sent again"
            elif case.is_streamed:
                assert max(told, 0) == min(at, len(TOKENS))


@pytest.mark.parametrize("code", ["ThrottlingException", "ModelNotReadyException"])
@pytest.mark.parametrize("comment", [b":\n\n", b": ping\n\n", b"\n\n", b":\r\n\r\n"])
def test_what_has_begun_is_never_begun_again(client: CheckedClient, code: str, comment: bytes) -> None:
    """Also where the first token comes together with a sign of life."""
    for case in CASES.values():
        frames = [part(comment + each) for each in response_events(client, case)]
        for at in range(1, len(frames)):
            client.sagemaker.received.clear()
            client.sagemaker.answers = FaultOnce(WireResponse(framed([*frames[:at], exception(code)])))
            check_complete_or_error(client, case, case.ask(client))
            assert len(client.sagemaker.received) == 1, "a request that had begun was sent again"


@pytest.mark.parametrize("code", CODES)
def test_a_failure_that_stays_is_told_after_some_attempts(client: CheckedClient, code: str) -> None:
    for case in CASES.values():
        wire = WireResponse(framed([exception(code, **CODES[code])]))
        client.sagemaker.received.clear()
        client.sagemaker.answers = lambda _request, wire=wire: wire
        assert check_complete_or_error(client, case, case.ask(client)) == -1
        assert len(client.sagemaker.received) == (MAX_ATTEMPTS if code.startswith(RETRIED) else 1)


def test_an_event_of_a_kind_that_is_not_known_is_skipped(client: CheckedClient) -> None:
    unknown = [event("SomethingNew", b"{}"), event("initial-response", b"{}"), event("", b"data: {}\n\n")]
    for case in CASES.values():
        frames = [part(each) for each in response_events(client, case)]
        for at in range(len(frames) + 1):
            data = framed([*frames[:at], *unknown, *frames[at:]])
            assert check_fault_and_recovery(client, case, data, "keep") == (len(TOKENS) if case.is_streamed else -1)


@pytest.mark.parametrize("status", [*range(201, 300, 7), *range(300, 600), 600, 999])
def test_every_status_but_200_is_an_error(client: CheckedClient, status: int) -> None:
    for case in (CASES["generate"], CASES["chat, streamed"], WHOLE["best of two"]):
        client.sagemaker.answers = lambda _request: WireResponse(error(status, "", Message="m"))
        response = case.ask(client)
        assert check_complete_or_error(client, case, response) == -1
        assert response.status in {403: (502,), 413: (413,), 429: (429,), 503: (503,)}.get(status, (502,))


ORIGINAL = [*range(390, 610), 0, -1, 10**30, None, "424", 424.0, True, [], {}]
WORDS: list[Any] = [
    *(None, "", "plain", 7, [], {}, "[" * 5000, "[" * 200_000, "\ud800", "{}", "[]", "null", '{"error":', "\0\r\n"),
    *('{"error":null}', '{"error":7}', '{"error":[]}', '{"error":{}}', '{"error":{"message":null}}'),
    *('{"error":"x","error_type":null}', '{"error":"x","error_type":"internal"}', '{"error":"\\ud800"}'),
    *('{"error":{"message":"x","http_status_code":422}}', '{"error":"' + "x" * 2**20 + '"}', '{"error":NaN}'),
    *('{"error":"x","error_type":"overloaded","more":1e999}', '{"detail":[{"loc":["body"],"msg":"x"}]}'),
]


@pytest.mark.parametrize("words", WORDS, ids=[str(at) for at in range(len(WORDS))])
def test_whatever_the_container_refused_with_is_told(client: CheckedClient, words: Any) -> None:
    for case in (CASES["generate"], CASES["chat, streamed"], CASES["completions"], WHOLE["best of two"]):
        for status in (400, 422, 424, 500, 0):
            refused = error(424, "ModelError", Message="m", OriginalStatusCode=status, OriginalMessage=words)
            client.sagemaker.answers = lambda _request, refused=refused: WireResponse(refused)
            assert check_complete_or_error(client, case, case.ask(client)) == -1


@pytest.mark.parametrize("status", ORIGINAL, ids=str)
def test_whatever_status_the_container_had_is_told(client: CheckedClient, status: Any) -> None:
    for case in (CASES["generate"], CASES["chat"], WHOLE["best of two"]):
        refused = error(424, "ModelError", OriginalStatusCode=status, OriginalMessage='{"error":"x"}')
        client.sagemaker.answers = lambda _request, refused=refused: WireResponse(refused)
        response = case.ask(client)
        assert check_complete_or_error(client, case, response) == -1
        if type(status) is int and 400 <= status <= 599:
            assert response.status == (400 if status == 422 and response.protocol == "openai" else status)
        else:
            assert response.status in (502, 504)


TOLD = {
    **{f"of the kind {kind}": {"error": "m", "error_type": kind} for kind in [*KINDS, "new", None, 7]},
    **{f"in the words {words}": {"error": {"message": words, "http_status_code": 422}} for words in KIND_BY_MESSAGE},
    "without words": {"error": {}},
    "of a null": {"error": None},
    "of a number": {"error": 7, "error_type": {}},
    "of a list": {"error": []},
    "with a lone surrogate": {"error": "\ud800", "error_type": "generation"},
}


@pytest.mark.parametrize("told", TOLD)
def test_the_containers_own_error_is_the_last_event(client: CheckedClient, told: str) -> None:
    is_utf8 = told != "with a lone surrogate"
    for case in CASES.values():
        if case.is_streamed and not case.path.startswith("/v1/") and not is_utf8:
            continue  # passed on as it is, and then refused
        events = response_events(client, case)
        for at in range(len(events)):
            ending = [b"data: " + json.dumps(TOLD[told]).encode() + b"\n\n"]
            ending += [DONE] if case.path.startswith("/v1/") else []
            for then in ("keep", "close"):
                data = stream_response([*events[:at], *ending])
                data = data if then == "keep" else data.removesuffix(b"0\r\n\r\n")
                client.sagemaker.answers = FaultOnce(WireResponse(data, then))
                response = case.ask(client)
                tokens = check_complete_or_error(client, case, response, passed_on=TOLD[told])
                if at and case.is_streamed:
                    assert tokens == min(at, len(TOKENS))
                    assert response.line["cause"] == "in-band" or not is_utf8


@pytest.mark.parametrize(
    "junk",
    [b"data: x\n\n", b"data: 7\n\n", b"data: " + b"[" * 200_000 + b"\n\n", sse([]), b'data: {"a":NaN}\n\n'],
    ids=["a word", "a number", "deep", "an array", "NaN"],
)
def test_an_event_that_is_no_object_is_told_or_passed_on(client: CheckedClient, junk: bytes) -> None:
    """Tokens that are only passed on are not read; what is read has to be an object."""
    for case in CASES.values():
        if case.path.startswith("/v1/") or not case.is_streamed:
            for at in range(3):
                events = response_events(client, case)
                client.sagemaker.answers = FaultOnce(WireResponse(stream_response([*events[:at], junk, *events[at:]])))
                response = case.ask(client)
                check_complete_or_error(client, case, response)
                assert response.line["error"] == "upstream"


def test_an_answer_of_nothing_is_an_error(client: CheckedClient) -> None:
    for case in CASES.values():
        for frames in ([], [part(b"")], [part(b""), part(b"")], [part(b":\n\n")], [part(b"\n\n")]):
            client.sagemaker.answers = FaultOnce(WireResponse(framed(frames)))
            response = case.ask(client)
            check_complete_or_error(client, case, response)
            assert response.line["error"].startswith("incomplete_generation")


def test_bytes_for_one_case_are_those_that_are_cut(client: CheckedClient) -> None:
    """The events are framed here as they are where they are cut."""
    for case in CASES.values():
        assert framed([part(each) for each in response_events(client, case)]) == response_bytes(client, case)
