"""The table of counters in moto's DynamoDB, which evaluates conditions and updates as expressions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from moto.dynamodb.models import dynamodb_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

TABLE = "front-door-limits"
REGION = "eu-west-1"
_ACCOUNT = "123456789012"


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as DynamoDB keeps them

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


Fault = Callable[[Callable[[], tuple[int, bytes]]], tuple[int, bytes]]
"""Answers a call with a status and a content; it may let DynamoDB answer."""


def refuses(code: str, status: int = 400) -> Fault:
    """DynamoDB does nothing, and answers with an error."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "A secret."}
    return lambda _answer: (status, json.dumps(body).encode())


def says(content: bytes, status: int) -> Fault:
    """Something in between answers."""
    return lambda _answer: (status, content)


def loses(answer: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    """DynamoDB does what it is told, and its answer is lost."""
    answer()
    return 500, b""


def sleeps(seconds: float) -> Fault:
    """DynamoDB does what it is told, and answers late."""

    def fault(answer: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        found = answer()
        time.sleep(seconds)
        return found

    return fault


class Table:
    """The table, served over HTTP.

    One request is handled after another: DynamoDB decides about the writes of one item in order, moto does not.

    Attributes:
        url: Where it is served.
        updates: How many calls of UpdateItem have come.
        faults: What becomes of the next ones; None: what DynamoDB makes of it.
    """

    def __init__(self) -> None:
        application = DomainDispatcherApplication(create_backend_app)
        lock = threading.Lock()
        self.updates = 0
        self.faults: list[Fault | None] = []

        def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            def answer() -> tuple[int, bytes]:
                status: list[str] = []
                with lock:
                    content = b"".join(application(environ, lambda line, *_: status.append(line)))
                return int(status[0].split(" ")[0]), content

            fault = None
            if environ.get("HTTP_X_AMZ_TARGET", "").endswith(".UpdateItem"):
                self.updates += 1
                fault = self.faults.pop(0) if self.faults else None
            code, content = answer() if fault is None else fault(answer)
            start_response(f"{code} Any", [("Content-Length", str(len(content)))])
            return [content]

        self._server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=_Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.client = boto3.client(
            "dynamodb", REGION, endpoint_url=self.url, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret"
        )

    def create(self) -> None:
        """Create it anew, without items."""
        dynamodb_backends[_ACCOUNT][REGION].reset()
        keys = {"consumer": "HASH", "period": "RANGE"}
        self.client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        )

    def item(self, consumer: str) -> dict[str, Any]:
        """A consumer's item as plain values; empty if there is none."""
        key = {"consumer": {"S": consumer}, "period": {"S": "current"}}
        return {
            name: _plain(value)
            for name, value in self.client.get_item(TableName=TABLE, Key=key).get("Item", {}).items()
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _plain(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "N":
        return int(content)
    return {name: _plain(each) for name, each in content.items()} if kind == "M" else content
