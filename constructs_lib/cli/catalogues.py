"""`models`, `instances` and `images`: list the catalogues."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from constructs_lib.cli.arguments import ArgumentChecker
from constructs_lib.cli.engine import DEFAULT_ENGINE, runs_with
from constructs_lib.cli.errors import Parser, UsageError, nearest
from constructs_lib.cli.exit_status import WITHOUT_AWS, ExitStatus
from constructs_lib.cli.formatting import accelerators, gib, hourly, monthly, number, parameters
from constructs_lib.cli.image_copies import print_copy_commands
from constructs_lib.cli.output import Column, Output
from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelFacts, known_models
from constructs_lib.planning.validation.problem import Problem

_Run = Callable[[argparse.Namespace, list[Problem], Output], int]


def add_models(
    commands: argparse._SubParsersAction[Parser], *add_actions: Callable[[argparse._SubParsersAction[Parser]], None]
) -> None:
    """Add `models` to the commands, and with each of `add_actions` a subcommand."""
    summary = "list the models of the catalogue, add one to a file of your own, or find a commit"
    examples = ("", '--search "llama 8b"', "--models models.json --json")
    parser = _add(commands, "models", summary, _models, examples)
    parser.add_argument("--models", metavar="FILE", help="also list the models of this file, written by models add")
    parser.add_argument(
        "--search", metavar="WORDS", help='list only the models whose ids have these words, such as "llama 8b"'
    )
    actions = parser.add_subparsers(dest="action", metavar="add|pin")
    for add_action in add_actions:
        add_action(actions)


def add_instances(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `instances` to the commands."""
    summary = "list SageMaker's accelerator instances, with prices in us-east-1"
    _add(commands, "instances", summary, _instances, ("", "--json"))


def add_images(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `images` to the commands."""
    examples = (
        "--engine vllm",
        "--engine vllm --json",
        "--mirror 111122223333/mirror --region eu-west-1 --image 3.3.6",
    )
    parser = _add(commands, "images", "list the versions of an engine on SageMaker", _images, examples)
    names = ", ".join(ENGINES)
    parser.add_argument("--engine", metavar="NAME", help=f"one of {names} (default: {DEFAULT_ENGINE})")
    parser.add_argument(
        "--mirror",
        metavar="ACCOUNT[/PREFIX]",
        help="print the commands that copy an image into this registry, and its digest, instead of the list",
    )
    parser.add_argument("--region", metavar="REGION", help="Region of the registry, with --mirror")
    parser.add_argument("--image", metavar="VERSION", help="the version to copy, with --mirror (default: the newest)")


def _add(
    commands: argparse._SubParsersAction[Parser], name: str, summary: str, run: _Run, examples: Sequence[str]
) -> Parser:
    calls = "\n".join(f"  %(prog)s {example}".rstrip() for example in examples)
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"exit status: {WITHOUT_AWS}\n\nexamples:\n{calls}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with the source and date of each row")
    parser.set_defaults(run=run, parser=parser)
    return parser


def _models(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    own = ArgumentChecker(problems).model_file(arguments.models)
    models = sorted([*own.values(), *known_models()], key=lambda facts: facts.hub_id.lower())
    if arguments.search is not None:
        models = _with_words(models, arguments.search, problems)
    columns = [
        Column("MODEL"),
        Column("PARAMETERS", is_number=True),
        Column("WEIGHTS", is_number=True),
        Column("TYPE", wraps=True),
        Column("CONTEXT", is_number=True),
        Column("KV / TOKEN", is_number=True),
        Column("TGI RUNS IT WITH", wraps=True),
        Column("LICENCE", wraps=True),
        Column("TOKEN", wraps=True),
    ]
    return _print(arguments, problems, out, columns, [(asdict(facts), _model_row(facts)) for facts in models])


def _with_words(models: list[ModelFacts], words: str, problems: list[Problem]) -> list[ModelFacts]:
    """The models whose ids have every word, in any case and order; a problem if there is none."""
    found = [facts for facts in models if all(word in facts.hub_id.lower() for word in words.lower().split())]
    if not found:
        fix = nearest(words, (facts.hub_id for facts in models), "The command models add reads a model from the hub.")
        problems.append(Problem("--search", words, "is in no id of the catalogue", fix))
    return found


def _model_row(facts: ModelFacts) -> list[str]:
    kv_kib = 2 * facts.layers * facts.kv_heads * (facts.cache_width or facts.head_dim) * 2 / 1024
    return [
        facts.hub_id,
        parameters(facts.parameters),
        gib(facts.checkpoint_bytes),
        facts.quantization or facts.checkpoint_dtype,
        number(facts.max_positions),
        f"{kv_kib:,.0f} KiB",
        runs_with(engine_named(DEFAULT_ENGINE), facts) or "",
        facts.licence,
        {"yes": "required", "no": "", "sometimes": "sometimes"}[facts.gating],
    ]


def _instances(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    columns = [
        Column("INSTANCE"),
        Column("ACCELERATORS", wraps=True),
        Column("CUDA", is_number=True),
        Column("VCPU", is_number=True),
        Column("HOST GIB", is_number=True),
        Column("NVME GB", is_number=True),
        Column("$ / HOUR", is_number=True),
        Column("$ / MONTH", is_number=True),
    ]
    instances = InstanceType.all()
    return _print(arguments, problems, out, columns, [(asdict(each), _instance_row(each)) for each in instances])


def _instance_row(instance: InstanceType) -> list[str]:
    capability = instance.compute_capability
    return [
        instance.name,
        accelerators(instance),
        ".".join(map(str, capability)) if capability else "-",
        _figure(instance.vcpu),
        _figure(instance.host_memory_gib),
        _figure(instance.nvme_gb),
        hourly(instance.price_usd_per_hour, derived=instance.price_is_derived),
        monthly(instance.price_usd_per_hour, derived=instance.price_is_derived),
    ]


def _images(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    names = [name for name in ENGINES if engine_named(name).images.versions]
    engine = engine_named(ArgumentChecker(problems).one_of("--engine", arguments.engine, names) or DEFAULT_ENGINE)
    if arguments.mirror is not None:
        return print_copy_commands(engine.images, arguments, problems, out)
    columns = [Column(engine.display_name), Column("CUDA"), Column("REGIONS", is_number=True), Column("IMAGE")]
    rows, images = [], engine.images
    for version in reversed(images.versions):
        repository, tag = images.repository_and_tag(version) or ("", "")
        release = images.cuda(version)
        cuda = ".".join(map(str, release)) if release > (0, 0) else None
        names = list(images.regions(version))
        row = {"version": version, "repository": repository, "tag": tag, "cuda": cuda, "regions": names}
        rows.append((row, [version, cuda or "-", str(len(names)), f"{repository}:{tag}"]))
    return _print(arguments, problems, out, columns, rows)


def _print(
    arguments: argparse.Namespace,
    problems: list[Problem],
    out: Output,
    columns: list[Column],
    rows: list[tuple[dict[str, Any], list[str]]],
) -> int:
    """Print each row's dictionary as JSON, or its cells as a table."""
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    if arguments.json:
        out.write(json.dumps([row for row, _ in rows], indent=2, ensure_ascii=not out.unicode) + "\n")
    else:
        out.print_table(columns, [cells for _, cells in rows])
    return ExitStatus.FINE


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
