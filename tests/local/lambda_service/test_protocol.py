"""The emulated Runtime API rejects and records violations of the protocol."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from local.lambda_service import Function, FunctionError
from tests.local.lambda_service.doubles import deployed, run


def test_a_buffered_response_over_6_mb_is_rejected() -> None:
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


TRAILER_HEADER = "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n"
TYPE = "Lambda-Runtime-Function-Error-Type"
BODY = "Lambda-Runtime-Function-Error-Body"
AGAIN = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"


@pytest.mark.parametrize(
    ("action", "violation"),
    [
        (
            "print(call('GET', 'invocation/next')[0])",
            "403 InvalidStateTransition: State transition from Running to Ready",
        ),
        ("print(call('GET', 'extension/register')[0])", "404 NotFound: no such operation: GET /2018-06-01/runtime/ext"),
        ("print(call('POST', 'invocation/no/response', 'x', echo)[0])", "400 InvalidRequestID: Invalid request ID"),
        # Rejected before the end of the request; the runtime can still read the response.
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
        ("call('POST', f'invocation/{request_id}/response', 'x')", "a response has no invocation id"),
        ("call('POST', f'invocation/{request_id}/error', 'x', echo)", "an error report is not JSON"),
        ("call('POST', f'invocation/{request_id}/error', '{}', echo)", "an error report has no errorMessage"),
        ("call('POST', f'invocation/{request_id}/error', '{}', echo)", "the error type '' becomes Runtime.Unknown"),
        (
            "call('POST', f'invocation/{request_id}/response', 'x', echo | STREAMING)",
            "a streamed response is not chunked",
        ),
        ("Stream(content_type='').end()", "a streamed response has no Content-Type"),
        (
            f"Stream().end('{TYPE}: Function.X\\r\\n')",
            "the trailer lambda-runtime-function-error-type is not declared in the Trailer header",
        ),
        (
            f"Stream(more='{TRAILER_HEADER}').end('{TYPE}: Function.Xy\\r\\n')",
            "not the error type and body",
        ),
        (
            f"Stream(more='{TRAILER_HEADER}').end('{TYPE}: Function.Xy\\r\\n{BODY}: ???\\r\\n')",
            "is not JSON in base64",
        ),
        (
            f"Stream(more='{TRAILER_HEADER}').end('{TYPE}: oops\\r\\n{BODY}: e30=\\r\\n')",
            "the error type 'oops' becomes Runtime.Unknown",
        ),
        (
            f"stream = Stream(); stream.write(b'0\\r\\n\\r\\n{AGAIN}'); time.sleep(1)",
            "the connection of a streamed response was reused",
        ),
        ("stream = Stream(); stream.write(b'no chunk\\r\\n')", "not HTTP: "),
    ],
)
def test_a_violation_is_recorded(action: str, violation: str) -> None:
    async def scenario(function: Function) -> None:
        with contextlib.suppress(FunctionError):
            await function.invoke({})
        async with asyncio.timeout(15):
            while "done" not in log:  # the function continues after its response
                await asyncio.sleep(0.01)

    source = f"""
        next_event()
        {action}
        print("done")
    """
    log: list[str] = []
    violations = run(lambda: deployed(source, log), scenario).violations
    assert [found for found in violations if violation in found], (violations, log)
    if violation[:3].isdigit():
        assert log[0] == violation[:3]


def test_an_invalid_response_mode_fails_the_invocation_and_the_sandbox() -> None:
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
