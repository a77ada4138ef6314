"""`models add`: reads the description of a model into a file that the app commits."""

from __future__ import annotations

import argparse
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib.cli.errors import FailedError, MistakesError, Parser
from constructs_lib.cli.formatting import gib, number, parameters
from constructs_lib.cli.hub import Found, Hub, from_folder
from constructs_lib.planning.models.config_json import ConfigJsonError, Published, facts_from_config
from constructs_lib.planning.models.facts_file import ModelFile, ModelFileError, read_model_file, write_model_file
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.terminal import Terminal
    from constructs_lib.planning.models.facts import ModelFacts

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)

_DESCRIPTION = """Reads config.json (and the size of the weights, where the index says it) of a model, works out what
the plan has to know, and adds it to a file. Commit the file: synth reads it and never goes to the network."""

_EPILOG = """environment: HF_TOKEN reads gated and private models, HF_ENDPOINT names a mirror of the hub

examples:
  python -m constructs_lib models add my-team/my-model
  python -m constructs_lib models add ./downloads/my-model --name my-team/my-model --output models.json
"""


def add_to(actions: argparse._SubParsersAction[Parser]) -> None:
    """Adds the command below `models`."""
    parser = actions.add_parser(
        "add",
        help="read a model into a file of your own",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="HUB_ID_OR_FOLDER", nargs="?", help="hub id, or a folder with a config.json")
    parser.add_argument("--output", metavar="FILE", default="models.json", help="the file (default: models.json)")
    parser.add_argument("--revision", metavar="REVISION", help="commit, tag or branch on the hub (default: main)")
    parser.add_argument("--name", metavar="HUB_ID", help="the model's id where it is read from a folder")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Terminal) -> int:
    folder = _folder(arguments.model)
    name = arguments.name or arguments.model or ""
    if folder is not None and arguments.name is None:
        name = folder.resolve().name
    problems += _problems(arguments, name, folder)
    present = _present(arguments.output, problems)
    if problems:
        raise MistakesError(problems, arguments.parser.format_usage().strip())
    found = from_folder(folder) if folder else Hub(os.environ).read(name, arguments.revision or "main")
    facts = _facts(name, found)
    try:
        write_model_file(arguments.output, present.with_model(facts))
    except OSError as error:
        message = f"cannot be written: {error.strerror or type(error).__name__}"
        raise FailedError(Problem("--output", arguments.output, message, "Name another file.")) from error
    done = "replaced" if name in present else "added"
    out.say(
        f"{out.paint(facts.hub_id, 'bold')} {done} in {arguments.output}: {parameters(facts.parameters)} parameters,"
        f" {gib(facts.checkpoint_bytes)} of weights, {facts.layers} layers, {facts.heads} heads and {facts.kv_heads}"
        f" key-value heads, context {number(facts.max_positions)}, {facts.implementation}, licence {facts.licence}"
    )
    return 0


def _folder(model: str | None) -> Path | None:
    """The folder that is meant; what looks like a path is one, also where it is not there."""
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
            Problem("model", arguments.model, "is no folder", "Give a hub id, or a folder with a config.json.")
        )
    elif not _HUB_ID.fullmatch(name):
        fix = "Write owner/name, as on its hub page." if folder is None else "Name it with --name owner/name."
        problems.append(Problem("model" if folder is None else "--name", name, "is no hub id", fix))
    if folder is not None and arguments.revision:
        problems.append(Problem("--revision", arguments.revision, "is for the hub, not for a folder", "Leave it out."))
    if folder is None and arguments.name:
        problems.append(
            Problem("--name", arguments.name, "is for a folder; on the hub the id is the name", "Leave it out.")
        )
    if not Path(arguments.output).absolute().parent.is_dir():
        problems.append(
            Problem("--output", arguments.output, "its folder does not exist", "Make it, or name another file.")
        )
    return problems


def _present(output: str, problems: list[Problem]) -> ModelFile:
    """The models that the file has already, which stay in it."""
    if not Path(output).exists():
        return ModelFile()
    try:
        return read_model_file(output)
    except ModelFileError as error:
        problems += [Problem(f"--output {output}: {one.keyword}", None, one.message, one.fix) for one in error.problems]
        return ModelFile()


def _facts(name: str, found: Found) -> ModelFacts:
    published = Published(
        weight_bytes=found.weight_bytes,
        licence=found.licence,
        gating=found.gating,
        source=found.source,
        date=datetime.now(UTC).date().isoformat(),
    )
    try:
        return facts_from_config(name, found.config, published)
    except ConfigJsonError as error:
        words = "; ".join(f"{one.keyword}: {one.message}" for one in error.problems)
        raise FailedError(
            Problem("config.json", None, f"of {name} cannot be used: {words}", error.problems[0].fix)
        ) from error
