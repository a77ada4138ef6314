"""What can stand at the cursor of a command line: from the tree of argparse, and the values that a command knows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from constructs_lib.cli.assembly import read_stacks
from constructs_lib.cli.engine import DEFAULT_ENGINE, planned_engines
from constructs_lib.cli.errors import CommandError
from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import known_regions
from constructs_lib.planning.migration.migrate import TARGETS
from constructs_lib.planning.models.facts import known_models
from constructs_lib.planning.validation.rules import OneOf

FILES, FOLDERS = ":files", ":folders"
"""Instead of candidates: the shell completes paths itself."""


@dataclass
class _Line:
    """A command line up to the cursor.

    Attributes:
        parser: The parser of the innermost subcommand.
        given: The options with their values, as far as they are typed.
        positionals: How many arguments without a name there are.
        pending: The option whose value comes next; None if none does.
        is_verbatim: Whether `--` has ended the options.
    """

    parser: argparse.ArgumentParser
    given: dict[str, str] = field(default_factory=dict)
    positionals: int = 0
    pending: argparse.Action | None = None
    is_verbatim: bool = False

    def add(self, word: str) -> None:
        """Read the next word. bash makes three of `--engine=vllm`."""
        if word == "=":
            return
        if self.pending is not None:
            self.given[self.pending.option_strings[-1]] = word
            self.pending = None
        elif word == "--":
            self.is_verbatim = True
        elif word.startswith("-") and not self.is_verbatim:
            name, has_value, value = word.partition("=")
            self.given[name] = value
            action = self.parser._option_string_actions.get(name)
            self.pending = action if action is not None and action.nargs != 0 and not has_value else None
        elif (commands := _commands(self.parser)) is not None and word in commands.choices:
            self.parser, self.positionals, self.given = commands.choices[word], 0, {}
        else:
            self.positionals += 1

    def positional(self) -> argparse.Action | None:
        """What an argument without a name would be here."""
        left = self.positionals
        for action in self.parser._get_positional_actions():
            if action.nargs in ("*", "+") or left == 0:
                return action
            left -= 1
        return None


def candidates(parser: argparse.ArgumentParser, words: Sequence[str]) -> Iterator[str]:
    """What can stand at the cursor, a line each: the value, and behind a tab what it is. Or FILES, or FOLDERS.

    Args:
        parser: The parser of the whole command line.
        words: The words behind the program's name, up to the cursor; the last one is begun.
    """
    *before, current = words or [""]
    line = _Line(parser)
    for word in before:
        line.add(word)
    current, prefix = ("" if current == "=" else current), ""
    if line.pending is None and current.startswith("--") and "=" in current:
        prefix, _, current = current.partition("=")
        line.add(prefix)
        prefix += "="
    found = list(_found(line, current))
    if found in ([(FILES, "")], [(FOLDERS, "")]):
        yield found[0][0]
        return
    for value, about in found:
        if value.startswith(current):
            yield f"{prefix}{value}\t{' '.join(about.split())}".rstrip("\t")


def _found(line: _Line, current: str) -> Iterator[tuple[str, str]]:
    if line.pending is not None:
        yield from _values(line.pending, line)
    elif current.startswith("-") and not line.is_verbatim:
        yield from _options(line)
    elif (commands := _commands(line.parser)) is not None and line.positionals == 0:
        yield from ((each.dest, each.help or "") for each in commands._choices_actions)
    elif (action := line.positional()) is not None:
        yield from _values(action, line)


def _commands(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    groups = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return next(groups, None)


def _options(line: _Line) -> Iterator[tuple[str, str]]:
    """The options that are not there yet, or that may be repeated."""
    for action in line.parser._get_optional_actions():
        is_there = any(name in line.given for name in action.option_strings)
        if not is_there or isinstance(action, argparse._AppendAction):
            yield action.option_strings[-1], (action.help or "").replace("%%", "%")


def _values(action: argparse.Action, line: _Line) -> Iterator[tuple[str, str]]:
    """The values of an option or an argument: by its name, else by what its help calls them."""
    if action.choices is not None:
        yield from ((str(choice), "") for choice in action.choices)
        return
    name = action.option_strings[-1] if action.option_strings else ""
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    # The names of a front door's models are its own.
    is_own = name == "--model" and metavar == "NAME"
    values = _BY_OPTION.get(name) or _BY_METAVAR.get(metavar)
    if values is not None and not is_own:
        yield from ((value, "") for value in values(line))


def _engine(line: _Line) -> str:
    name = line.given.get("--engine", DEFAULT_ENGINE)
    return name if name in ENGINES else DEFAULT_ENGINE


def _versions(line: _Line) -> Iterable[str]:
    return reversed(engine_named(_engine(line)).images.versions)


def _quantizations(line: _Line) -> Iterable[str]:
    rule = engine_named(_engine(line)).serving_rules.get("quantize")
    return rule.members if isinstance(rule, OneOf) else ()


def _stacks(line: _Line) -> Iterable[str]:
    try:
        return [stack.name for stack in read_stacks(Path(line.given.get("--assembly", "cdk.out")))]
    except CommandError:
        # Nothing is synthesized here, so no stack can be offered.
        return ()


_Values = Callable[[_Line], Iterable[str]]

_BY_OPTION: dict[str, _Values] = {
    "--instance": lambda _: (instance.name for instance in InstanceType.all()),
    "--instance-type": lambda _: (instance.name for instance in InstanceType.all()),
    "--engine": lambda line: planned_engines() if "--model" in line.given else ENGINES,
    "--stack": _stacks,
    "--image": _versions,
    "--models": lambda _: (FILES,),
    "--compare": lambda _: (FOLDERS,),
}
_BY_METAVAR: dict[str, _Values] = {
    "HUB_ID": lambda _: (model.hub_id for model in known_models()),
    "HUB_ID_OR_FOLDER": lambda _: (FOLDERS,),
    "REGION": lambda _: known_regions(),
    "ENGINE": lambda _: TARGETS,
    "STACK": _stacks,
    "STACK_OR_ENDPOINT": _stacks,
    "KIND": _quantizations,
    "FILE": lambda _: (FILES,),
    "FOLDER": lambda _: (FOLDERS,),
    "SHELL": lambda _: ("bash", "zsh", "fish"),
}
