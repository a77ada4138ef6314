"""Synth: the whole process of the CDK app, with one stack and with all, against an app with one empty stack."""

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
EMPTY, WITH_PACKS, WITHOUT_PACKS, ALL = "empty app", "app with both packs", "app without packs", "app with all stacks"


def project_context(stacks: str = STACK) -> dict[str, object]:
    """What the CDK CLI hands to the app.

    Args:
        stacks: Which stacks are asked for; empty for all that there are.
    """
    return {**json.loads((ROOT / "cdk.json").read_text())["context"], "stacks": stacks}


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
    found = {path.parents[1] for path in out.glob("asset.*/front_door/main.py")}
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} assets in {out} have a front_door/main.py, one was expected")
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
        ALL: (ROOT / "app.py", project_context(stacks="")),
    }
    stacks = number_of_stacks(*programs[ALL])
    samples = paired({name: _timed(*program) for name, program in programs.items()}, rounds, step)
    return [
        _figure("synth.with_packs", f"synth of {STACK} with both rule packs", samples, WITH_PACKS, 2.1),
        _figure("synth.without_packs", f"synth of {STACK} without them", samples, WITHOUT_PACKS, 1.7),
        _figure("synth.all", f"synth of all {stacks} stacks with both rule packs", samples, ALL, 3.2),
        one_more(samples, stacks),
    ]


def number_of_stacks(program: Path, context: dict[str, object]) -> int:
    """How many stacks an app has, each of which is a template in its assembly."""
    with tempfile.TemporaryDirectory() as out:
        run(program, Path(out), context)
        return len(list(Path(out).glob("*.template.json")))


def one_more(samples: Samples, stacks: int) -> Figure:
    """What one more stack adds: the difference of all and one, shared out, against the empty app of the same round.

    Args:
        samples: Seconds of each variant, round by round.
        stacks: How many stacks the app has in all.

    Raises:
        RuntimeError: The app has one stack, so there is no other to share the difference with.
    """
    if stacks < 2:
        raise RuntimeError(f"the app has {stacks} stacks, so nothing can be said of one more")
    rounds = zip(samples[ALL], samples[WITH_PACKS], samples[EMPTY], strict=True)
    added = [((all_stacks - one) / (stacks - 1), empty) for all_stacks, one, empty in rounds]
    return Figure(
        key="synth.one_more",
        what="one more stack adds",
        ours=f"{statistics.median(seconds for seconds, _ in added):.3f} s",
        reference=f"{statistics.median(samples[EMPTY]):.2f} s",
        value=statistics.median(seconds / empty for seconds, empty in added),
        unit="x",
        limit=0.1,
        samples={variant: samples[variant] for variant in (ALL, WITH_PACKS, EMPTY)},
    )


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
