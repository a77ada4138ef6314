"""`migrate`: what becomes of an endpoint on TGI, and of its clients, on another engine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from constructs_lib.cli import migrate_json, migrate_text
from constructs_lib.cli.arguments import ArgumentChecker
from constructs_lib.cli.assembly import entries, read_stacks
from constructs_lib.cli.engine import DEFAULT_ENGINE
from constructs_lib.cli.errors import CommandError, Parser, UsageError, nearest
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.front_doors import ServedModel, served_models
from constructs_lib.cli.migrate_options import read_tgi_options
from constructs_lib.cli.plan import add_load, find_candidates
from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.described import REQUEST_METADATA, DescribedEndpoint, read_description
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.migration.code import Names
from constructs_lib.planning.migration.migrate import TARGETS, Migration, migrate
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.sizing.cheapest import cheapest
from constructs_lib.planning.summary import METADATA, PlanSummary
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import PlanArguments
    from constructs_lib.cli.output import Output
    from constructs_lib.planning.sizing.candidates import Candidate

_Read = TypeVar("_Read")

_DESCRIPTION = """Shows what becomes of an endpoint on TGI on another engine: of each option, those included that the
plan sets; what its clients notice; whether the model fits, and what it costs; and the code to write.

The endpoint is one of a stack in a cloud assembly, which cdk synth has written, or one that --model describes.
Prices are SageMaker's on-demand hosting prices in us-east-1."""

_EPILOG = """exit status: 0 nothing is lost, 1 an option is lost, or the new engine cannot run the model, 2 usage error,
or no assembly that can be read

examples:
  %(prog)s LlamaTgiStack --to vllm
  %(prog)s Prod/Chat/Llama --to sglang --assembly build/cdk.out --json
  %(prog)s --model Qwen/Qwen2.5-7B-Instruct --tokens 8192 --option max_concurrent_requests=64 --to vllm
"""

_TO = f"one of {', '.join(TARGETS)} (required)"


@dataclass(frozen=True, kw_only=True)
class MovedEndpoint:
    """An endpoint on TGI with its migration.

    Args:
        path: Path of its construct, or the model for one that the command line describes.
        names: What the code calls things.
        migration: Its migration.
    """

    path: str
    names: Names
    migration: Migration


