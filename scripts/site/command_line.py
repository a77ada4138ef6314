"""The commands of `tgi-endpoint` as Markdown, from what `--help` prints."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from constructs_lib.cli.commands import build_parser

_PROGRAM = "tgi-endpoint"
_BUILT_IN = (argparse._HelpAction, argparse._SubParsersAction)


def text() -> str:
    """A section for each command, with its arguments, exit status and examples."""
    parser = build_parser(_PROGRAM)
    lines = [*_about(parser), "| command | |", "|---|---|"]
    commands = list(_commands(parser))
    for command, says in commands:
        lines.append(f"| [`{command.prog}`](#{command.prog.replace(' ', '-')}) | {_cell(says)} |")
    lines.append("")
    for command, _ in commands:
        lines += [f"## {command.prog}", "", *_usage(command), *_about(command), *_arguments(command)]
    return "\n".join(lines)


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Each command and what the list of commands says of it, a command before its own commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            says = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield command, says.get(name, "")
                yield from _commands(command)


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    parts = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    words = [parser.prog]
    words += ["[OPTIONS]"] if any(action.option_strings for action in parts) else []
    words += [_name(action) for action in parts if not action.option_strings]
    yield from ("```", " ".join(words), "```", "")


def _about(parser: argparse.ArgumentParser) -> Iterator[str]:
    """What it does; then exit status, environment and examples, as they are printed."""
    yield parser.description or ""
    yield ""
    if parser.epilog:
        yield from ("```", (parser.epilog % {"prog": parser.prog}).rstrip(), "```", "")


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for group in parser._action_groups:
        shown = [
            action
            for action in group._group_actions
            if not isinstance(action, _BUILT_IN) and action.help is not argparse.SUPPRESS
        ]
        if not shown:
            continue
        title = (group.title or "").replace("positional arguments", "arguments")
        yield from (f"| {title} | |", "|---|---|")
        for action in shown:
            yield f"| {_cell(_names(action))} | {_cell(_help(parser, action))} |"
        yield ""


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{_name(action)}`"
    value = "" if action.nargs == 0 else f" {_name(action)}"
    return ", ".join(f"`{name}{value}`" for name in action.option_strings)


def _name(action: argparse.Action) -> str:
    """What stands for a value, as argparse writes it."""
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    name = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else None)
    name = name or (action.dest.upper() if action.option_strings else action.dest)
    several = {"*": f"[{name} …]", "+": f"{name} …", "?": f"[{name}]"}
    return several.get(str(action.nargs), name)


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    values = {name: getattr(action, name) for name in ("default", "metavar", "dest", "choices", "const")}
    return (action.help or "") % {**values, "prog": parser.prog}


def _cell(says: str) -> str:
    return says.replace("|", "\\|").replace("\n", " ")
