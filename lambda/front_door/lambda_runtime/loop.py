"""The runtime loop of a streaming function; it replaces that of the managed Python runtime, which cannot stream.

To be deleted when it can. Everything else in this package knows Lambda only as an event, an `Invocation` and a
`Response`.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from front_door.http.response import Response
from front_door.lambda_runtime.api_client import INVOCATION_ID, RuntimeApi, RuntimeApiError, StaleResponseError

_PRELUDE_END = b"\0" * 8


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda sends about one invocation beside its event.

    Attributes:
        request_id: Lambda's id of the request.
        deadline: When Lambda ends the invocation, in seconds since the epoch.
        trace_id: The X-Ray header; None if the request is not traced.
        function_arn: As it was invoked, with an alias or version if one was named.
        is_buffered: Whether no part of the response is sent before its end.
    """

    request_id: str
    deadline: float
    trace_id: str | None
    function_arn: str
    is_buffered: bool = False


Handle = Callable[[dict[str, Any], Invocation], Response]


def start(load: Callable[[], Handle]) -> NoReturn:
    """Load the application and serve invocations with it; ends the process.

    Args:
        load: Returns the application. What it raises is reported to Lambda as a failure to start.
    """
    try:
        if "AWS_LAMBDA_MAX_CONCURRENCY" in os.environ:
            raise NotImplementedError(
                "This runtime client takes one invocation at a time and cannot run on Lambda Managed Instances."
            )
        handle = load()
    except Exception as error:  # noqa: BLE001 - any failure to start is reported to Lambda
        report = _describe(error, str(error))
        _log("ERROR", "the function cannot start", **report)
        _exit_after(lambda: RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"]).init_error(report))
    run(handle)


def run(handle: Handle) -> NoReturn:
    """Serve invocations one after another, until the Runtime API is gone; ends the process.

    Args:
        handle: Handles one event. What it raises before the response begins fails the invocation; what the body
            raises later ends the stream with error trailers.
    """
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def serve() -> NoReturn:
        while True:
            _serve(api, handle)

    _exit_after(serve)


def _exit_after(serve: Callable[[], None]) -> NoReturn:
    try:
        serve()
    except (RuntimeApiError, StaleResponseError) as error:
        _log("ERROR", str(error))
    sys.exit(1)


def _serve(api: RuntimeApi, handle: Handle) -> None:
    reply = api.next()
    invocation, invocation_id = _invocation(reply.headers)
    if invocation.trace_id is None:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id
    try:
        try:
            event = json.loads(reply.body)
            del reply  # not to hold a body of 6 MiB twice
            response = handle(event, invocation)
        except Exception as error:  # noqa: BLE001 - the invocation fails, the sandbox continues
            _fail(api, invocation, invocation_id, error)
        else:
            _send(api, invocation, invocation_id, response)
    except StaleResponseError as error:
        _log("WARN", str(error), request_id=invocation.request_id)


def _invocation(headers: dict[str, str]) -> tuple[Invocation, str | None]:
    try:
        invocation = Invocation(
            request_id=headers["lambda-runtime-aws-request-id"],
            deadline=int(headers["lambda-runtime-deadline-ms"]) / 1000,
            trace_id=headers.get("lambda-runtime-trace-id"),
            function_arn=headers["lambda-runtime-invoked-function-arn"],
        )
    except (KeyError, ValueError) as error:
        raise RuntimeApiError(f"/invocation/next came without a usable header: {error}") from error
    return invocation, headers.get(INVOCATION_ID.lower())


def _send(api: RuntimeApi, invocation: Invocation, invocation_id: str | None, response: Response) -> None:
    """Stream the response; nothing is sent before its first chunk, so that a failure can still be reported as one."""
    chunks = iter(response.body)
    try:
        try:
            # API Gateway turns a response without a payload into 502.
            first = next(filter(None, chunks), b"\n")
        except Exception as error:  # noqa: BLE001 - reported as if the application had raised it
            _fail(api, invocation, invocation_id, error)
            return
        prelude = json.dumps({"statusCode": response.status, "headers": response.headers}).encode()
        stream = api.stream(invocation.request_id, invocation_id)
        stream.send(prelude + _PRELUDE_END + first)
        failure = None
        try:
            for chunk in chunks:
                if chunk:
                    stream.send(chunk)
        except (RuntimeApiError, StaleResponseError):
            raise
        except Exception as error:  # noqa: BLE001 - reported in the trailers
            failure = _report(invocation, error)
        stream.end(failure)
    finally:
        _close(response.body, invocation)


def _close(body: object, invocation: Invocation) -> None:
    """Let the body release its upstream connection, even if it was not read to its end."""
    close = getattr(body, "close", None)
    if close is not None:
        try:
            close()
        except Exception as error:  # noqa: BLE001 - the response is already sent
            _report(invocation, error)


def _fail(api: RuntimeApi, invocation: Invocation, invocation_id: str | None, error: Exception) -> None:
    api.error(invocation.request_id, invocation_id, _report(invocation, error))


def _report(invocation: Invocation, error: Exception) -> dict[str, Any]:
    """Log a defect, without its message, which may quote a prompt."""
    report = _describe(error, "The function failed.")
    _log("ERROR", "the invocation failed", request_id=invocation.request_id, **report)
    return report


def _describe(error: Exception, message: str) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "errorMessage": message,
        "errorType": error_type(type(error)),
        "stackTrace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def error_type(kind: type[BaseException]) -> str:
    """The exception's name as Lambda accepts it, `Function.` and letters; it replaces any other by `Function.Unknown`.

    Source: GetValidRuntimeOrFunctionErrorType in AWS's Runtime Interface Emulator.
    """
    name = "".join(letter for letter in kind.__name__ if letter.isascii() and letter.isalpha())
    return f"Function.{name[0].upper()}{name[1:]}" if len(name) > 1 else "Function.Unknown"


def _log(level: str, message: str, **fields: object) -> None:
    """Write one line of JSON: each line of the output is a log event of its own."""
    sys.stdout.write(json.dumps({"level": level, "message": message, **fields}) + "\n")
    sys.stdout.flush()
