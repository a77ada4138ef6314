"""`models add`: read a model's description from the hub or a folder into a file that the app commits."""

from __future__ import annotations

import argparse
import json
import os
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from constructs_lib.cli.engine import DEFAULT_ENGINE, runs_with
from constructs_lib.cli.errors import CommandError, Parser, UsageError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.formatting import gib, number, parameters
from constructs_lib.cli.hub import Hub, ModelDescription, from_folder
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.models.config_json import ConfigJsonError, Published, facts_from_config
from constructs_lib.planning.models.facts_file import ModelFile, ModelFileError, read_model_file, write_model_file
from constructs_lib.planning.validation.problem import Problem, shown

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output
    from constructs_lib.planning.models.facts import ModelFacts

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)

_DESCRIPTION = """Reads a model's config.json (and the size of its weights, if an index has it), derives what the plan
needs, and adds it to a file. Commit the file: synth reads it and never uses the network."""

_EPILOG = """environment: HF_TOKEN for gated and private models, HF_ENDPOINT for a mirror of the hub

examples:
  %(prog)s my-team/my-model
  %(prog)s ./downloads/my-model --name my-team/my-model --output models.json --json
"""


def add_to(actions: argparse._SubParsersAction[Parser]) -> None:
    """Add `add` to the subcommands of `models`."""
    parser = actions.add_parser(
        "add",
        help="add a model to a file of your own",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model", metavar="HUB_ID_OR_FOLDER", nargs="?", help="hub id, or a folder that has a config.json"
    )
    parser.add_argument("--output", metavar="FILE", default="models.json", help="the file (default: models.json)")
    parser.add_argument("--revision", metavar="REVISION", help="commit, tag or branch on the hub (default: main)")
    parser.add_argument("--name", metavar="HUB_ID", help="the model's hub id, if it is read from a folder")
    parser.add_argument("--json", action="store_true", help="print what was added as JSON")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    folder = _folder(arguments.model)
    name = arguments.name or arguments.model or ""
    if folder is not None and arguments.name is None:
        name = folder.resolve().name
    problems += _problems(arguments, name, folder)
    existing = _existing(arguments.output, problems)
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    description = from_folder(folder) if folder else _from_hub(name, arguments.revision or "main")
    facts = _facts(name, description)
    try:
        write_model_file(arguments.output, existing.with_model(facts))
    except OSError as error:
        message = f"cannot be written: {error.strerror or type(error).__name__}"
        raise CommandError(Problem("--output", arguments.output, message, "Name another file.")) from error
    if arguments.json:
        report = {"file": arguments.output, "done": "replaced" if name in existing else "added", "model": asdict(facts)}
        out.write(json.dumps(report, indent=2, ensure_ascii=not out.unicode) + "\n")
        return ExitStatus.FINE
    how = runs_with(engine_named(DEFAULT_ENGINE), facts)
    done = "replaced" if name in existing else "added"
    about = (
        f" {done} in {arguments.output}: {parameters(facts.parameters)} parameters,"
        f" {gib(facts.checkpoint_bytes)} of weights, {facts.layers} layers, {facts.heads} heads and {facts.kv_heads}"
        f" key-value heads, context {number(facts.max_positions)}, {how}, licence {facts.licence}"
    )
    out.print(Text.assemble((facts.hub_id, "bold"), about))
    return ExitStatus.FINE


def _from_hub(name: str, revision: str) -> ModelDescription:
    otherwise = ", or name a folder that has the model's config.json"
    return Hub(os.environ, otherwise=otherwise).read(name, revision)


def _folder(model: str | None) -> Path | None:
    """The folder that `model` names, or None for a hub id. What looks like a path is one, even if it does not exist."""
    if not model:
        return None
    looks_like_path = model.startswith((".", "/", "~", "\\")) or model.endswith("/")
    path = Path(model).expanduser()
    return path if looks_like_path or path.is_dir() else None


def _problems(arguments: argparse.Namespace, name: str, folder: Path | None) -> list[Problem]:
    problems = []
    if not arguments.model:
        problems.append(Problem("model", None, "is missing", "Give a hub id or a folder."))
    elif folder is not None and not folder.is_dir():
        problems.append(
            Problem("model", arguments.model, "is not a folder", "Give a hub id, or a folder that has a config.json.")
        )
    elif not _HUB_ID.fullmatch(name):
        fix = "Write owner/name, as on its hub page." if folder is None else "Write --name owner/name."
        problems.append(Problem("model" if folder is None else "--name", name, "is not a hub id", fix))
    if folder is not None and arguments.revision:
        problems.append(Problem("--revision", arguments.revision, "applies to the hub, not to a folder", "Remove it."))
    if folder is None and arguments.name:
        problems.append(
            Problem("--name", arguments.name, "applies to a folder; a model on the hub keeps its id", "Remove it.")
        )
    if not Path(arguments.output).absolute().parent.is_dir():
        problems.append(
            Problem("--output", arguments.output, "its folder does not exist", "Create it, or name another file.")
        )
    return problems


def _existing(output: str, problems: list[Problem]) -> ModelFile:
    """The models that are already in the file; they are kept."""
    if not Path(output).exists():
        return ModelFile()
    try:
        return read_model_file(output)
    except ModelFileError as error:
        problems += [
            Problem(f"--output {output}: {problem.keyword}", None, problem.message, problem.fix)
            for problem in error.problems
        ]
        return ModelFile()


def _facts(name: str, description: ModelDescription) -> ModelFacts:
    published = Published(
        weight_bytes=description.weight_bytes,
        settings_in_config=description.settings_in_config,
        licence=description.licence,
        gating=description.gating,
        source=description.source,
        date=datetime.now(UTC).date().isoformat(),
    )
    try:
        return facts_from_config(name, description.config, published)
    except ConfigJsonError as error:
        reasons = "; ".join(_reason(problem) for problem in error.problems)
        raise CommandError(
            Problem("config.json", None, f"of {name} cannot be used: {reasons}", error.problems[0].fix)
        ) from error


def _reason(problem: Problem) -> str:
    given = "" if problem.value is None else f" {shown(problem.value)}"
    return f"{problem.keyword}{given}: {problem.message}"
