"""Cold start: from the start of the process to the whole answer of its first invocation, with one upstream call."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure, Samples, median_ratio, paired
from bench.functions import BUFFERED, CHAT, STREAMED, Route, front_door, proxy_event, reference, upstream
from bench.sandbox import Function, Sandbox, own_peak

REFERENCE = "awslambdaric + boto3"
OURS = {
    "buffered": BUFFERED,
    "streamed": STREAMED,
    "chat": CHAT,
}


def measure(asset: Path, rounds: int, step: Callable[[str], None]) -> list[Figure]:
    """Compare the front door with AWS's runtime client and boto3.

    The packages of the managed runtime (botocore, boto3, awslambdaric) have their .pyc files, as on Lambda; what lies
    in the task root has none and cannot get any, for either side.
    """
    _compile_packages()
    peaks: Samples = {}
    with upstream() as port:
        variants = {REFERENCE: _start(REFERENCE, reference(port, "burst-generate-20"), BUFFERED, peaks)}
        for route in OURS.values():
            ours = front_door(asset, port, f"burst-{route.speaks}-20")
            variants[_name(route)] = _start(_name(route), ours, route, peaks)
        starts = paired(variants, rounds, step)
    figures = []
    for key, route in OURS.items():
        name = _name(route)
        figures.append(_figure(f"cold.start.{key}", f"cold start, {name}", starts, name, "ms"))
        kept = {variant: values[1:] for variant, values in peaks.items()}
        figures.append(_figure(f"cold.memory.{key}", f"peak memory, {name}", kept, name, "MiB"))
    return figures


def _name(route: Route) -> str:
    return f"front door, {route.path}"


def _start(name: str, function: Function, route: Route, peaks: Samples) -> Callable[[], float]:
    """A measurement in milliseconds, which also notes the peak memory in MiB."""

    def measurement() -> float:
        sandbox, before = Sandbox(function), own_peak()
        try:
            answer = sandbox.invoke(proxy_event(route))
        finally:
            peak = sandbox.stop()
        if route.end not in answer.body.body:
            raise RuntimeError(f"{name} answered {answer.body.body!r}")
        if peak <= before:
            raise RuntimeError(f"peak memory of {name} hidden: the bench itself has used {before >> 20} MiB")
        peaks.setdefault(name, []).append(peak / 2**20)
        return (answer.done - sandbox.started) / 1e6

    return measurement


def _figure(key: str, what: str, samples: Samples, name: str, unit: str) -> Figure:
    return Figure(
        key=key,
        what=what,
        ours=f"{statistics.median(samples[name]):.0f} {unit}",
        reference=f"{statistics.median(samples[REFERENCE]):.0f} {unit}",
        value=median_ratio(samples[name], samples[REFERENCE]),
        unit="x",
        limit=1.0,
        samples={variant: samples[variant] for variant in (name, REFERENCE)},
    )


def _compile_packages() -> None:
    """Give the packages that the managed runtime brings their .pyc files, where they are missing."""
    for package in ("botocore", "boto3", "awslambdaric", "urllib3", "jmespath", "s3transfer", "dateutil"):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{package} is not installed")
        if not Path(importlib.util.cache_from_source(spec.origin)).exists():
            command = [sys.executable, "-m", "compileall", "-q", str(Path(spec.origin).parent)]
            subprocess.run(command, check=True)
