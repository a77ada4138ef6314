"""Synth: the whole process of the CDK app against an app with one empty stack."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure, Samples, median_ratio, paired

ROOT = Path(__file__).parents[1]
STACK = "LlamaTgiStack"
EMPTY, WITH_PACKS, WITHOUT_PACKS = "empty app", "app with both packs", "app without packs"


def project_context() -> dict[str, object]:
    """What the CDK CLI hands to the app: the context of cdk.json, and which stack is asked for."""
    return {**json.loads((ROOT / "cdk.json").read_text())["context"], "stacks": STACK}


def run(program: Path, out: Path, context: dict[str, object]) -> None:
    """Synthesize a CDK app into `out`, started as the CDK CLI starts it.

    PYTHONDONTWRITEBYTECODE is not handed on: Python may write and use its .pyc files.

    Raises:
        RuntimeError: The app failed; with what it said.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / ".cache" / "jsii"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, str(program)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{program.name} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def function_asset(out: Path) -> Path:
    """The front door's asset in an assembly: what the CDK CLI would zip.

    Raises:
        RuntimeError: There is none, or more than one.
    """
    found = {path.parents[1] for path in out.glob("asset.*/front_door/entry.py")}
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} assets in {out} have a front_door/entry.py, one was expected")
    return found.pop()


def measure(rounds: int, step: Callable[[str], None]) -> list[Figure]:
    """Compare the app with a plain one of one empty stack, which has no context and no rule packs.

    The warm-up round leaves .pyc files and jsii's cache behind, for each of them.
    """
    context = project_context()
    programs: dict[str, tuple[Path, dict[str, object]]] = {
        EMPTY: (Path(__file__).with_name("empty_app.py"), {}),
        WITH_PACKS: (ROOT / "app.py", context),
        WITHOUT_PACKS: (ROOT / "app.py", {**context, "nag": "off"}),
    }
    samples = paired({name: _timed(*program) for name, program in programs.items()}, rounds, step)
    return [
        _figure("synth.with_packs", f"synth of {STACK} with both rule packs", samples, WITH_PACKS, 2.1),
        _figure("synth.without_packs", f"synth of {STACK} without them", samples, WITHOUT_PACKS, 1.7),
    ]


def _timed(program: Path, context: dict[str, object]) -> Callable[[], float]:
    def measurement() -> float:
        with tempfile.TemporaryDirectory() as out:
            begin = time.monotonic()
            run(program, Path(out), context)
            return time.monotonic() - begin

    return measurement


def _figure(key: str, what: str, samples: Samples, name: str, limit: float) -> Figure:
    return Figure(
        key=key,
        what=what,
        ours=f"{statistics.median(samples[name]):.2f} s",
        reference=f"{statistics.median(samples[EMPTY]):.2f} s",
        value=median_ratio(samples[name], samples[EMPTY]),
        unit="x",
        limit=limit,
        samples={variant: samples[variant] for variant in (name, EMPTY)},
    )
