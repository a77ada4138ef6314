"""The Lambda runtime client of a streaming function, in the place of the managed Python runtime's, which cannot stream.

To be deleted on the day when it can. Everything else in this package knows Lambda only as an event, an `Invocation`
and a `Response`.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from front_door.http.response import Response
from front_door.lambda_runtime.api_client import INVOCATION_ID, Reply, RuntimeApi, RuntimeApiError, StaleAnswerError

_PRELUDE_END = b"\0" * 8


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda says about one invocation beside its event.

    Attributes:
        request_id: Lambda's id of the request.
        deadline: When Lambda ends the invocation, in seconds since the epoch.
        trace_id: The X-Ray header; None where the request is not traced.
        function_arn: As it was invoked, with an alias or version where one was named.
    """

    request_id: str
    deadline: float
    trace_id: str | None
    function_arn: str


Handle = Callable[[dict[str, Any], Invocation], Response]


def start(load: Callable[[], Handle]) -> NoReturn:
    """Load the application and serve invocations with it; ends the process.

    Args:
        load: Gives the application. What it raises is reported to Lambda as a failure to start.
    """
    try:
        if "AWS_LAMBDA_MAX_CONCURRENCY" in os.environ:
            raise NotImplementedError(
                "This runtime client takes one invocation at a time and cannot run on Lambda Managed Instances."
            )
        handle = load()
    except Exception as error:  # noqa: BLE001 - whatever it is, Lambda is told
        told = _described(error, str(error))
        _log("ERROR", "the function cannot start", **told)
        _ended(lambda: RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"]).init_error(told))
    run(handle)


def run(handle: Handle) -> NoReturn:
    """Serve invocations one after another, until the Runtime API is gone; ends the process.

    Args:
        handle: Answers one event. What it raises before the answer begins fails the invocation; what its body raises
            later ends the stream with error trailers.
    """
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def serve() -> NoReturn:
        while True:
            _serve(api, handle, api.next())

    _ended(serve)


def _ended(serve: Callable[[], None]) -> NoReturn:
    try:
        serve()
    except (RuntimeApiError, StaleAnswerError) as error:
        _log("ERROR", str(error))
    sys.exit(1)


def _serve(api: RuntimeApi, handle: Handle, event: Reply) -> None:
    invocation, invocation_id = _invocation(event.headers)
    if invocation.trace_id is None:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        os.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id
    try:
        try:
            response = handle(json.loads(event.body), invocation)
        except Exception as error:  # noqa: BLE001 - the invocation fails, the sandbox goes on
            _fail(api, invocation, invocation_id, error)
        else:
            _answer(api, invocation, invocation_id, response)
    except StaleAnswerError as error:
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


def _answer(api: RuntimeApi, invocation: Invocation, invocation_id: str | None, response: Response) -> None:
    """Stream the response; its first chunk is there before anything is sent, so that a failure can still be one."""
    chunks = iter(response.body)
    try:
        try:
            # API Gateway turns an answer without a payload into 502.
            first = next(filter(None, chunks), b"\n")
        except Exception as error:  # noqa: BLE001 - as if the application had raised it
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
        except (RuntimeApiError, StaleAnswerError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever the application's body raises is told in the trailers
            failure = _reported(invocation, error)
        stream.end(failure)
    finally:
        _close(response.body, invocation)


def _close(body: object, invocation: Invocation) -> None:
    """Let the body give back its upstream connection, also where it was not read to its end."""
    close = getattr(body, "close", None)
    if close is not None:
        try:
            close()
        except Exception as error:  # noqa: BLE001 - the answer is out
            _reported(invocation, error)


def _fail(api: RuntimeApi, invocation: Invocation, invocation_id: str | None, error: Exception) -> None:
    api.error(invocation.request_id, invocation_id, _reported(invocation, error))


def _reported(invocation: Invocation, error: Exception) -> dict[str, Any]:
    """Log a defect; without its message, which may quote a prompt."""
    told = _described(error, "The function failed.")
    _log("ERROR", "the invocation failed", request_id=invocation.request_id, **told)
    return told


def _described(error: Exception, message: str) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "errorMessage": message,
        "errorType": error_type(type(error)),
        "stackTrace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def error_type(kind: type[BaseException]) -> str:
    """The exception's name as Lambda takes it, `Function.` and then letters; it renames every other `Function.Unknown`.

    Source: GetValidRuntimeOrFunctionErrorType in AWS's Runtime Interface Emulator.
    """
    name = "".join(letter for letter in kind.__name__ if letter.isascii() and letter.isalpha())
    return f"Function.{name[0].upper()}{name[1:]}" if len(name) > 1 else "Function.Unknown"


def _log(level: str, message: str, **fields: object) -> None:
    """One line of JSON: Lambda takes each line of the output as an event of its own."""
    sys.stdout.write(json.dumps({"level": level, "message": message, **fields}) + "\n")
    sys.stdout.flush()
