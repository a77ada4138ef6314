"""The emulated Runtime API refuses, and writes down, what Lambda would not take."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from local.lambda_service import Function, FunctionError
from tests.local.lambda_service.doubles import deployed, run


def test_a_buffered_answer_over_six_megabytes_is_refused() -> None:
    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=r"Function\.ResponseSizeTooLarge"):
            await function.invoke({"size": 6 * 1024 * 1024 + 101})
        assert len(await function.invoke({"size": 6 * 1024 * 1024})) == 6 * 1024 * 1024

    source = """
        while True:
            size = next_event()["size"]
            status, _, body = call("POST", f"invocation/{request_id}/response", b"x" * size, echo)
            print(status)
    """
    log: list[str] = []
    assert run(lambda: deployed(source, log), scenario).violations == [
        "413 RequestEntityTooLarge: Exceeded maximum allowed payload size"
    ]
    assert log[0] == "413"
    assert log[1].endswith(": 413 RequestEntityTooLarge: Exceeded maximum allowed payload size")
    assert len([line for line in log if line.startswith("Runtime API violation of ")]) == 1


ANNOUNCED = "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n"
TYPE = "Lambda-Runtime-Function-Error-Type"
BODY = "Lambda-Runtime-Function-Error-Body"
AGAIN = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"


@pytest.mark.parametrize(
    ("misdeed", "violation"),
    [
        (
            "print(call('GET', 'invocation/next')[0])",
            "403 InvalidStateTransition: State transition from Running to Ready",
        ),
        ("print(call('GET', 'extension/register')[0])", "404 NotFound: there is no GET /2018-06-01/runtime/extension"),
        ("print(call('POST', 'invocation/no/response', 'x', echo)[0])", "400 InvalidRequestID: Invalid request ID"),
        # Refused before it is whole; the runtime can still read why.
        ("print(call('POST', 'invocation/no/response', b'x' * 8000000, echo)[0])", "400 InvalidRequestID: Invalid"),
        (
            "print(call('POST', 'init/error', '{}')[0])",
            "403 InvalidStateTransition: State transition from Running to InitError",
        ),
        (
            "print(call('POST', f'invocation/{request_id}/response', 'x', {'Lambda-Runtime-Invocation-Id': 'old'})[0])",
            "410 ErrorRuntimeInvokeTimeout: The invocation is over",
        ),
        (
            "stream = Stream(); stream.end(); print(call('POST', f'invocation/{request_id}/error', '{}', echo)[0])",
            "403 InvalidStateTransition: State transition from ResponseSent",
        ),
        ("call('POST', f'invocation/{request_id}/response', 'x')", "an answer came without the invocation id"),
        ("call('POST', f'invocation/{request_id}/error', 'x', echo)", "an error report is not JSON"),
        ("call('POST', f'invocation/{request_id}/error', '{}', echo)", "an error report has no errorMessage"),
        ("call('POST', f'invocation/{request_id}/error', '{}', echo)", "the error type '' becomes Runtime.Unknown"),
        (
            "call('POST', f'invocation/{request_id}/response', 'x', echo | STREAMING)",
            "a streamed answer is not chunked",
        ),
        ("Stream(content_type='').end()", "a streamed answer has no Content-Type"),
        (
            f"Stream().end('{TYPE}: Function.X\\r\\n')",
            "the trailer lambda-runtime-function-error-type was not announced",
        ),
        (
            f"Stream(more='{ANNOUNCED}').end('{TYPE}: Function.Xy\\r\\n')",
            "not the error's type and body",
        ),
        (
            f"Stream(more='{ANNOUNCED}').end('{TYPE}: Function.Xy\\r\\n{BODY}: ???\\r\\n')",
            "is not base64 of JSON",
        ),
        (
            f"Stream(more='{ANNOUNCED}').end('{TYPE}: oops\\r\\n{BODY}: e30=\\r\\n')",
            "the error type 'oops' becomes Runtime.Unknown",
        ),
        (
            f"stream = Stream(); stream.write(b'0\\r\\n\\r\\n{AGAIN}'); time.sleep(1)",
            "the connection of a streamed answer was used again",
        ),
        ("stream = Stream(); stream.write(b'no chunk\\r\\n')", "not HTTP: "),
    ],
)
def test_what_is_against_the_protocol_is_written_down(misdeed: str, violation: str) -> None:
    async def scenario(function: Function) -> None:
        with contextlib.suppress(FunctionError):
            await function.invoke({})
        async with asyncio.timeout(15):
            while "done" not in log:  # it goes on after its answer
                await asyncio.sleep(0.01)

    source = f"""
        next_event()
        {misdeed}
        print("done")
    """
    log: list[str] = []
    violations = run(lambda: deployed(source, log), scenario).violations
    assert [found for found in violations if violation in found], (violations, log)
    if violation[:3].isdigit():
        assert log[0] == violation[:3]


def test_a_wrong_response_mode_fails_the_invocation_and_the_sandbox() -> None:
    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=r"Runtime\.InvalidResponseModeHeader"):
            await function.invoke({})

    source = """
        next_event()
        mode = {**echo, "Lambda-Runtime-Function-Response-Mode": "Streaming"}
        print(call("POST", f"invocation/{request_id}/response", "x", mode)[0])
        print(call("GET", "invocation/next")[0])
        sys.exit(1)
    """
    log: list[str] = []
    violations = run(lambda: deployed(source, log), scenario).violations
    assert violations[0] == "400 InvalidFunctionResponseMode: Invalid function response mode"
