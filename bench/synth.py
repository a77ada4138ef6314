"""Synth: the process of the CDK app with one stack and with all, against an app with one empty stack."""

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
EMPTY = "empty app"
WITH_PACKS = "one stack with both rule packs"
WITHOUT_PACKS = "one stack without rule packs"
ALL = "all stacks with both rule packs"
EMPTY_WITH_PACKS = "empty app with both rule packs"
EVERYTHING = "everything that scales"
WATCHED = "one stack with all its switches on"
SWITCHES = {
    "playground": "on",
    "cors": "https://chat.example.com",
    "detailed_observability": "on",
    "monitoring": "on",
    "alarm_email": "team@example.com",
}
"""The context of `WATCHED`, beside what is on by default: the smoke test, tags and both rule packs."""


def project_context(stacks: str = STACK) -> dict[str, object]:
    """The context that the CDK CLI passes to the app.

    Args:
        stacks: The stacks to synthesize; empty: all.
    """
    return {**json.loads((ROOT / "cdk.json").read_text())["context"], "stacks": stacks}


def run(program: Path, out: Path, context: dict[str, object]) -> None:
    """Synthesize a CDK app into `out`, started as the CDK CLI does.

    PYTHONDONTWRITEBYTECODE is not passed on: Python may write and use .pyc files.

    Raises:
        RuntimeError: The app failed; with its output.
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


def measure(rounds: int, step: Callable[[str], None]) -> list[Figure]:
    """Compare the app with one that has one empty stack, no context and no rule packs.

    What has everything that scales is compared with an empty stack with both rule packs.

    The warm-up round creates the .pyc files and jsii's cache for each of them.

    Args:
        rounds: Number of measurements of each variant.
        step: Called with a description of each measurement.
    """
    context = project_context()
    programs: dict[str, tuple[Path, dict[str, object]]] = {
        EMPTY: (Path(__file__).with_name("empty_app.py"), {}),
        WITH_PACKS: (ROOT / "app.py", context),
        WITHOUT_PACKS: (ROOT / "app.py", {**context, "nag": "off"}),
        ALL: (ROOT / "app.py", project_context(stacks="")),
        EMPTY_WITH_PACKS: (Path(__file__).with_name("empty_app_with_packs.py"), context),
        EVERYTHING: (Path(__file__).with_name("everything_app.py"), context),
        WATCHED: (ROOT / "app.py", context | SWITCHES),
    }
    stacks = number_of_stacks(*programs[ALL])
    samples = paired({name: _timed(*program) for name, program in programs.items()}, rounds, step)
    return [
        _figure("synth.with_packs", f"synth of {STACK} with both rule packs", samples, WITH_PACKS, 2.1),
        _figure("synth.without_packs", f"synth of {STACK} without rule packs", samples, WITHOUT_PACKS, 1.7),
        _figure("synth.all", f"synth of all {stacks} stacks with both rule packs", samples, ALL, 1.5 + 0.1 * stacks),
        further_stack(samples, stacks),
        _figure("synth.everything", "synth of everything that scales", samples, EVERYTHING, 2.2, EMPTY_WITH_PACKS),
        _figure("synth.watched", f"synth of {STACK} with all its switches on", samples, WATCHED, 2.4),
    ]


def number_of_stacks(program: Path, context: dict[str, object]) -> int:
    """The number of stacks of an app, each of which has a template in its assembly."""
    with tempfile.TemporaryDirectory() as out:
        run(program, Path(out), context)
        return len(list(Path(out).glob("*.template.json")))


def further_stack(samples: Samples, stacks: int) -> Figure:
    """The time of each further stack, from all stacks and one, against the empty app of the same round.

    Args:
        samples: Seconds of each variant, by round.
        stacks: Number of stacks of the app.

    Raises:
        RuntimeError: The app has fewer than two stacks.
    """
    if stacks < 2:
        raise RuntimeError(f"the app has {stacks} stacks; measuring a further stack requires two")
    rounds = zip(samples[ALL], samples[WITH_PACKS], samples[EMPTY], strict=True)
    added = [((all_stacks - one) / (stacks - 1), empty) for all_stacks, one, empty in rounds]
    return Figure(
        key="synth.further_stack",
        description="each further stack",
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


def _figure(key: str, description: str, samples: Samples, name: str, limit: float, reference: str = EMPTY) -> Figure:
    return Figure(
        key=key,
        description=description,
        ours=f"{statistics.median(samples[name]):.2f} s",
        reference=f"{statistics.median(samples[reference]):.2f} s",
        value=median_ratio(samples[name], samples[reference]),
        unit="x",
        limit=limit,
        samples={variant: samples[variant] for variant in (name, reference)},
    )
