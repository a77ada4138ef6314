"""`python -m bench.scaling`: simulate an endpoint that scales, and print what each way to scale costs and brings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.scaling import compare, prefixes, sweep
from bench.scaling.case import CASES, case, highest_rate
from bench.scaling.sweep import COOLDOWNS, FACTORS, SHARES, Setting
from bench.scaling.tables import Progress, Table
from constructs_lib.planning.scaling.concurrency import FACTOR
from constructs_lib.planning.scaling.policies import SCALE_IN_SHARE, SCALE_OUT_COOLDOWN

PARTS = ("loads", "routing", "sweep")
DOCS = Path(__file__).resolve().parents[2] / "docs"
_EPILOG = """loads    four loads, the same requests for each way to scale
routing  when prefix-aware routing pays
sweep    what the defaults of planning/scaling are chosen by; only on request, takes minutes"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate the selected parts.

    Args:
        arguments: The command line without the program's name. Default: that of the process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench.scaling",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part only (may be repeated)")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random (default: 1)")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument(
        "--plot",
        nargs="?",
        const=DOCS,
        type=Path,
        metavar="FOLDER",
        help="write SVG files of the loads (default: docs)",
    )
    options = parser.parse_args(arguments)
    parts = options.only or ["loads", "routing"]
    if options.plot and "loads" not in parts:
        parser.error("--plot draws the part loads")
    progress = Progress()
    try:
        tables = list(_simulate(parts, options.seed, options.plot, progress.step))
    except KeyboardInterrupt:
        return 130
    finally:
        progress.done()
    if not options.markdown:
        _show_case(options.seed)
    for table in tables:
        if options.markdown:
            sys.stdout.write(f"{table.title}\n\n{table.markdown()}\n\n")
        else:
            table.show()
    return 0


def _simulate(parts: Sequence[str], seed: int, plot: Path | None, step: Callable[[str], None]) -> list[Table]:
    tables: list[Table] = []
    if "loads" in parts:
        runs = compare.compare(seed, step)
        tables += compare.tables(runs)
        if plot:
            from bench.scaling import plots

            step("plots")
            plots.draw(runs, plot)
    if "routing" in parts:
        tables.append(prefixes.study(seed, step))
    if "sweep" in parts:
        tables += _sweep(seed, step)
    return tables


def _sweep(seed: int, step: Callable[[str], None]) -> list[Table]:
    factors = [
        (f"factor {factor}, share {share}", Setting(factor, share, SCALE_OUT_COOLDOWN))
        for factor in FACTORS
        for share in SHARES
    ]
    cooldowns = [(f"cooldown {each} s", Setting(FACTOR, SCALE_IN_SHARE, each)) for each in COOLDOWNS]
    tables = [sweep.sweep(factors, seed, step)]
    for waits in (True, False):
        table = sweep.sweep(cooldowns, seed, step, waits=waits)
        table.title += "; activities wait for each other" if waits else "; they do not wait for each other"
        tables.append(table)
    return tables


def _show_case(seed: int) -> None:
    one = case(*CASES[0])
    sys.stdout.write(
        f"{one.name}: {one.lengths.prompt} prompt and {one.lengths.answer} answer tokens on average; a copy holds"
        f" {one.held} requests of {one.lengths.request_tokens} tokens, default target {one.target}, serves"
        f" {highest_rate(one, seed):.2f} requests a second; a new instance serves after {one.start_seconds} s.\n"
        "late: failed, or the first token came more than 5 s later than on an idle instance.\n\n"
    )


if __name__ == "__main__":
    sys.exit(main())
