"""The file of a pinned model: JSON that is committed with the app and read at synth.

`tgi-endpoint jumpstart add` writes it. Nothing here goes to the network.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from constructs_lib.planning.engines.jumpstart.pinned import PinnedInstance, PinnedModel
from constructs_lib.planning.images.catalogue import parse_uri
from constructs_lib.planning.validation.problem import Problem

_ABOUT = "A model of SageMaker JumpStart that tgi-endpoint jumpstart add has read. Commit it; synth reads it."
_FORMAT = 1
_AGAIN = "Write the file again with tgi-endpoint jumpstart add."
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d", re.ASCII)
_KEY = re.compile(r"[^/\s][^\s]*(/|\.tar\.gz)", re.ASCII)


class JumpStartFileError(ValueError):
    """A file of a JumpStart model that cannot be used.

    Args:
        path: The file.
        problems: Everything that is wrong with it.
    """

    def __init__(self, path: str | os.PathLike[str], problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{os.fspath(path)} cannot be used{lines}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_list_of(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, str) and pattern.fullmatch(each) for each in value)
    )


def _is_mapping_of_text(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


_Rule = tuple[str, Callable[[object], bool]]
_TEXT: _Rule = ("a string that is not empty", _is_text)
_COUNT: _Rule = ("a whole number above 0", _is_count)
_FLAG: _Rule = ("true or false", _is_flag)

_MODEL_RULES: dict[str, _Rule] = {
    "model_id": _TEXT,
    "version": _TEXT,
    "regions": ("a list of Regions, such as eu-west-1", _is_list_of(_REGION)),
    "instance_types": (
        "an object with what the model runs on each instance type",
        lambda value: isinstance(value, dict) and bool(value),
    ),
    "default_instance_type": _TEXT,
    "config": _TEXT,
    "hub_id": _TEXT,
    "licence": _TEXT,
    "is_gated": _FLAG,
    "eula_key": _TEXT,
    "network_isolation": _FLAG,
    "supports_components": _FLAG,
    "volume_gib": _COUNT,
    "startup_seconds": _COUNT,
    "download_seconds": _COUNT,
    "inference_ami_version": _TEXT,
    "deprecated": _TEXT,
    "vulnerabilities": ("a list of strings", lambda value: isinstance(value, list) and all(map(_is_text, value))),
    "source": _TEXT,
    "date": _TEXT,
}

_INSTANCE_RULES: dict[str, _Rule] = {
    "images": ("an object with the image's URI by Region", lambda value: _is_mapping_of_text(value) and bool(value)),
    "artifact": (
        "a key that ends in / (a folder) or .tar.gz",
        lambda value: isinstance(value, str) and _KEY.fullmatch(value) is not None,
    ),
    "environment": ("an object whose values are strings", _is_mapping_of_text),
    "accelerators": _COUNT,
    "memory_mib": _COUNT,
}


def read_pinned(path: str | os.PathLike[str]) -> PinnedModel:
    """The model of a file that `jumpstart add` wrote.

    Args:
        path: The file.

    Raises:
        JumpStartFileError: It does not exist or is not such a file; the error names everything that is wrong.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise JumpStartFileError(
            path, [Problem("file", os.fspath(path), f"cannot be read: {words}", _AGAIN)]
        ) from error
    except (ValueError, RecursionError) as error:
        problem = Problem("file", os.fspath(path), f"is not JSON: {error}", _AGAIN)
        raise JumpStartFileError(path, [problem]) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        fix = f"{_AGAIN[:-1]} of this version of the library."
        message = "is the format that the file must have"
        raise JumpStartFileError(path, [Problem("format", _FORMAT, message, fix)])
    row = {name: value for name, value in content.items() if name not in ("about", "format")}
    problems = list(_problems(row))
    if problems:
        raise JumpStartFileError(path, problems)
    return _model(row)


def write_pinned(path: str | os.PathLike[str], model: PinnedModel) -> None:
    """Write a model to a file in one step: a reader sees the old file or the new one.

    Args:
        path: The file. Its folder has to exist.
        model: The model.
    """
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(pinned_to_json(model), indent=2, ensure_ascii=False) + "\n")
        Path(temporary).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def pinned_to_json(model: PinnedModel) -> dict[str, Any]:
    """The content of the file: facts first, then the instance types, each value on a line of its own."""
    row = _without_defaults(PinnedModel, {**asdict(model), "instance_types": {}})
    row["regions"] = list(model.regions)
    if model.vulnerabilities:
        row["vulnerabilities"] = list(model.vulnerabilities)
    del row["instance_types"]
    types = {name: _instance_row(instance) for name, instance in model.instance_types.items()}
    return {"about": _ABOUT, "format": _FORMAT, **row, "instance_types": types}


def _instance_row(instance: PinnedInstance) -> dict[str, Any]:
    row = _without_defaults(PinnedInstance, asdict(instance))
    row["images"] = dict(sorted(instance.images.items()))
    row["environment"] = dict(sorted(instance.environment.items()))
    return row


def _without_defaults(kind: type[PinnedModel | PinnedInstance], values: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {one.name: one.default for one in fields(kind)}
    return {name: value for name, value in values.items() if value != defaults[name]}


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _field_problems("", row, _MODEL_RULES, _required(PinnedModel))
    types = row.get("instance_types")
    for name, instance in types.items() if isinstance(types, dict) else ():
        yield from _instance_problems(name, instance, row.get("regions"))
    default = row.get("default_instance_type")
    if isinstance(types, dict) and isinstance(default, str) and default not in types:
        yield Problem("default_instance_type", default, "is none of instance_types", _AGAIN)


def _instance_problems(name: str, instance: object, regions: object) -> Iterator[Problem]:
    where = f"instance_types[{name!r}]"
    if not _INSTANCE_TYPE.fullmatch(name):
        yield Problem(where, name, "must be SageMaker's name, such as ml.g5.2xlarge", _AGAIN)
    if not isinstance(instance, dict):
        yield Problem(where, instance, "must be an object", _AGAIN)
        return
    yield from _field_problems(f"{where}.", instance, _INSTANCE_RULES, _required(PinnedInstance))
    images = instance.get("images")
    if not isinstance(images, dict) or not _is_mapping_of_text(images):
        return
    for region, image in images.items():
        uri = parse_uri(image)
        if isinstance(regions, list) and region not in regions:
            yield Problem(f"{where}.images", region, "is none of regions", _AGAIN)
        elif uri is None or uri.region != region:
            message = f"must be the URI of an image in a private ECR repository in {region}"
            yield Problem(f"{where}.images[{region!r}]", image, message, _AGAIN)


def _field_problems(
    where: str, row: Mapping[str, Any], rules: Mapping[str, _Rule], required: Iterable[str]
) -> Iterator[Problem]:
    for name in required:
        if name not in row:
            yield Problem(f"{where}{name}", None, "is missing", _AGAIN)
    for name, value in row.items():
        if name not in rules:
            yield Problem(f"{where}{name}", value, "is unknown", "Remove it.")
        elif not rules[name][1](value):
            yield Problem(f"{where}{name}", value, f"must be {rules[name][0]}", _AGAIN)


def _required(kind: type[PinnedModel | PinnedInstance]) -> list[str]:
    return [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]


def _model(row: Mapping[str, Any]) -> PinnedModel:
    types = {name: PinnedInstance(**instance) for name, instance in row["instance_types"].items()}
    lists = {name: tuple(row[name]) for name in ("regions", "vulnerabilities") if name in row}
    return PinnedModel(**{**row, **lists, "instance_types": types})
