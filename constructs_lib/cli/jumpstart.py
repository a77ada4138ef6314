"""`jumpstart add`: pin a model of SageMaker JumpStart in a file that the app commits."""

from __future__ import annotations

import argparse
import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from constructs_lib.cli.errors import CommandError, Parser, UsageError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.jumpstart_bucket import Bucket
from constructs_lib.cli.jumpstart_models import Listed, find, read_spec
from constructs_lib.planning.engines.jumpstart.pinned_file import (
    JumpStartFileError,
    pinned_to_json,
    read_pinned,
    write_pinned,
)
from constructs_lib.planning.engines.jumpstart.spec import Pinned, SpecError, pin
from constructs_lib.planning.images.catalogue import known_regions
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output
    from constructs_lib.planning.engines.jumpstart.pinned import PinnedModel

_MODEL_ID = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+", re.ASCII)

_DESCRIPTION = """Reads what AWS publishes about a model of SageMaker JumpStart (images, weights, variables, instance
types) and pins it in a file. Commit the file: JumpStartModel.from_file reads it at synth, which never uses the network.
Run the command again to move to another version, or to add a Region."""

_EPILOG = """environment: AWS_ENDPOINT_URL_S3 for another S3, HTTPS_PROXY for a proxy; no credentials are used

examples:
  %(prog)s meta-textgeneration-llama-3-1-8b-instruct --region eu-west-1
  %(prog)s openai-reasoning-gpt-oss-20b --version 3.38.0 --region us-east-1 --region us-west-2
  %(prog)s openai-reasoning-gpt-oss-20b --region us-east-1 --config lmi --instance-type ml.g6.12xlarge
"""


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `jumpstart` to the commands, with its subcommand `add`."""
    group = commands.add_parser(
        "jumpstart",
        help="pin a model of SageMaker JumpStart",
        description="Pin a model of SageMaker JumpStart.",
        allow_abbrev=False,
    )
    parser = group.add_subparsers(dest="action", required=True, metavar="add").add_parser(
        "add",
        help="pin a model in a file of your own",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL_ID", nargs="?", help="JumpStart's id of the model")
    parser.add_argument("--version", metavar="VERSION", help="version, or its beginning such as 2 (default: newest)")
    parser.add_argument(
        "--region", metavar="REGION", action="append", help="Region of the endpoint; may be repeated (required)"
    )
    parser.add_argument(
        "--instance-type",
        metavar="NAME",
        action="append",
        help="pin this instance type; may be repeated (default: all that the model supports)",
    )
    parser.add_argument("--config", metavar="NAME", help="inference configuration (default: the preferred one)")
    parser.add_argument("--output", metavar="FILE", help="the file (default: MODEL_ID.json)")
    parser.add_argument("--json", action="store_true", help="print what was pinned as JSON")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    output = arguments.output or f"{arguments.model}.json"
    problems += _problems(arguments, output)
    before = _existing(output, arguments.model, problems)
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    regions = tuple(dict.fromkeys([*(arguments.region or ()), *(before.regions if before else ())]))
    pinned, listed = _read(arguments, regions)
    # A day on which nothing else has changed is no change.
    is_same = before is not None and replace(pinned.model, date=before.date) == before
    done = "unchanged" if is_same else "updated" if before else "added"
    if not is_same:
        _write(output, pinned.model)
    notices = [*pinned.notices, *_notices(pinned.model, listed)]
    if arguments.json:
        report = {"file": output, "done": done, "notices": notices, "model": pinned_to_json(pinned.model)}
        out.write(json.dumps(report, indent=2, ensure_ascii=not out.unicode) + "\n")
        return ExitStatus.FINE
    name = Text(f"{pinned.model.model_id} {pinned.model.version}", "bold")
    out.print(Text.assemble(name, f" {done} in {output}: {_about(pinned.model)}"))
    for notice in notices:
        out.print(Text.assemble(("note:", "bold yellow"), f" {notice}"))
    return ExitStatus.FINE


def _read(arguments: argparse.Namespace, regions: tuple[str, ...]) -> tuple[Pinned, Listed]:
    """The model in every Region, of the version that the first Region has as its newest fitting one."""
    buckets = {region: Bucket(region, os.environ) for region in regions}
    first = regions[0]
    listed = find(buckets[first], first, arguments.model, arguments.version)
    specs = {}
    for region, bucket in buckets.items():
        own = listed if region == first else find(bucket, region, arguments.model, listed.version)
        specs[region] = read_spec(bucket, region, arguments.model, own)
    try:
        pinned = pin(
            specs,
            config=arguments.config,
            instance_types=arguments.instance_type or (),
            source=f"{buckets[first].url}/{listed.spec_key}",
            date=datetime.now(UTC).date().isoformat(),
        )
    except SpecError as error:
        raise CommandError(*error.problems) from error
    return pinned, listed


def _write(output: str, model: PinnedModel) -> None:
    try:
        write_pinned(output, model)
    except OSError as error:
        message = f"cannot be written: {error.strerror or type(error).__name__}"
        raise CommandError(Problem("--output", output, message, "Name another file.")) from error


def _about(model: PinnedModel) -> str:
    images = {uri.rpartition("/")[2] for one in model.instance_types.values() for uri in one.images.values()}
    parts = [
        *([f"configuration {model.config}"] if model.config else []),
        ", ".join(sorted(images)),
        f"instance types {', '.join(model.instance_types)}",
        *([f"of which JumpStart takes {model.default_instance_type}"] if model.default_instance_type else []),
        f"Regions {', '.join(model.regions)}",
        f"licence {model.licence or 'unknown'}",
    ]
    return ", ".join(parts)


def _notices(model: PinnedModel, listed: Listed) -> list[str]:
    """What whoever commits the file should know."""
    found = []
    if model.has_agreement:
        where = model.agreement_url(model.regions[0]) or "its licence agreement in SageMaker Studio"
        found.append(f"Gated: read {where}, and accept it with JumpStartModel.from_file(…, accept_eula=True).")
    if model.deprecated:
        found.append(f"AWS has deprecated this model or version: {model.deprecated}")
    if model.vulnerabilities:
        found.append(f"Its container has known vulnerabilities: {', '.join(model.vulnerabilities)}.")
    if listed.version != listed.newest:
        found.append(f"The newest version is {listed.newest}.")
    return found


def _problems(arguments: argparse.Namespace, output: str) -> list[Problem]:
    problems = []
    if not arguments.model:
        problems.append(Problem("model", None, "is missing", "Give JumpStart's id of a model."))
    elif not _MODEL_ID.fullmatch(arguments.model):
        fix = "Write it as SageMaker Studio shows it, such as meta-textgeneration-llama-3-1-8b-instruct."
        problems.append(Problem("model", arguments.model, "is no id of JumpStart's", fix))
    if not arguments.region:
        problems.append(Problem("--region", None, "is missing", "Give the Region of the endpoint."))
    problems += [_unknown_region(region) for region in arguments.region or () if region not in known_regions()]
    problems += [
        Problem("--instance-type", name, "is not the name of an instance type", "Write one such as ml.g5.2xlarge.")
        for name in arguments.instance_type or ()
        if not _INSTANCE_TYPE.fullmatch(name)
    ]
    if not Path(output).absolute().parent.is_dir():
        problems.append(Problem("--output", output, "its folder does not exist", "Create it, or name another file."))
    return problems


def _unknown_region(region: str) -> Problem:
    near = get_close_matches(region.lower(), known_regions(), n=1)
    fix = f"Did you mean {near[0]}?" if near else "Write one such as us-east-1."
    return Problem("--region", region, "is no Region of SageMaker", fix)


def _existing(output: str, model_id: str | None, problems: list[Problem]) -> PinnedModel | None:
    """What the file pins already; its Regions are kept."""
    if not Path(output).exists():
        return None
    try:
        before = read_pinned(output)
    except JumpStartFileError as error:
        problems += [replace(problem, keyword=f"--output {output}: {problem.keyword}") for problem in error.problems]
        return None
    if model_id and before.model_id != model_id:
        message = f"pins another model, {before.model_id}"
        problems.append(Problem("--output", output, message, "Name another file: each has one model."))
    return before
