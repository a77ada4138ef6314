"""Cold start: from process start to the end of the response to the first invocation, with one upstream call."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure, Samples, median_ratio, paired
from bench.functions import (
    BUFFERED,
    CHAT,
    MESSAGES,
    RESPONSES,
    STREAMED,
    Route,
    front_door,
    proxy_event,
    reference,
    upstream,
)
from bench.sandbox import Function, Sandbox
from bench.template import DeployedFunction

REFERENCE = "awslambdaric + boto3"
OURS = {
    "buffered": BUFFERED,
    "streamed": STREAMED,
    "chat": CHAT,
    "responses": RESPONSES,
    "messages": MESSAGES,
}


def measure(function: DeployedFunction, rounds: int, step: Callable[[str], None]) -> list[Figure]:
    """Compare the front door with AWS's runtime client and boto3.

    As on Lambda, the packages of the managed runtime (botocore, boto3, awslambdaric) have .pyc files, and neither task
    root has or gets any.

    Args:
        function: The front door's function.
        rounds: Number of measurements of each variant.
        step: Called with a description of each measurement.
    """
    _compile_packages()
    peaks: Samples = {}
    with upstream() as port:
        variants = {REFERENCE: _start(REFERENCE, reference(port, "burst-generate-20"), BUFFERED, peaks)}
        for route in OURS.values():
            ours = front_door(function, port, f"burst-{route.stream_format}-20")
            variants[_name(route)] = _start(_name(route), ours, route, peaks)
        starts = paired(variants, rounds, step)
    figures = []
    for key, route in OURS.items():
        name = _name(route)
        figures.append(_figure(f"cold.start.{key}", f"cold start, {name}", starts, name, "ms", limit=0.75))
        without_warm_up = {variant: values[1:] for variant, values in peaks.items()}
        figures.append(_figure(f"cold.memory.{key}", f"peak memory, {name}", without_warm_up, name, "MiB", limit=1.0))
    return figures


def _name(route: Route) -> str:
    return f"front door, {route.path}"


def _start(name: str, function: Function, route: Route, peaks: Samples) -> Callable[[], float]:
    """A measurement in milliseconds that also appends the peak memory, in MiB, to `peaks`."""

    def measurement() -> float:
        sandbox = Sandbox(function)
        try:
            response = sandbox.invoke(proxy_event(route))
        finally:
            peak = sandbox.stop()
        if route.end not in response.body.body:
            raise RuntimeError(f"{name} responded {response.body.body!r}")
        peaks.setdefault(name, []).append(peak / 2**20)
        return (response.done - sandbox.started) / 1e6

    return measurement


def _figure(key: str, description: str, samples: Samples, name: str, unit: str, *, limit: float) -> Figure:
    return Figure(
        key=key,
        description=description,
        ours=f"{statistics.median(samples[name]):.0f} {unit}",
        reference=f"{statistics.median(samples[REFERENCE]):.0f} {unit}",
        value=median_ratio(samples[name], samples[REFERENCE]),
        unit="x",
        limit=limit,
        samples={variant: samples[variant] for variant in (name, REFERENCE)},
    )


def _compile_packages() -> None:
    """Compile the packages that the managed runtime provides, if they have no .pyc files."""
    for package in ("botocore", "boto3", "awslambdaric", "urllib3", "jmespath", "s3transfer", "dateutil"):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{package} is not installed")
        if not Path(importlib.util.cache_from_source(spec.origin)).exists():
            command = [sys.executable, "-m", "compileall", "-q", str(Path(spec.origin).parent)]
            subprocess.run(command, check=True)
