"""The two functions that are compared, their upstream, and the request that both receive."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from bench.sandbox import Function
from bench.template import DeployedFunction
from bench.wire import Arrivals, receive

REFERENCE_ROOT = Path(__file__).parent / "reference"
GENERATED_TEXT = b"the generated text"
"""The text that the upstream generates."""


class Marks(NamedTuple):
    """What a stream has: `token` once per token, `end` at its end."""

    token: bytes
    end: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the front door.

    Args:
        path: Its path.
        request: The request body.
        stream_format: What the upstream streams: `generate`, `chat` or `completion`.
        token: Bytes that occur in the stream once per token.
        end: Bytes at the end of the stream.
        engine: What the upstream is, by the name in the function's models.
        theirs: What marks a token and the end in what the upstream streams. Default: the same.
    """

    path: str
    request: dict[str, Any]
    stream_format: str
    token: bytes
    end: bytes
    engine: str = "tgi"
    theirs: Marks | None = None

    @property
    def upstream(self) -> Marks:
        """What marks a token and the end in what the upstream streams."""
        return self.theirs or Marks(self.token, self.end)


_GENERATE = {"inputs": "What is deep learning?", "parameters": {"max_new_tokens": 20, "do_sample": False}}
_CHAT = {"model": "llama", "messages": [{"role": "user", "content": "What is deep learning?"}], "stream": True}
BUFFERED = Route(path="/generate", request=_GENERATE, stream_format="generate", token=b'"index":', end=GENERATED_TEXT)
STREAMED = Route(
    path="/generate_stream", request=_GENERATE, stream_format="generate", token=b'"index":', end=GENERATED_TEXT
)
CHAT = Route(
    path="/v1/chat/completions", request=_CHAT, stream_format="chat", token=b'"content":" token', end=b"[DONE]"
)
RESPONSES = Route(
    path="/v1/responses",
    request={"model": "llama", "input": "What is deep learning?", "stream": True},
    stream_format="chat",
    token=b'"delta":" token',
    end=b'"annotations":[]}]}]}}\n\n',
    theirs=Marks(CHAT.token, CHAT.end),
)
MESSAGES = Route(
    path="/v1/messages",
    request={**_CHAT, "max_tokens": 20},
    stream_format="chat",
    token=b'"text":" token',
    end=b"event: message_stop",
    theirs=Marks(CHAT.token, CHAT.end),
)
TRANSLATED = Route(
    path="/generate_stream",
    request=_GENERATE,
    stream_format="completion",
    token=b'"index":',
    end=b'","details":null}\n\n',
    engine="vllm",
    theirs=Marks(b'"choices":[{"index":0,', b"[DONE]"),
)

_SAGEMAKER_RUNTIME = "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"


def front_door(function: DeployedFunction, upstream_port: int, endpoint_name: str) -> Function:
    """This project's function, started through its exec wrapper."""
    upstream = f"http://127.0.0.1:{upstream_port}"
    wrapper = function.task_root / function.wrapper
    return Function(
        command=[str(wrapper), sys.executable, "/var/runtime/bootstrap.py"],
        task_root=function.task_root,
        environment={
            "_HANDLER": function.handler,
            "AWS_LAMBDA_EXEC_WRAPPER": str(wrapper),
            "MODELS_FILE": str(function.models_file),
            "DEPLOYED_VALUES": endpoint_name,
            "FRONT_DOOR": "Bench/FrontDoor",
            "SAGEMAKER_RUNTIME_URL": upstream,
            "SAGEMAKER_URL": upstream,
            _SAGEMAKER_RUNTIME: upstream,
        },
    )


def of_engine(function: DeployedFunction, engine: str, folder: Path) -> DeployedFunction:
    """The same function for endpoints that run another engine; the file of its models is written to a folder."""
    entries = json.loads(function.models_file.read_text())
    models_file = folder / f"{engine}.json"
    models_file.write_text(json.dumps({name: {**entry, "engine": engine} for name, entry in entries.items()}))
    return replace(function, models_file=models_file)


def reference(upstream_port: int, endpoint_name: str) -> Function:
    """AWS's runtime client with a boto3 handler that makes the same call buffered."""
    return Function(
        command=[sys.executable, str(REFERENCE_ROOT / "bootstrap.py")],
        task_root=REFERENCE_ROOT,
        environment={
            "_HANDLER": "handler.handler",
            "ENDPOINT_NAME": endpoint_name,
            _SAGEMAKER_RUNTIME: f"http://127.0.0.1:{upstream_port}",
        },
    )


def proxy_event(route: Route) -> dict[str, Any]:
    """The event that API Gateway sends to the function for a request to a route."""
    path = route.path
    headers = {"Content-Type": "application/json", "Accept": "*/*", "Authorization": "Bearer bench", "Host": "bench"}
    return {
        "resource": path,
        "path": path,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": "POST",
            "path": f"/prod{path}",
            "stage": "prod",
            "requestId": "00000000-0000-4000-8000-000000000000",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "bench", "apiKeyId": "bench"},
            "authorizer": {"principalId": "bench"},
        },
        "body": json.dumps(route.request, ensure_ascii=False, separators=(",", ":")),
        "isBase64Encoded": False,
    }


@contextlib.contextmanager
def upstream(certificate: Path | None = None) -> Iterator[int]:
    """Run the fake SageMaker Runtime in a process of its own; yields its port.

    Args:
        certificate: A file with a certificate and its private key. Default: it speaks plain HTTP.
    """
    command = [sys.executable, "-m", "bench.upstream", *([] if certificate is None else [str(certificate)])]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - narrows the type
        assert process.stdout is not None  # noqa: S101
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


class Direct:
    """A client that calls the upstream directly, over one persistent connection."""

    def __init__(self, upstream_port: int, endpoint_name: str, route: Route) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", upstream_port, timeout=60)
        self._path = f"/endpoints/{endpoint_name}/invocations-response-stream"
        self._body = json.dumps({**route.request, "stream": True})

    def call(self) -> Arrivals:
        """Make the streaming call and read it to its end."""
        self._connection.request("POST", self._path, self._body, {"content-type": "application/json"})
        response = self._connection.getresponse()
        return receive(lambda: response.read1(65536))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
