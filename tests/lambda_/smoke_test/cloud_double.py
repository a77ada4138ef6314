"""Lambda's Invoke, CloudFormation's DescribeStacks and the bucket of the answers, over real sockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

STACK_ID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/LlamaTgiStack/1f2e3d4c"
SIGNATURE = "AWSAccessKeyId=AKIDEXAMPLE&Expires=1&Signature=a%2Fb%2Bc%3D&x=a+b%20c&y"
PRELUDE = b'{"statusCode": %d, "headers": {"Content-Type": "application/json"}}' + b"\0" * 8


def completion(text: str = "Un été", tokens: object = 3) -> dict[str, Any]:
    return {"choices": [{"index": 0, "text": text}], "usage": {"completion_tokens": tokens}}


def error(kind: str, message: str = "A message.", cause: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "kind": kind, "cause": cause}}


def streamed(body: object, status: int = 200) -> bytes:
    """What a function that streams returns when it is invoked without streaming."""
    return PRELUDE % status + json.dumps(body).encode()


def unstreamed(body: object, status: int = 200) -> bytes:
    response = {"statusCode": status, "headers": {}, "body": json.dumps(body), "isBase64Encoded": False}
    return json.dumps(response).encode()


@dataclass
class Invoke:
    """Lambda's reply to an invocation."""

    payload: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    breaks: bool = False


def lambda_error(status: int, code: str, message: str = "Lambda's message.") -> Invoke:
    body = json.dumps({"Type": "User", "message": message}).encode()
    return Invoke(body, status, {"x-amzn-ErrorType": code})


@dataclass
class CloudDouble:
    """Answers as the test says, and keeps what it was sent.

    Attributes:
        replies: Lambda's replies by model, in order; the last one again and again.
        stack_status: CloudFormation's; None: it answers 500.
        put_statuses: The statuses of the PUTs, then 200; 0 closes the connection.
    """

    replies: dict[str, list[Invoke]] = field(default_factory=dict)
    stack_status: str | None = "UPDATE_IN_PROGRESS"
    put_statuses: list[int] = field(default_factory=list)
    invoked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    puts: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        double = self

        class Handler(_Handler):
            cloud = double

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def response_url(self) -> str:
        return f"{self.url}/bucket/arn%3Aaws%3Acloudformation%3Aeu-west-1%7CTest%7C1?{SIGNATURE}"

    @property
    def answer(self) -> dict[str, Any]:
        """The only answer that arrived."""
        ((_, _, answer),) = self.puts
        return answer

    def asked(self) -> list[str]:
        return [event["tgi_endpoint"]["smoke_test"]["model"] for event in self.invoked]

    def next_reply(self, model: str) -> Invoke:
        replies = self.replies[model]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    cloud: ClassVar[CloudDouble]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/":
            self._describe(body.decode())
        else:
            self._invoke(json.loads(body))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.cloud.put_statuses.pop(0) if self.cloud.put_statuses else 200
        if status == 0:
            self.close_connection = True
            return
        if status == 200:
            self.cloud.puts.append((self.path, dict(self.headers), json.loads(body)))
        self._reply(status, b"")

    def log_message(self, *_: object) -> None:
        pass

    def _describe(self, body: str) -> None:
        self.cloud.described.append(body)
        if self.cloud.stack_status is None:
            self._reply(500, b"<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>")
            return
        stack = (
            f"<StackId>{STACK_ID}</StackId><StackName>S</StackName><StackStatus>{self.cloud.stack_status}</StackStatus>"
            "<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
        )
        result = f"<DescribeStacksResult><Stacks><member>{stack}</member></Stacks></DescribeStacksResult>"
        space = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
        self._reply(200, f'<DescribeStacksResponse xmlns="{space}">{result}</DescribeStacksResponse>'.encode())

    def _invoke(self, event: dict[str, Any]) -> None:
        self.cloud.invoked.append(event)
        self.cloud.paths.append(self.path)
        reply = self.cloud.next_reply(event["tgi_endpoint"]["smoke_test"]["model"])
        time.sleep(reply.seconds)
        self._reply(reply.status, reply.payload, reply.headers, breaks=reply.breaks)

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, breaks: bool = False) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + (10 if breaks else 0)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or breaks


Make = Callable[..., CloudDouble]
