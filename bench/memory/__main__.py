"""`python -m bench.memory`: measure the function on this machine, and print the tables of docs/scaling.md.

Linux only. Processor time is that of this machine's processor, which is not Lambda's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import report, synth
from bench.functions import upstream
from bench.memory import sizes
from bench.memory.cases import cold_starts, largest_answers, largest_requests
from bench.memory.measure import Bench, Measured, Warm
from bench.memory.tls import create_certificate
from bench.template import front_door_function


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        0; 1 if a measurement failed.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the function (default: this one)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args(arguments)
    progress = report.Progress("memory")
    try:
        measured = _measure(options.python, 3 if options.quick else 21, progress)
    except (RuntimeError, TimeoutError) as error:
        sys.stderr.write(f"bench.memory: {error}\n")
        return 1
    finally:
        progress.done()
    sys.stdout.write("\n".join(tables(*measured)) + "\n")
    return 0


def _measure(
    python: str, rounds: int, progress: report.Progress
) -> tuple[str, list[Measured], list[Measured], list[Measured], Warm]:
    command = [python, "-c", "import platform; print(platform.python_implementation(), platform.python_version())"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        assembly, certificate = Path(folder, "assembly"), create_certificate(Path(folder))
        assembly.mkdir()
        progress.step("assembly")
        synth.run(synth.ROOT / "app.py", assembly, {**synth.project_context(), "nag": "off"})
        with upstream(certificate.certificate) as port:
            bench = Bench(front_door_function(assembly), port, certificate, python, progress.step)
            return (
                version,
                bench.measure(cold_starts(), rounds),
                bench.measure(largest_requests(), 1),
                bench.measure(largest_answers(), 1),
                bench.measure_warm(),
            )


def tables(
    version: str, cold: Sequence[Measured], requests: Sequence[Measured], answers: Sequence[Measured], warm: Warm
) -> Iterator[str]:
    """The lines of the tables, in Markdown.

    Args:
        version: The interpreter.
        cold: The cold starts.
        requests: The largest requests.
        answers: The largest answers.
        warm: A warm sandbox.
    """
    yield f"| cold start, {version} | start | first request | peak memory |"
    yield "|---|--:|--:|--:|"
    yield from map(_row, cold)
    yield ""
    yield "| largest requests and answers | start | first request | peak memory |"
    yield "|---|--:|--:|--:|"
    yield from map(_row, (*requests, *answers))
    yield ""
    yield f"Warm: {warm.request_seconds * 1000:.1f} ms a request, {warm.token_seconds * 1e6:.0f} µs a token."
    yield ""
    projected = sizes.project(cold, (*requests, *answers), warm)
    chosen = sizes.smallest(projected)
    yield f"| MiB | cold start | left by the largest | warm request | tokens a second | {sizes.STREAMS} open streams |"
    yield "|--:|--:|--:|--:|--:|--:|"
    for size in projected:
        name = f"**{size.mib}**" if size is chosen else str(size.mib)
        yield (
            f"| {name} | {size.cold_start_seconds:.2f} s | {size.free_mib:.0f} MiB |"
            f" {size.request_seconds * 1000:.0f} ms | {size.tokens_per_second:,.0f} |"
            f" ${size.usd_per_hour:.2f} an hour |"
        )


def _row(each: Measured) -> str:
    start, request = each.start_seconds * 1000, each.request_seconds * 1000
    return f"| {each.name} | {start:.0f} ms | {request:.0f} ms | {each.peak_mib:.0f} MiB |"


if __name__ == "__main__":
    sys.exit(main())