@dataclass(frozen=True, kw_only=True)
class _Found:
    """An endpoint of a cloud assembly, with what it serves as."""

    stack: str
    path: str
    described: DescribedEndpoint
    source: EndpointRequest
    summary: PlanSummary | None
    served_as: str


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `migrate` to the commands."""
    parser = commands.add_parser(
        "migrate",
        help="show what becomes of an endpoint on TGI on another engine, with the code of the move",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "stack", metavar="STACK", nargs="?", help="a stack, or the path of an endpoint; default: --model"
    )
    parser.add_argument("--to", metavar="ENGINE", help=_TO)
    parser.add_argument("--assembly", metavar="FOLDER", default="cdk.out", help="default: cdk.out")
    add_load(parser)
    parser.add_argument("--quantize", metavar="KIND", help="quantization on TGI (default: as published)")
    parser.add_argument("--image", metavar="VERSION", help="version of TGI (default: newest)")
    parser.add_argument(
        "--option", metavar="NAME=VALUE", action="append", help="an option of TGI, with --model; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(run=_run, parser=parser, engine=DEFAULT_ENGINE, svg=None)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    checker = ArgumentChecker(problems)
    to = checker.one_of("--to", arguments.to, TARGETS)
    if arguments.to is None:
        problems.append(Problem("--to", None, "is missing", f"Use one of {', '.join(TARGETS)}."))
    _check_subject(arguments, problems)
    if arguments.stack is None or problems:
        moved = [_described(arguments, checker, to)]
    else:
        moved = list(_synthesized(arguments, str(to)))
    if arguments.json:
        rows = [migrate_json.report(one.path, one.names, one.migration) for one in moved]
        out.write(json.dumps(rows, indent=2, ensure_ascii=not out.unicode) + "\n")
    else:
        for position, one in enumerate(moved):
            if position:
                out.print()
            migrate_text.report(one.path, one.names, one.migration, out)
    is_clean = not any(one.migration.lost or one.migration.problems for one in moved)
    return ExitStatus.FINE if is_clean else ExitStatus.FINDING


def _check_subject(arguments: argparse.Namespace, problems: list[Problem]) -> None:
    """That either a stack or a model is named, and nothing that belongs to the other."""
    if arguments.stack is None and arguments.model is None:
        problems.append(Problem("STACK", None, "is missing", "Name a stack, or a model with --model."))
    of_model = ("model", "models", "instance", "tokens", "concurrency", "region", "quantize", "image", "option")
    for name in of_model if arguments.stack is not None else ():
        if getattr(arguments, name) is not None:
            message = f"is for an endpoint that is not synthesized; {arguments.stack} has its own"
            problems.append(Problem(f"--{name}", None, message, "Leave it out, or the stack."))


def _described(arguments: argparse.Namespace, checker: ArgumentChecker, to: str | None) -> MovedEndpoint:
    """The endpoint that the command line describes."""
    given = read_tgi_options(arguments.option or (), checker.problems)
    if arguments.stack is not None or arguments.model is None:
        raise UsageError(checker.problems, arguments.parser.format_usage().strip())
    request = checker.plan_arguments(arguments)
    request = replace(request, options=replace(request.options, **given))
    found = [
        one
        for one in find_candidates(request, request.tokens)
        if not request.instances or one.instance in request.instances
    ]
    best = cheapest(found) or found[0]
    source = EndpointRequest(
        engine=request.engine,
        model=ModelChoice(source="hub", hub_id=request.facts.hub_id, has_token=request.facts.gated),
        instance=best.instance,
        image=ImageChoice(version=request.version),
        options=request.options,
        region=request.region,
        instance_count=max(1, request.min_instances),
    )
    if arguments.models is not None:
        source = replace(source, model=replace(source.model, facts=request.facts))
    sources = [replace(source, options=options) for options in _with_settings(request, best)]
    source = next((one for one in sources if not plan(one).problems), sources[0])
    if wrong := plan(source).problems:
        # Without --instance nobody has chosen the one of this plan.
        chosen = [problem for problem in wrong if arguments.instance or problem.keyword != "instance_type"]
        raise UsageError(chosen or wrong, arguments.parser.format_usage().strip())
    names = Names(old="tgi", new=str(to), model=request.facts.hub_id.rpartition("/")[2].lower())
    migration = migrate(source, engine_named(str(to)), request.capacity(best))
    return MovedEndpoint(path=request.facts.hub_id, names=names, migration=migration)


def _with_settings(request: PlanArguments, best: Candidate) -> Iterator[Any]:
    """The options with what TGI needs beside them on an instance; with less of it, where it can do without."""
    settings = {name: value for name, value in best.settings.items() if getattr(request.options, name) is None}
    measured = {name: value for name, value in settings.items() if name != "max_batch_total_tokens"}
    for added in (settings, measured, *([] if request.tokens else [{}])):
        yield replace(request.options, **added)


def _synthesized(arguments: argparse.Namespace, to: str) -> Iterator[MovedEndpoint]:
    """The endpoints of a stack, or the one of a path."""
    try:
        known = list(_endpoints(Path(arguments.assembly)))
    except CommandError as error:
        # Status 1 says that an option is lost.
        raise UsageError(error.problems) from error
    movable = [one for one in known if one.described.engine == DEFAULT_ENGINE]
    chosen = [one for one in movable if arguments.stack in (one.stack, one.path)]
    if not chosen:
        raise UsageError([_unknown(arguments, known, movable)], arguments.parser.format_usage().strip())
    for one in chosen:
        name = _variable(one.path.rpartition("/")[2])
        names = Names(old=name, new=f"{name}_{to}", model=one.served_as or name)
        migration = migrate(one.source, engine_named(to), _capacity(one), asynchronous=one.described.asynchronous)
        yield MovedEndpoint(path=one.path, names=names, migration=migration)


def _capacity(found: _Found) -> Capacity | None:
    """The instances that the endpoint runs, with what scales it; None for a variant, which no summary is of."""
    if found.summary is None:
        return None
    return Capacity(
        instances=found.described.instances,
        min_instances=found.summary.min_instances,
        max_instances=found.summary.max_instances,
        request_tokens=found.summary.stream_tokens,
    )


def _unknown(arguments: argparse.Namespace, known: list[_Found], movable: list[_Found]) -> Problem:
    """Why there is no such endpoint, with the names that there are."""
    names = list(dict.fromkeys(name for one in movable for name in (one.stack, one.path)))
    stacks = {stack.name for stack in read_stacks(Path(arguments.assembly))}
    others = sorted({one.described.engine for one in known if arguments.stack in (one.stack, one.path)})
    if others:
        message = f"has no endpoint on TGI, but on {', '.join(engine_named(one).display_name for one in others)}"
    elif arguments.stack in stacks:
        message = "has no plan of an endpoint with one model"
    else:
        message = f"is not in {arguments.assembly}"
    if not names:
        return Problem("STACK", arguments.stack, message, f"Nothing in {arguments.assembly} is on TGI.")
    listed = f"On TGI are {', '.join(names)}."
    near = nearest(arguments.stack, names, "")
    return Problem("STACK", arguments.stack, message, f"{near} {listed}".strip())


def _endpoints(assembly: Path) -> Iterator[_Found]:
    for stack in read_stacks(assembly):
        found = list(entries(stack))
        summaries = {path: _read(path, PlanSummary.from_json, data) for path, kind, data in found if kind == METADATA}
        served = list(served_models(stack))
        for path, kind, data in found:
            if kind == REQUEST_METADATA:
                described = _read(path, read_description, data)
                yield _Found(
                    stack=stack.name,
                    path=path,
                    described=described,
                    source=_read(path, request_of, described),
                    summary=summaries.get(path),
                    served_as=_name(served, path, described),
                )


def _name(served: list[ServedModel], path: str, described: DescribedEndpoint) -> str:
    """The name that clients use for the model of an endpoint; empty if no front door of the stack has it."""
    names = [one for one in served if one.model == described.model.hub_id]
    # Only the endpoints of a model with several have paths; those of others may be the same model on another engine.
    found = [one for one in names if one.target == path] or [one for one in names if one.engine == described.engine]
    return next((one.served_as for one in found or names), "")


def _read(path: str, read: Callable[[Any], _Read], value: Any) -> _Read:
    """What an endpoint has left in the assembly.

    Raises:
        CommandError: It is not what this version of the library writes.
    """
    try:
        return read(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = "is described in the assembly in words that this version of tgi-endpoint does not read"
        raise CommandError(Problem(path, None, message, "Run cdk synth again, with this version.")) from error


def request_of(described: DescribedEndpoint) -> EndpointRequest:
    """The request of the endpoint, as its construct made it."""
    engine: Any = engine_named(described.engine)
    several = len(described.instances) > 1
    return EndpointRequest(
        engine=engine,
        model=described.model,
        instance=described.instances[0],
        cheapest=described.cheapest,
        pools=described.instances if several else None,
        image=ImageChoice(version=described.version, uri_override=described.own_image, own_build=described.own_build),
        options=engine.options_type(**described.options),
        environment=described.environment,
        region=described.region,
        instance_count=described.instance_count,
        network_isolation=described.network_isolation,
        volume_size_gib=described.volume_size_gib,
    )


def _variable(name: str) -> str:
    """A name as a Python variable: `LlamaPrimary` as `llama_primary`."""
    parts: list[str] = []
    for one in name:
        starts = one.isupper() and parts and (parts[-1].islower() or parts[-1].isdigit())
        parts.append(f"_{one.lower()}" if starts else one.lower() if one.isalnum() else "_")
    text = "".join(parts).strip("_")
    return text if text.isidentifier() and not iskeyword(text) else f"model_{text}"
