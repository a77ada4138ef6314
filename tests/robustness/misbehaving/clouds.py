"""A cloud for each engine, whose container misbehaves, and the memory of its sandboxes."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from local.model_container.openai.engines import ENGINES, Image
from tests.local.model_container.servers import Servers
from tests.robustness.emulated_cloud import STAGE, EmulatedCloud, emulated_cloud
from tests.robustness.misbehaving.cases import Case
from tests.robustness.misbehaving.container import MisbehavingContainer, Respond

OPENAI_ENGINES = {
    "vllm": ({"SM_VLLM_MODEL": "a/b"}, Image("vllm", "0.30.0")),
    "lmi": ({"HF_MODEL_ID": "a/b"}, Image("djl-inference", "0.36.0-lmi27.0.0-cu130")),
}
ENGINE_NAMES = ("tgi", *OPENAI_ENGINES)


def each_on_one_engine(rows: int, columns: int) -> Iterator[tuple[int, int, int]]:
    """The numbers of an engine, a row and a column, each pair on one engine in turn.

    Those of one engine are one after another, as each engine has a cloud of its own.
    """
    for engine, row, column in product(range(len(ENGINE_NAMES)), range(rows), range(columns)):
        if (row + column) % len(ENGINE_NAMES) == engine:
            yield engine, row, column


@dataclass
class Received:
    """A response, and how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass
class MisbehavingCloud:
    """A front door with one model, whose container misbehaves as requests ask for."""

    engine: str
    cloud: EmulatedCloud
    container: MisbehavingContainer
    healthy: dict[str, Received] = field(default_factory=dict)

    def send(self, case: Case, misbehavior: str, seconds: float = 60) -> Received:
        """Send a request; fails if the response has no end after these seconds."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.cloud.port, timeout=seconds)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/{STAGE}{case.path}", case.encode(misbehavior), headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Received(response.status, names, content, time.monotonic() - started)


@contextmanager
def misbehaving_cloud(
    engine: str, misbehaviors: dict[str, Respond], *, timeout_seconds: float = 60
) -> Iterator[MisbehavingCloud]:
    """Run a cloud whose container can do these things."""
    with Servers() as servers:
        if engine == "tgi":
            url = servers.container()
        else:
            variables, image = OPENAI_ENGINES[engine]
            url = servers.serve(ENGINES[engine]({**variables, "TOY_TOKENS_PER_SECOND": "0"}, image))
        container = MisbehavingContainer(engine, url, misbehaviors)
        with emulated_cloud(engine=engine, container_url=container.url, timeout_seconds=timeout_seconds) as cloud:
            yield MisbehavingCloud(engine, cloud, container)
            # SageMaker Runtime goes on reading after its client has left, and the cloud waits for it.
            container.close()


def sandboxes() -> list[int]:
    """The processes of functions that this one has started."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread or a process has just ended
            children = (task / "children").read_text().split()
            found += [int(child) for child in children if b"front_door" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return found


def peak_mebibytes() -> float:
    """The most resident memory that any sandbox has had since it started, or since the last reset."""
    peaks = [0]
    for process in sandboxes():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):  # it has just ended
            status = Path(f"/proc/{process}/status").read_text()
            peaks.append(int(status.partition("VmHWM:")[2].split()[0]))
    return max(peaks) / 1024


def reset_peaks() -> None:
    """Forget the peaks so far."""
    for process in sandboxes():
        with (
            contextlib.suppress(FileNotFoundError, ProcessLookupError),  # it has just ended
            Path(f"/proc/{process}/clear_refs").open("w") as file,
        ):
            file.write("5")
