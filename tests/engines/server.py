"""A real vLLM server, started as AWS's image starts it, from the environment of a template."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from constructs_lib.planning.engines.sagemaker_arguments import Entrypoint, vllm_arguments
from tests.e2e.deployed_cloud import ROOT
from tests.engines.installation import HUB, interpreter

LOGS = ROOT / "build" / "engines"
START_SECONDS = 600
NEEDED_MEMORY_GB = 4
# What a machine without a GPU needs, and one without the hub. Several threads would wait for each other on busy cores.
ON_THIS_MACHINE = {
    "HF_HOME": str(HUB),
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "VLLM_NO_USAGE_STATS": "1",
}


class VllmServer:
    """A server that is started, lost and started again on the same port.

    Args:
        version: Version of vLLM, one of those that are installed.
        environment: The variables of the container, as the template has them.
        entrypoint: What makes arguments of them.
    """

    def __init__(self, version: str, environment: Mapping[str, str], entrypoint: Entrypoint) -> None:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._version = version
        self._log = LOGS / f"vllm-{version}.log"
        python = interpreter(version)
        # The last of two values counts.
        local = ["--host", "127.0.0.1", "--port", str(port), "--enforce-eager"]
        arguments = vllm_arguments(entrypoint, environment, has_artifact=False)
        self._command = [python, "-m", "vllm.entrypoints.openai.api_server", *arguments, *local]
        inherited = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = f"{python.parent}:{os.environ['PATH']}"
        self._environment = {**inherited, **environment, **ON_THIS_MACHINE, "PATH": path}
        self.start()

    def start(self) -> None:
        """Start the server."""
        _check_memory()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        """Wait until the server is healthy.

        Raises:
            AssertionError: It has exited, or takes too long.
        """
        begun = time.monotonic()
        sys.stderr.write(f"\n• vLLM {self._version} starts in 2 to 4 minutes (log: {self._log.relative_to(ROOT)}) ")
        while not self._is_ready():
            waited = time.monotonic() - begun
            assert self.process.poll() is None, f"vLLM exited with {self.process.returncode}:\n{self.log()[-4000:]}"
            assert waited < START_SECONDS, f"vLLM did not start in {START_SECONDS} seconds:\n{self.log()[-4000:]}"
            time.sleep(1)
            if int(waited) % 10 == 9:
                sys.stderr.write(".")
                sys.stderr.flush()
        sys.stderr.write(f" ready after {time.monotonic() - begun:.0f} seconds\n")

    def log(self) -> str:
        """What the server has written."""
        return self._log.read_text(errors="replace")

    def metric(self, name: str) -> float:
        """The sum of a metric's series, such as `num_requests_running`."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as response:
            lines = response.read().decode().splitlines()
        series = [line for line in lines if line.startswith(f"vllm:{name}{{")]
        assert series, f"vLLM has no metric {name}"
        return sum(float(line.rsplit(" ", 1)[1]) for line in series)

    def kill_engine(self) -> None:
        """Kill the process that computes; the one that answers then ends by itself."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        engines = [child for child in children if Path(f"/proc/{child}/comm").read_text().startswith("VLLM::Engine")]
        assert len(engines) == 1, children
        os.kill(int(engines[0]), signal.SIGKILL)

    def kill(self) -> None:
        """Kill the server and its engine at once, as a lost instance would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=10) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _check_memory() -> None:
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 1e6
    assert available > NEEDED_MEMORY_GB, f"vLLM needs {NEEDED_MEMORY_GB} GB of memory, and {available:.1f} GB are free"
