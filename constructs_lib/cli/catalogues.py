"""`models`, `instances` and `images`: the catalogues."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.arguments import Checker
from constructs_lib.cli.errors import MistakesError, Parser
from constructs_lib.cli.formatting import accelerators, gib, money, month, number, parameters
from constructs_lib.cli.table import Column, table
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelFacts, known_models

if TYPE_CHECKING:
    from constructs_lib.cli.terminal import Terminal
    from constructs_lib.planning.validation.problem import Problem

_Run = Callable[[argparse.Namespace, "list[Problem]", "Terminal"], int]


def add_models(
    commands: argparse._SubParsersAction[Parser], add_add: Callable[[argparse._SubParsersAction[Parser]], None]
) -> None:
    """Adds `models`, and with `add_add` the command below it."""
    parser = _add(commands, "models", "the models that the rules know, and add others", _models)
    parser.add_argument("--models", metavar="FILE", help="models of your own besides, as models add writes them")
    add_add(parser.add_subparsers(dest="action", metavar="add"))


def add_instances(commands: argparse._SubParsersAction[Parser]) -> None:
    """Adds `instances`."""
    _add(commands, "instances", "the accelerator instances of SageMaker, with prices in us-east-1", _instances)


def add_images(commands: argparse._SubParsersAction[Parser]) -> None:
    """Adds `images`."""
    _add(commands, "images", "the versions of TGI on SageMaker", _images)


def _add(commands: argparse._SubParsersAction[Parser], name: str, words: str, run: _Run) -> Parser:
    description = f"{words[0].upper()}{words[1:]}."
    parser = commands.add_parser(name, help=words, description=description, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print JSON, with the source and the day of each row")
    parser.set_defaults(run=run, parser=parser)
    return parser


def _models(arguments: argparse.Namespace, problems: list[Problem], out: Terminal) -> int:
    own = Checker(problems).model_file(arguments.models)
    rows = [*own.values(), *known_models()]
    columns = [
        Column("MODEL"),
        Column("PARAMETERS", right=True),
        Column("WEIGHTS", right=True),
        Column("TYPE"),
        Column("CONTEXT", right=True),
        Column("KV / TOKEN", right=True),
        Column("TGI RUNS IT WITH"),
        Column("LICENCE"),
        Column("TOKEN"),
    ]
    return _print(arguments, problems, out, columns, [(asdict(facts), _model_row(facts)) for facts in rows])


def _model_row(facts: ModelFacts) -> list[str]:
    kv = 2 * facts.layers * facts.kv_heads * facts.head_dim * 2 / 1024
    return [
        facts.hub_id,
        parameters(facts.parameters),
        gib(facts.checkpoint_bytes),
        facts.quantization or facts.checkpoint_dtype,
        number(facts.max_positions),
        f"{kv:,.0f} KiB",
        facts.implementation,
        facts.licence,
        {"yes": "needed", "no": "", "sometimes": "at times"}[facts.gating],
    ]


def _instances(arguments: argparse.Namespace, problems: list[Problem], out: Terminal) -> int:
    columns = [
        Column("INSTANCE"),
        Column("ACCELERATORS"),
        Column("CUDA", right=True),
        Column("VCPU", right=True),
        Column("HOST GIB", right=True),
        Column("NVME GB", right=True),
        Column("$ / HOUR", right=True),
        Column("$ / MONTH", right=True),
    ]
    return _print(arguments, problems, out, columns, [(asdict(one), _instance_row(one)) for one in InstanceType.all()])


def _instance_row(one: InstanceType) -> list[str]:
    return [
        one.name,
        accelerators(one),
        ".".join(map(str, one.compute_capability)) if one.compute_capability else "-",
        _figure(one.vcpu),
        _figure(one.host_memory_gib),
        _figure(one.nvme_gb),
        money(one.price_usd_per_hour, derived=one.price_is_derived),
        month(one.price_usd_per_hour, derived=one.price_is_derived),
    ]


def _images(arguments: argparse.Namespace, problems: list[Problem], out: Terminal) -> int:
    columns = [Column("TGI"), Column("CUDA"), Column("REGIONS", right=True), Column("IMAGE")]
    rows = []
    images = engine_named("tgi").images
    for version in reversed(images.versions):
        repository, tag = images.repository_and_tag(version) or ("", "")
        cuda = ".".join(map(str, images.cuda(version)))
        places = list(images.regions(version))
        row = {"version": version, "repository": repository, "tag": tag, "cuda": cuda, "regions": places}
        rows.append((row, [version, cuda, str(len(places)), f"{repository}:{tag}"]))
    return _print(arguments, problems, out, columns, rows)


def _print(
    arguments: argparse.Namespace,
    problems: list[Problem],
    out: Terminal,
    columns: list[Column],
    rows: list[tuple[dict[str, Any], list[str]]],
) -> int:
    if problems:
        raise MistakesError(problems, arguments.parser.format_usage().strip())
    if arguments.json:
        out.say(json.dumps([row for row, _ in rows], indent=2, ensure_ascii=not out.unicode))
        return 0
    titles, *lines = table(columns, [texts for _, texts in rows], out.width)
    out.say(out.paint(titles, "bold"))
    for line in lines:
        out.say(line)
    return 0


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
