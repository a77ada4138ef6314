"""Replaces the managed Python runtime: calls the handler with each event and returns its buffered response.

It runs in the process of the function and uses only the standard library. Arguments of the handler and error reports
are the same as in AWS's client, awslambdaric.
"""

import http.client
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

_ROOT = "/2018-06-01/runtime/"
Handler = Callable[[Any, Any], Any]


class Context:
    """The context object of an invocation."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is killed."""
        return max(self._deadline_ms - int(time.time() * 1000), 0)


class Client:
    """A client of the Runtime API."""

    def __init__(self) -> None:
        self._connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        """Sends a request; returns the headers and body of the response."""
        self._connection.request(method, _ROOT + path, body or None, headers or {})
        response = self._connection.getresponse()
        data = response.read()
        if response.status not in (200, 202):
            sys.exit(f"the Runtime API returned {response.status} for {path}")
        return response.headers, data

    def error(self, path: str, error: BaseException, error_type: str, headers: dict[str, str]) -> None:
        """Logs and reports an error."""
        frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
        report = {"errorMessage": str(error), "errorType": error_type, "stackTrace": frames}
        print(json.dumps({"level": "ERROR", **report}), flush=True)  # noqa: T201 - the function's log
        kind = error_type if error_type.startswith("Runtime.") else "Function.Unknown"
        headers = headers | {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": kind}
        self.call("POST", path, json.dumps(report).encode(), headers)


def load(name: str) -> Handler:
    """Imports a handler by its name, for example `package.module.function`."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), function)
    return handler


def serve(client: Client, handler: Handler) -> None:
    """Handles one invocation."""
    headers, event = client.call("GET", "invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    echo = {"Lambda-Runtime-Invocation-Id": headers["Lambda-Runtime-Invocation-Id"]}
    os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
    try:
        response = json.dumps(handler(json.loads(event), Context(headers))).encode()
    except Exception as error:  # noqa: BLE001 - fails the invocation, not the sandbox
        client.error(f"invocation/{request_id}/error", error, type(error).__name__, echo)
    else:
        reply_headers = echo | {"Content-Type": "application/json"}
        client.call("POST", f"invocation/{request_id}/response", response, reply_headers)


def main() -> None:
    """Loads the handler, then handles invocations until the process is killed."""
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    client = Client()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - any error is reported to Lambda
        kind = "Runtime.ImportModuleError" if isinstance(error, ImportError) else "Runtime.HandlerNotFound"
        client.error("init/error", error, kind, {})
        sys.exit(1)
    while True:
        serve(client, handler)


if __name__ == "__main__":
    main()
