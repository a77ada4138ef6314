"""The code of a move: the new endpoint, and the front door before, while and after it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pprint import pformat
from typing import Any

from constructs_lib.planning.hardware.instance_types import InstanceType, attribute_name, find_instance
from constructs_lib.planning.migration.migrate import Migration
from constructs_lib.planning.models.facts import ModelChoice

_CONSTRUCTS = {"vllm": "VllmEndpoint", "sglang": "SglangEndpoint", "lmi": "LmiEndpoint"}
_IMAGES = ("VllmImage", "SglangImage", "LmiImage")
_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the code calls things.

    Args:
        old: The variable with the endpoint on TGI.
        new: The variable with the new endpoint; its construct has that name with a capital.
        model: The name that clients use for the model.
    """

    old: str
    new: str
    model: str


def endpoint_code(migration: Migration, names: Names) -> str:
    """The new endpoint as Python, with its imports.

    It takes `self`, a construct; `token`, the secret with the hub token, if the model needs one; and `model`, the
    `Model` of the endpoint on TGI, if its weights are not on the hub.

    Args:
        migration: The move.
        names: What the code calls things.
    """
    target = migration.target
    construct = _CONSTRUCTS[target.engine.name]
    arguments = dict(_arguments(migration))
    lines = [f"{names.new} = {construct}(", "    self,", f"    {_title(names.new)!r},".replace("'", '"')]
    for name, text in arguments.items():
        lines.append(f"    {name}={_indented(text)},")
    lines.append(")")
    body = "\n".join(lines)
    return f"{_imports(construct, body)}\n\n{body}\n"


def steps(names: Names) -> tuple[tuple[str, str], ...]:
    """The steps of the move: what each is for, and what `models` of the front door is then."""
    old, new, key = names.old, names.new, names.model
    return (
        (
            "Mirror: the new engine gets a copy of 5 % of the requests, and its answers are dropped.",
            f'models = {{"{key}": Mirror({old}, to={new}, percent=5)}}',
        ),
        (
            "Split: 5 % of the callers get their answers from it.",
            f'models = {{"{key}": Split({{{old}: 95, {new}: 5}})}}',
        ),
        ("Half of them.", f'models = {{"{key}": Split({{{old}: 50, {new}: 50}})}}'),
        (
            "All of them; the endpoint on TGI still runs, and a deployment of the step before goes back.",
            f'models = {{"{key}": Split({{{old}: 0, {new}: 100}})}}',
        ),
        (f"Remove the endpoint on TGI, `{old}`, from the stack.", f'models = {{"{key}": {new}}}'),
    )


def _arguments(migration: Migration) -> Iterator[tuple[str, str]]:
    target = migration.target
    yield "model", _model(target.model)
    yield "instance_type", _instances(migration)
    if (version := target.image_choice.version) != target.engine.images.newest:
        yield "image", f'{target.engine.images.construct}.version("{version}")'
    if options := _options(target.options):
        yield "options", options
    if target.environment:
        yield "environment", _value(dict(target.environment))
    if isinstance(target.instance_count, int) and target.instance_count != 1:
        yield "instance_count", repr(target.instance_count)
    if target.network_isolation:
        yield "network_isolation", "True"


def _model(model: ModelChoice) -> str:
    if model.source != "hub" or model.facts is not None or not isinstance(model.hub_id, str):
        return "model"
    parts = [f'"{model.hub_id}"']
    if model.revision is not None:
        parts.append(f'revision="{model.revision}"' if isinstance(model.revision, str) else "revision=revision")
    if model.has_token:
        parts.append("token=token")
    if model.like is not None:
        parts.append(f'like="{model.like}"')
    return f"Model.from_hub({', '.join(parts)})"


def _instances(migration: Migration) -> str:
    load = migration.target.cheapest
    if load is not None:
        return f"InstanceType.cheapest_for(tokens={load.tokens}, concurrency={load.concurrency})"
    pools = migration.target.pools
    if pools:
        return f"[{', '.join(map(_instance, pools))}]"
    return _instance(migration.new.instance)


def _instance(instance: InstanceType) -> str:
    if find_instance(instance.name) == instance:
        return attribute_name(instance.name)
    given = {
        name: value
        for name in ("accelerator_count", "memory_gib", "accelerator", "compute_capability", "price_usd_per_hour")
        if (value := getattr(instance, name)) is not None
    }
    return f"InstanceType.of({instance.name!r}, {', '.join(f'{name}={value!r}' for name, value in given.items())})"


def _options(options: Any) -> str:
    types_of = typing.get_type_hints(type(options))
    given = [(one.name, getattr(options, one.name)) for one in fields(options)]
    texts = [f"    {name}={_value(value, types_of[name])}," for name, value in given if value is not None]
    if not texts:
        return ""
    return "\n".join([f"{type(options).__name__}(", *texts, ")"])


def _value(value: object, kind: object = None) -> str:
    enum = next((one for one in _parts(kind) if isinstance(one, type) and issubclass(one, StrEnum)), None)
    if enum is not None and isinstance(value, str):
        return f"{enum.__name__}.{enum(value).name}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_value(name)}: {_value(one)}' for name, one in value.items())}}}"
    if isinstance(value, str) and "'" not in value and '"' not in value and value.isprintable():
        return f'"{value}"'
    return repr(value) if isinstance(value, str) else pformat(value, width=_WIDTH)


def _parts(kind: object) -> Iterable[object]:
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def _imports(construct: str, body: str) -> str:
    names = {construct}
    for name in ("InstanceType", "Model", *_IMAGES):
        if f"{name}." in body:
            names.add(name)
    names |= {
        word for word in _capitalized(body) if word.endswith(("Options", "Mode", "Dtype", "Quantization", "Level"))
    }
    return f"from constructs_lib import {', '.join(sorted(names))}"


def _capitalized(text: str) -> set[str]:
    separated = "".join(one if one.isidentifier() or one.isdigit() else " " for one in text)
    return {word for word in separated.split() if word[0].isupper() and not word.isupper()}


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
