"""`plan`: which instances can serve a model, cheapest first, and why the others cannot."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.cli import drawing, plan_json, plan_text
from constructs_lib.cli.arguments import Checker
from constructs_lib.cli.errors import FailedError, Parser
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.sizing.candidates import Candidate, candidates
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import Asked
    from constructs_lib.cli.terminal import Terminal

_DESCRIPTION = """Which instances can serve a model, cheapest first, and why the others cannot.

The memory of each GPU is what TGI would make of it: weights, keys and values of the tokens asked for, and what is kept
back. Prices are those of SageMaker hosting, on demand, in us-east-1; a month has 730 hours."""

_EPILOG = """exit status: 0 what was asked for fits (with --instance: one of those), 1 it does not, 2 misuse

examples:
  python -m constructs_lib plan --model meta-llama/Llama-3.1-8B-Instruct
  python -m constructs_lib plan --model Qwen/Qwen2.5-7B-Instruct --tokens 8192 --concurrency 32
  python -m constructs_lib plan --model meta-llama/Llama-3.3-70B-Instruct --quantize fp8 --instance ml.g6e.12xlarge
  python -m constructs_lib plan --model my-team/my-model --models models.json --json
  python -m constructs_lib plan --model microsoft/phi-4 --instance ml.g6.12xlarge --svg memory.svg
"""


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "plan",
        help="which instances can serve a model, and what they cost",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", metavar="HUB_ID", help="the model (required); see the command models")
    parser.add_argument("--models", metavar="FILE", help="models of your own, as models add writes them")
    parser.add_argument(
        "--instance", metavar="NAME", action="append", help="look at this instance only; may be given several times"
    )
    parser.add_argument("--tokens", metavar="N", help="longest prompt and answer together (default: any length)")
    parser.add_argument("--concurrency", metavar="N", help="requests of that length at the same time (default: 1)")
    parser.add_argument("--quantize", metavar="KIND", help="compression, such as fp8 or eetq (default: as published)")
    parser.add_argument("--region", metavar="REGION", help="Region of the endpoint (default: any)")
    parser.add_argument("--image", metavar="VERSION", help="version of TGI; see the command images (default: newest)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables; sizes are bytes of one GPU")
    parser.add_argument("--svg", metavar="FILE", help="draw the memory of each GPU of the first instance listed")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Terminal) -> int:
    asked = Checker(problems).asked(arguments)
    every = _candidates(asked, asked.tokens)
    names = {instance.name for instance in asked.instances}
    found = [one for one in every if not names or one.instance.name in names]
    contexts = _contexts(every, asked)
    if arguments.svg:
        _draw(Path(arguments.svg), found, asked)
    if arguments.json:
        out.say(json.dumps(plan_json.report(asked, found, contexts), indent=2, ensure_ascii=not out.unicode))
    else:
        plan_text.report(asked, found, every, contexts, out)
    return 0 if any(one.fits for one in found) else 1


def _candidates(asked: Asked, tokens: int | None) -> list[Candidate]:
    return candidates(
        asked.facts,
        engine=engine_named("tgi"),
        tokens=tokens,
        concurrency=asked.concurrency if tokens == asked.tokens else None,
        options=asked.options,
        version=asked.version,
        region=asked.region,
    )


def _contexts(every: list[Candidate], asked: Asked) -> dict[str, int]:
    """The longest request that an instance can have alone, by its name, also where a shorter one is asked for."""
    alone = _candidates(asked, None) if asked.tokens else []
    contexts: dict[str, int] = {}
    for one in (*every, *alone):
        if one.memory is not None:
            contexts[one.instance.name] = max(contexts.get(one.instance.name, 0), one.memory.context)
    return contexts


def _draw(path: Path, found: list[Candidate], asked: Asked) -> None:
    first = next((one for one in found if one.memory is not None), None)
    if first is None:
        fix = "Name a GPU instance with --instance."
        raise FailedError(Problem("--svg", str(path), "there is no GPU memory to draw", fix))
    try:
        path.write_text(drawing.svg(asked, first), encoding="utf-8")
    except OSError as error:
        message = f"cannot be written: {error.strerror or type(error).__name__}"
        raise FailedError(Problem("--svg", str(path), message, "Name another file.")) from error
