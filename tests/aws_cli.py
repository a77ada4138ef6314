"""Checks commands of the AWS CLI against botocore's models, of which the CLI itself is generated."""

from __future__ import annotations

import re
import shlex
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

import jmespath
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel, Shape

# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
GLOBAL = {
    *("--region", "--profile", "--output", "--query", "--no-cli-pager", "--no-paginate", "--endpoint-url"),
    *("--cli-binary-format", "--cli-connect-timeout", "--cli-read-timeout", "--no-sign-request"),
}
PAGINATION = {"--max-items", "--page-size", "--starting-token"}
# Commands that the CLI adds: botocore has no model of them. https://docs.aws.amazon.com/cli/latest/reference/
ADDED: dict[tuple[str, str], set[str]] = {
    ("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern", "--log-stream-names"},
    ("s3", "cp"): {"--recursive", "--exclude", "--include"},
    ("s3", "ls"): {"--recursive"},
    ("s3", "sync"): {"--exclude", "--include", "--delete"},
}


def commands(text: str) -> Iterator[str]:
    """Every command that begins with `aws` and names an operation, in blocks and in the text, also inside `$(…)`."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += [re.sub(r"\s+", " ", code) for code in re.findall(r"`(aws [^`]+)`", prose)]
    for line in lines:
        yield from _commands_in(line.removeprefix("$ "))


def _commands_in(line: str) -> Iterator[str]:
    """The command of a line and those whose output it uses; what they print is `$VALUE` in it."""
    while inner := re.search(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)", line):
        yield from _commands_in(inner[1])
        line = line.replace(inner[0], "$VALUE")
    line = re.sub(r"^[A-Z_]+=", "", line)
    if re.match(r"aws [a-z]", line):
        yield re.sub(r"<[^<>]*>", "$VALUE", line)


def faults(command: str) -> list[str]:
    """What is wrong with a command."""
    _aws, service, *rest = shlex.split(command, comments=True)
    if not rest or rest[0].startswith("-"):
        return [f"{service} has no operation"]
    name, arguments = rest[0], _arguments(rest[1:])
    if (service, name) in ADDED:
        known = ADDED[service, name] | GLOBAL
        return [f"{name} has no {argument}" for argument in arguments if argument not in known]
    operations = _operations(service)
    if name not in operations:
        return [f"{service} has no operation {name}"]
    return list(_operation_faults(service, operations[name], arguments))


def _arguments(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    values: list[str] = []
    for word in words:
        if word.startswith("--"):
            values = found.setdefault(word, [])
        else:
            values.append(word)
    return found


@cache
def _operations(service: str) -> dict[str, OperationModel]:
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


@cache
def _paginated(service: str) -> set[str]:
    return set(Loader().load_service_model(service, "paginators-1")["pagination"])


def _operation_faults(service: str, operation: OperationModel, arguments: dict[str, list[str]]) -> Iterator[str]:
    members = {} if operation.input_shape is None else operation.input_shape.members
    required = [] if operation.input_shape is None else operation.input_shape.required_members
    by_option = {f"--{xform_name(name, '-')}": shape for name, shape in members.items()}
    negated = {option.replace("--", "--no-", 1) for option, shape in by_option.items() if shape.type_name == "boolean"}
    pages = PAGINATION if operation.name in _paginated(service) else set()
    for option, values in arguments.items():
        if option in by_option:
            yield from (f"{option}: {fault}" for value in values for fault in _value_faults(by_option[option], value))
        elif option not in GLOBAL | pages | negated:
            yield f"{operation.name} has no {option}"
    for name in required if arguments else ():  # without any option it is the command's name
        if f"--{xform_name(name, '-')}" not in arguments:
            yield f"{operation.name} requires {name}"
    for query in arguments.get("--query", []):
        try:
            _shape_of(jmespath.compile(query).parsed, operation.output_shape)
        except KeyError as missing:
            yield f"{operation.name} returns no {missing}"


def _value_faults(shape: Any, value: str) -> Iterator[str]:
    if value.startswith("$"):
        return
    item = shape.member if shape.type_name == "list" else shape
    if item.type_name == "structure":
        for pair in value.split(","):
            key = pair.partition("=")[0]
            if key not in item.members:
                yield f"has no {key}"
            else:
                yield from _value_faults(item.members[key], pair.partition("=")[2])
    elif item.type_name == "string" and item.enum and value not in item.enum:
        yield f"{value} is none of {', '.join(item.enum)}"
    elif item.type_name in ("integer", "long") and not value.isdigit():
        yield f"{value} is no number"


def _shape_of(node: dict[str, Any], shape: Any) -> Any:
    """The shape that an expression selects from one; None if it is made up. KeyError for a member that there is not."""
    match node["type"]:
        case "field":
            return _member(shape, node["value"])
        case "subexpression" | "index_expression" | "pipe":
            return reduce(lambda selected, child: _shape_of(child, selected), node["children"], shape)
        case "projection" | "filter_projection":
            list_, *of_each = node["children"]
            item = getattr(_shape_of(list_, shape), "member", None)
            return _made_up(of_each, item)
        case "index":
            return getattr(shape, "member", None)
        case "slice" | "identity" | "current":
            return shape
        case "flatten":
            return _shape_of(node["children"][0], shape)
        case "literal":
            return None
    return _made_up(node["children"], shape)


def _made_up(nodes: list[dict[str, Any]], shape: Any) -> None:
    for node in nodes:
        _shape_of(node, shape)


def _member(shape: Shape | None, name: str) -> Any:
    members = getattr(shape, "members", None)
    if members is None:
        return None
    return members[name]
