"""What can be said of a command without running it: that its program, subcommand and options exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from functools import cache
from itertools import takewhile

from constructs_lib.cli.commands import build_parser
from constructs_lib.cli.errors import CommandError, UsageError
from tests import aws_cli
from tests.documented.blocks import ROOT


def words(command: str) -> list[str]:
    """The words of a command; a placeholder such as `<the code>` is one word."""
    return shlex.split(re.sub(r"<[^<>]*>", "VALUE", command))


def aws(command: str) -> list[str]:
    """What is wrong with the commands of the AWS CLI in a command."""
    found = list(aws_cli.commands(f"```console\n$ {command}\n```\n"))
    return [fault for each in found for fault in aws_cli.faults(each)] if found else ["has no command of the AWS CLI"]


def tgi_endpoint(command: str) -> list[str]:
    """What the command line says of its arguments."""
    # What follows is the shell's: a pipe, or a file.
    arguments = list(takewhile(lambda word: word not in ("|", "<", ">", ">>"), words(command)[1:]))
    if re.search(r"<[^<>]*>", command):  # a placeholder need not be one of the choices
        return _unknown_options(arguments)
    try:
        build_parser("tgi-endpoint").parse_args(arguments)
    except (UsageError, CommandError) as error:
        return [str(problem) for problem in error.problems]
    return []


def _unknown_options(arguments: list[str]) -> list[str]:
    (commands,) = (one.choices for one in build_parser("tgi-endpoint")._actions if isinstance(one.choices, dict))
    if arguments[0] not in commands:
        return [f"tgi-endpoint has no {arguments[0]}"]
    known = commands[arguments[0]].format_help()
    return [f"{arguments[0]} has no {word}" for word in arguments if word.startswith("--") and word not in known]


@cache
def _cdk_help(subcommand: str) -> str:
    cdk = ROOT / "node_modules" / ".bin" / "cdk"
    environment = {"PATH": f"{ROOT / '.venv' / 'bin'}:/usr/bin:/bin", "CDK_DISABLE_CLI_TELEMETRY": "true"}
    done = subprocess.run(
        [cdk, subcommand, "--help"], capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT
    )
    return done.stdout


def cdk(command: str) -> list[str]:
    """Options that the CDK CLI does not have."""
    _program, subcommand, *rest = words(command.removeprefix("npx "))
    text = _cdk_help(subcommand)
    if not text.startswith(f"cdk {subcommand}"):
        return [f"cdk has no {subcommand}"]
    options = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    return [f"cdk {subcommand} has no {one}" for one in options if not re.search(rf"(^|\s){one}\b", text)]


@cache
def _make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


def make(command: str) -> list[str]:
    """Targets and variables that the Makefile does not have."""
    arguments = words(command)[1:]
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [f"make has no target {one}" for one in arguments if "=" not in one and one not in _make_targets()]
    named = [one.partition("=")[0] for one in arguments if "=" in one]
    # What is exported to the programs that make starts, such as PROMPT, is in the environment or the help.
    return targets + [f"the Makefile does not mention {one}" for one in named if one not in text and one not in _READ]


_READ = {"STAGING_HUB", "PROMPT"}
"""Variables that the emulated cloud reads from its environment, to which make passes them."""


def pip(command: str) -> list[str]:
    """Extras of this project that it does not have, and folders that are none."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = re.findall(r"(?:tgi-endpoint-cdk|\.)\[([a-z,]+)\]", command)
    asked = {extra for each in extras for extra in each.split(",")}
    missing = [f"the project has no extra {one}" for one in asked if not re.search(rf"^{one} = \[", text, re.MULTILINE)]
    return missing + ([] if words(command)[:2] == ["pip", "install"] else ["is not pip install"])


def shell(command: str) -> list[str]:
    """What bash says of the syntax, and programs that a plain system does not have."""
    text = re.sub(r"<[^<>()]*>", "VALUE", command)
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, timeout=30)
    return [done.stderr.strip()] if done.returncode else []
