"""A running `serve`, and a client of its API for the end-to-end tests."""

from __future__ import annotations

import http.client
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
SESSIONS = ROOT / ".cache" / "sessions"
READY_SECONDS = 120.0


@dataclass
class Response:
    """A response with the arrival times of its chunks, in seconds after the request."""

    status: int
    headers: dict[str, str]
    body: bytes
    times: list[float] = field(default_factory=list)

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        lines = [line for line in self.body.decode().splitlines() if line.startswith("data:")]
        return [json.loads(line[5:]) for line in lines if line[5:].strip() != "[DONE]"]


class RateLimiter:
    """Keeps the tests below the throttling of the deployed usage plan: 10 requests a second, burst 20."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = 12.0
        self._filled = time.monotonic()

    def take(self, count: int = 1) -> None:
        with self._lock:
            while True:
                now = time.monotonic()
                self._tokens = min(12.0, self._tokens + (now - self._filled) * 8)
                self._filled = now
                if self._tokens >= count:
                    self._tokens -= count
                    return
                time.sleep((count - self._tokens) / 8)


@dataclass
class Cloud:
    """A running `serve`: the values of its JSON line, the URL for faults, and its log."""

    url: str
    api_key: str
    models: list[str]
    faults_url: str
    limiter: RateLimiter = field(default_factory=RateLimiter)
    api_keys: dict[str, str] = field(default_factory=dict)
    log: Callable[[], str] = lambda: ""

    @classmethod
    def of(cls, serve: Serve) -> Cloud:
        """Waits until a `serve` is ready."""
        line = json.loads(serve.line())
        keys = line.get("api_keys", {})
        return cls(line["url"], line["api_key"], line["models"], serve.faults_url(), api_keys=keys, log=serve.log)

    def connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)

    def request(
        self,
        verb: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        key: str | None = "",
        limited: bool = True,
    ) -> Response:
        """Sends a request.

        Args:
            verb: The HTTP method.
            path: The path below the stage.
            body: Bytes, or a value that is sent as JSON.
            headers: Additional headers.
            key: The API key; "" for the deployed key, None for no key.
            limited: Whether the rate limiter applies.
        """
        if limited:
            self.limiter.take()
        sent = {"Authorization": f"Bearer {key or self.api_key}"} if key is not None else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = self.connect()
        try:
            started = time.monotonic()
            connection.request(verb, urlsplit(self.url).path + path, data, {**sent, **(headers or {})})
            response = connection.getresponse()
            content, times = b"", []
            while chunk := response.read1(65536):
                content += chunk
                times.append(time.monotonic() - started)
            names = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, names, content, times)
        finally:
            connection.close()

    def inject(self, fault: str, **options: Any) -> None:
        self._faults("PUT", {"fault": fault, "count": 1, **options})

    def refuse_connections(self, seconds: float) -> None:
        """Makes SageMaker Runtime refuse connections for some seconds."""
        self._faults("PUT", {"fault": "refused", "seconds": seconds})

    def clear_faults(self) -> None:
        self._faults("DELETE", None)

    def pending_faults(self) -> list[Any]:
        pending: list[Any] = json.loads(self._faults("GET", None))["faults"]
        return pending

    def _faults(self, verb: str, body: Any) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.faults_url, data, method=verb), timeout=10) as response:
            assert response.status in (200, 204)
            content: bytes = response.read()
            return content


class Serve:
    """A `python -m local serve` process with its standard error in a file."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self._log = log
        self._log_file = log.open("wb")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve", "--port", "0", "--logs", *arguments],
            cwd=ROOT,
            env={**inherited, "TOY_TOKENS_PER_SECOND": "250", **environment},
            stdout=subprocess.PIPE,
            stderr=self._log_file,
        )

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *_: object) -> None:
        """Kills the process if the test has not stopped it."""
        if self.process.poll() is None:
            self.end(signal.SIGKILL)

    def line(self) -> str:
        """Waits for the JSON line on standard output."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(READY_SECONDS), f"not ready: {self.log()}"
        line = self.process.stdout.readline().decode()
        assert line, f"exited before it was ready: {self.log()}"
        return line

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def faults_url(self) -> str:
        """The URL for faults, from the log."""
        line = next(line for line in self.log().splitlines() if line.startswith("Inject faults:"))
        return next(word for word in line.split() if word.startswith("http"))

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Sends a signal; returns the exit code and the rest of standard output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self._log_file.close()
        return self.process.returncode, rest.decode()


def processes_of(command: int) -> list[int]:
    """The child processes of a command: their environment has its folder, which is named after its process id."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"/sessions/{command}-".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
    return found


def wait_until_nothing_is_left(command: int) -> None:
    deadline = time.monotonic() + 10
    while (processes := processes_of(command)) or list(SESSIONS.glob(f"{command}-*")):
        folders = list(SESSIONS.glob(f"{command}-*"))
        assert time.monotonic() < deadline, f"left: processes {processes}, folders {folders}"
        time.sleep(0.05)
