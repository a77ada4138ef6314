"""A running `serve`, and what the end-to-end tests ask of it."""

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
RUNS = ROOT / ".cache" / "runs"
READY_SECONDS = 120.0


@dataclass
class Answer:
    """An answer and when its pieces came, in seconds after the request."""

    status: int
    headers: dict[str, str]
    body: bytes
    times: list[float] = field(default_factory=list)

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        lines = [line for line in self.body.decode().splitlines() if line.startswith("data:")]
        return [json.loads(line[5:]) for line in lines if line[5:].strip() != "[DONE]"]


class Pace:
    """Keeps the tests below the deployed usage plan's 10 requests a second, burst 20."""

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
    """A running `serve`: what its JSON line said, where faults are injected, and what it tells meanwhile."""

    url: str
    api_key: str
    models: list[str]
    faults_url: str
    pace: Pace = field(default_factory=Pace)
    api_keys: dict[str, str] = field(default_factory=dict)
    told: Callable[[], str] = lambda: ""

    @classmethod
    def of(cls, serve: Serve) -> Cloud:
        """The cloud of a `serve` that gets ready."""
        told = json.loads(serve.line())
        keys = told.get("api_keys", {})
        return cls(told["url"], told["api_key"], told["models"], serve.faults_url(), api_keys=keys, told=serve.told)

    def connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)

    def ask(
        self,
        verb: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        key: str | None = "",
        paced: bool = True,
    ) -> Answer:
        """One request; `key` "" is the deployed key, None sends none. Bodies that are not bytes are sent as JSON."""
        if paced:
            self.pace.take()
        sent = {"Authorization": f"Bearer {key or self.api_key}"} if key is not None else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = self.connect()
        try:
            started = time.monotonic()
            connection.request(verb, urlsplit(self.url).path + path, data, {**sent, **(headers or {})})
            response = connection.getresponse()
            told, times = b"", []
            while piece := response.read1(65536):
                told += piece
                times.append(time.monotonic() - started)
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, told, times)
        finally:
            connection.close()

    def inject(self, fault: str, **options: Any) -> None:
        self._faults("PUT", {"fault": fault, "count": 1, **options})

    def refuse_connections(self, seconds: float) -> None:
        """SageMaker Runtime takes no connection for so long."""
        self._faults("PUT", {"fault": "refused", "seconds": seconds})

    def clear_faults(self) -> None:
        self._faults("DELETE", None)

    def pending_faults(self) -> list[Any]:
        pending: list[Any] = json.loads(self._faults("GET", None))["faults"]
        return pending

    def _faults(self, verb: str, body: Any) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.faults_url, data, method=verb), timeout=10) as answer:
            assert answer.status in (200, 204)
            told: bytes = answer.read()
            return told


class Serve:
    """A `python -m local serve` process; its standard error goes to a file."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self.log = log
        self._log_file = log.open("wb")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "serve", "--port", "0", *arguments],
            cwd=ROOT,
            env={**kept, "TOY_TOKENS_PER_SECOND": "250", **environment},
            stdout=subprocess.PIPE,
            stderr=self._log_file,
        )

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it where a test has failed before it was ended."""
        if self.process.poll() is None:
            self.end(signal.SIGKILL)

    def line(self) -> str:
        """The one line on standard output, waited for."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(READY_SECONDS), f"not ready: {self.told()}"
        line = self.process.stdout.readline().decode()
        assert line, f"ended before it was ready: {self.told()}"
        return line

    def told(self) -> str:
        return self.log.read_text(errors="replace")

    def faults_url(self) -> str:
        """Where faults are injected, as it is told to people."""
        line = next(line for line in self.told().splitlines() if line.startswith("Faults:"))
        return next(word for word in line.split() if word.startswith("http"))

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Sends a signal; the exit code and what else came on standard output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self._log_file.close()
        return self.process.returncode, rest.decode()


def processes_of(run: int) -> list[int]:
    """Everything that still belongs to a run: its folder, named after its process, is in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"/runs/{run}-".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
    return found


def wait_until_nothing_is_left(run: int) -> None:
    deadline = time.monotonic() + 10
    while (processes := processes_of(run)) or list(RUNS.glob(f"{run}-*")):
        assert time.monotonic() < deadline, f"left: processes {processes}, folders {list(RUNS.glob(f'{run}-*'))}"
        time.sleep(0.05)
