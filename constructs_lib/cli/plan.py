"""`plan`: which instances can serve a model, cheapest first, and why the others cannot."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.cli import drawing, plan_json, plan_text
from constructs_lib.cli.arguments import ArgumentChecker
from constructs_lib.cli.engine import DEFAULT_ENGINE
from constructs_lib.cli.errors import CommandError, Parser
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.planning.engines import ENGINES
from constructs_lib.planning.sizing.candidates import Candidate, candidates
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import PlanArguments
    from constructs_lib.cli.output import Output

_DESCRIPTION = """Shows which instances can serve a model, cheapest first, and why the others cannot.

The memory of each GPU is estimated as the engine uses it: weights, KV cache of the requested tokens, and a reserve.
Prices are SageMaker's on-demand hosting prices in us-east-1, for the smallest and the largest number of instances; a
month has 730 hours. A front door is billed beside them while streams are open."""

_EPILOG = """exit status: 0 an instance fits (with --instance: one of those), 1 none fits, 2 usage error

examples:
  %(prog)s --model meta-llama/Llama-3.1-8B-Instruct
  %(prog)s --model Qwen/Qwen2.5-7B-Instruct --tokens 8192 --concurrency 32
  %(prog)s --model meta-llama/Llama-3.3-70B-Instruct --quantize fp8 --instance ml.g6e.12xlarge
  %(prog)s --model Qwen/Qwen2.5-7B-Instruct --tokens 2048 --min-instances 0 --max-instances 4
  %(prog)s --model Qwen/Qwen3-8B --engine vllm --tokens 8192 --concurrency 32
  %(prog)s --model my-team/my-model --models models.json --json
  %(prog)s --model microsoft/phi-4 --instance ml.g6.12xlarge --svg memory.svg
"""


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `plan` to the commands."""
    parser = commands.add_parser(
        "plan",
        help="show which instances can serve a model, and their prices",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_load(parser)
    parser.add_argument("--engine", metavar="NAME", help=f"one of {', '.join(ENGINES)} (default: {DEFAULT_ENGINE})")
    parser.add_argument("--quantize", metavar="KIND", help="quantization, such as fp8 or eetq (default: as published)")
    parser.add_argument(
        "--image", metavar="VERSION", help="version of the engine; the command images lists them (default: newest)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables; sizes are bytes of one GPU")
    parser.add_argument("--svg", metavar="FILE", help="draw the memory of each GPU of the first instance listed")
    parser.set_defaults(run=_run, parser=parser)


def add_load(parser: Parser) -> None:
    """Add the arguments that say what is served, where, and how much of it."""
    parser.add_argument("--model", metavar="HUB_ID", help="the model (required); the command models lists them")
    parser.add_argument("--models", metavar="FILE", help="a file of models of your own, written by models add")
    parser.add_argument(
        "--instance", metavar="NAME", action="append", help="consider this instance only; may be repeated"
    )
    parser.add_argument("--tokens", metavar="N", help="longest request: prompt and output together (default: any)")
    parser.add_argument("--concurrency", metavar="N", help="concurrent requests of that length (default: 1)")
    parser.add_argument("--min-instances", metavar="N", help="instances at the smallest load (default: 1)")
    parser.add_argument("--max-instances", metavar="N", help="instances at the largest load (default: 1)")
    parser.add_argument("--region", metavar="REGION", help="Region of the endpoint (default: any)")


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    request = ArgumentChecker(problems).plan_arguments(arguments)
    every = find_candidates(request, request.tokens)
    names = {instance.name for instance in request.instances}
    found = [candidate for candidate in every if not names or candidate.instance.name in names]
    contexts = _contexts(every, request)
    if arguments.svg:
        _draw(Path(arguments.svg), found, request)
    if arguments.json:
        out.write(json.dumps(plan_json.report(request, found, contexts), indent=2, ensure_ascii=not out.unicode) + "\n")
    else:
        plan_text.report(request, found, every, contexts, out)
    return ExitStatus.FINE if any(candidate.fits for candidate in found) else ExitStatus.FINDING


def find_candidates(request: PlanArguments, tokens: int | None) -> list[Candidate]:
    """Every instance as `candidates` judges it, for requests of that length."""
    return candidates(
        request.facts,
        engine=request.engine,
        tokens=tokens,
        concurrency=request.concurrency if tokens == request.tokens else None,
        options=request.options,
        version=request.version,
        region=request.region,
    )


def _contexts(every: list[Candidate], request: PlanArguments) -> dict[str, int]:
    """The longest request that each instance can serve alone, by its name, even if a shorter one is requested."""
    alone = find_candidates(request, None) if request.tokens else []
    contexts: dict[str, int] = {}
    for candidate in (*every, *alone):
        if candidate.memory is not None:
            name = candidate.instance.name
            contexts[name] = max(contexts.get(name, 0), candidate.memory.context)
    return contexts


def _draw(path: Path, found: list[Candidate], request: PlanArguments) -> None:
    first = next((candidate for candidate in found if candidate.memory is not None), None)
    if first is None:
        fix = "Name a GPU instance with --instance."
        raise CommandError(Problem("--svg", str(path), "there is no GPU memory to draw", fix))
    try:
        path.write_text(drawing.svg(request, first), encoding="utf-8")
    except OSError as error:
        message = f"cannot be written: {error.strerror or type(error).__name__}"
        raise CommandError(Problem("--svg", str(path), message, "Name another file.")) from error
