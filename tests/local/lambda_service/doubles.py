"""Fake functions, each with its own runtime client that runs the code of a test."""

from __future__ import annotations

import asyncio
import io
import os
import textwrap
import zipfile
from collections.abc import Awaitable, Callable
from typing import Any

from local.lambda_service import Function, FunctionConfig

RUNTIME = """
import http.client, json, os, socket, sys, time
ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"]
ROOT = "/2018-06-01/runtime/"
STREAMING = {"Lambda-Runtime-Function-Response-Mode": "streaming"}
client = http.client.HTTPConnection(ADDRESS)

def call(method, path, body=None, headers={}):
    client.request(method, ROOT + path, body, headers)
    reply = client.getresponse()
    return reply.status, reply.headers, reply.read()

def next_event():
    global request_id, echo
    status, headers, body = call("GET", "invocation/next")
    assert status == 200, body
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    echo = {"Lambda-Runtime-Invocation-Id": headers["Lambda-Runtime-Invocation-Id"]}
    return json.loads(body)

class Stream:
    def __init__(self, content_type="application/vnd.awslambda.http-integration-response", more=""):
        host, port = ADDRESS.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.write((f"POST {ROOT}invocation/{request_id}/response HTTP/1.1\\r\\nHost: x\\r\\n"
            f"Content-Type: {content_type}\\r\\nLambda-Runtime-Function-Response-Mode: streaming\\r\\n"
            f"Transfer-Encoding: chunked\\r\\n"
            f"Lambda-Runtime-Invocation-Id: {echo['Lambda-Runtime-Invocation-Id']}\\r\\n{more}\\r\\n").encode())

    def write(self, data):
        self.socket.sendall(data)

    def send(self, data):
        self.write(b"%x\\r\\n%b\\r\\n" % (len(data), data))

    def end(self, trailers=""):
        self.write(f"0\\r\\n{trailers}\\r\\n".encode())
        status = int(self.socket.recv(65536).split()[1])
        self.socket.close()
        return status
"""
# A minimal streaming client, so that a test can start it hundreds of times.
LEAN = """
import os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
ROOT = b"/2018-06-01/runtime/invocation/"

def connect():
    return socket.create_connection((host, int(port)))

def next_event():
    global request_id, echo
    with connect() as connection:
        connection.sendall(b"GET %bnext HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % ROOT)
        event = b""
        while not event.endswith(b"{}"):
            event += connection.recv(65536)
    headers = dict(line.split(b": ", 1) for line in event.split(b"\\r\\n\\r\\n")[0].split(b"\\r\\n")[1:])
    request_id, echo = headers[b"Lambda-Runtime-Aws-Request-Id"], headers[b"Lambda-Runtime-Invocation-Id"]

class Stream:
    def __init__(self):
        self.socket = connect()
        self.socket.sendall(b"POST %b%b/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: x\\r\\n"
            b"Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n"
            b"Lambda-Runtime-Invocation-Id: %b\\r\\n\\r\\n" % (ROOT, request_id, echo))

    def send(self, data):
        self.socket.sendall(b"%x\\r\\n%b\\r\\n" % (len(data), data))

    def end(self):
        with self.socket:
            self.socket.sendall(b"0\\r\\n\\r\\n")
            assert b" 202 " in self.socket.recv(65536)
"""
# A prelude, for the source code of a function.
PRELUDE = '{"statusCode": 200, "headers": {}}\\0\\0\\0\\0\\0\\0\\0\\0'


def deployed(
    source: str, log: list[str] | None = None, *, timeout: float = 20, lean: bool = False, **more: Any
) -> Function:
    """A function. The source continues the runtime client that the wrapper starts, or with `handler` is a module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as code:
        managed = "handler" in more
        client = "" if managed else LEAN if lean else RUNTIME
        code.writestr("code.py" if managed else "own.py", client + textwrap.dedent(source))
        wrapper = zipfile.ZipInfo("run")
        wrapper.external_attr = 0o755 << 16
        code.writestr(wrapper, '#!/bin/sh\nexec "$1" -uIS "$LAMBDA_TASK_ROOT/own.py" "$@"\n')
    environment = {"OWN": "mine", **more.get("environment", {})}
    if not managed:
        environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/run"
    return Function(
        FunctionConfig(
            name="fake",
            arn="arn:aws:lambda:eu-west-1:123456789012:function:fake",
            handler=more.get("handler", "unused.handler"),
            environment=environment,
            timeout_seconds=timeout,
            memory_mb=256,
            code_zip=buffer.getvalue(),
            layers=more.get("layers", ()),
            reserved_concurrency=more.get("reserved"),
        ),
        account=more.get("account"),
        log=(log if log is not None else []).append,
    )


def archive(files: dict[str, str], *, mode: int = 0o644) -> bytes:
    """An archive of files by path."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zip_file:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            zip_file.writestr(entry, text)
    return buffer.getvalue()


def run(function: Callable[[], Function], scenario: Callable[[Function], Awaitable[None]]) -> Function:
    """Runs a scenario in its own event loop and closes the function; no task may be left."""
    created: list[Function] = []

    async def main() -> None:
        created.append(function())
        try:
            await scenario(created[0])
        finally:
            await created[0].close()
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    asyncio.run(main())
    return created[0]


async def gone(pid: int) -> bool:
    """Whether a process ends without leaving a zombie."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.05)
    return False


async def read(response: Any) -> bytes:
    return b"".join([data async for data in response.body])
