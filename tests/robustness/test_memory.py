"""One sandbox serves five thousand requests of every kind without leaking memory, files or threads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.functions import front_door
from bench.runtime_api import RuntimeApi
from bench.template import DeployedFunction
from constructs_lib.front_door.assets import openapi_text
from tests.robustness.checked_client import LLAMA, check_metrics, parse_strict_json
from tests.robustness.fake_sagemaker import FakeSageMaker
from tests.robustness.request_mix import MixedResponder, mixed_events

MODELS = {
    "llama": {"endpoint_name": {"deployed": 0}, "model_id": None, "engine": "tgi", "max_body_bytes": 6291456},
}
WARM_UP_REQUESTS, REQUESTS = 500, 5_000
MAX_GROWTH_KIB = 3 * 1024


class Sandbox:
    """The function in its own process, started through its wrapper as by Lambda."""

    def __init__(self, upstream_port: int, folder: Path) -> None:
        self.api = RuntimeApi(self._alive)
        self.output = output = folder / "output"
        deployed = DeployedFunction(
            archive=folder,
            task_root=Path(__file__).parents[2] / "lambda",
            handler="front_door.lambda_runtime.managed.handler",
            wrapper="front_door/bootstrap",
            models_file=folder / "models.json",
        )
        deployed.models_file.write_text(json.dumps(MODELS))
        (folder / "openapi.json").write_text(openapi_text())
        function = front_door(deployed, upstream_port, LLAMA.endpoint_name)
        with output.open("wb") as sink:
            self._process = subprocess.Popen(
                function.command,
                cwd=function.task_root,
                env=function.process_environment(self.api.address),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )

    def usage(self) -> Counter[str]:
        """Resident memory in KiB, and the numbers of open files and threads."""
        proc = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        memory = int(status["VmRSS"].split()[0])
        return Counter(memory=memory, threads=int(status["Threads"]), files=len([*(proc / "fd").iterdir()]))

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.api.close()

    def _alive(self) -> None:
        assert self._process.poll() is None, self.output.read_text(errors="replace")[-2000:]


@contextmanager
def sandbox(sagemaker: FakeSageMaker) -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory() as folder:
        running = Sandbox(int(sagemaker.url.rpartition(":")[2]), Path(folder))
        try:
            yield running
        finally:
            running.stop()


@pytest.mark.slow
def test_memory_is_flat_over_five_thousand_requests(sagemaker: FakeSageMaker) -> None:
    sagemaker.respond = MixedResponder()
    statuses: Counter[int] = Counter()
    used: list[Counter[str]] = []
    with sandbox(sagemaker) as running:
        for at, event in zip(range(1, REQUESTS + 1), mixed_events(), strict=False):
            statuses[running.api.invoke(event).status] += 1
            sagemaker.received.clear()
            if at == WARM_UP_REQUESTS:
                before = running.usage()
            if at > WARM_UP_REQUESTS and at % 50 == 0:
                used.append(running.usage())
        after = running.usage()
        lines = running.output.read_text().splitlines()
    # An error and its frames refer to each other: what is used rises and falls with the garbage collector's turns.
    half = len(used) // 2
    most = [{name: max(each[name] for each in part) for name in after} for part in (used[:half], used[half:])]
    assert most[1]["memory"] - most[0]["memory"] <= MAX_GROWTH_KIB
    assert most[1]["files"] <= most[0]["files"] + 1  # a connection may be kept for the next request
    assert after["threads"] <= before["threads"]
    assert len(lines) == REQUESTS
    assert statuses[200] > REQUESTS / 3
    parsed = [parse_strict_json(line) for line in lines]
    for line in parsed:
        check_metrics(line)
        assert line.get("error") != "internal", line
    assert [line["request_id"] for line in parsed] == [f"gateway-{at}" for at in range(REQUESTS)]
