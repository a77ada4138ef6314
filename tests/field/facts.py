"""Cases of the kind `facts`: a folder of a model's files, given to `models add`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from constructs_lib import read_model_file
from constructs_lib.cli.main import main
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.images.catalogue import parse_version
from constructs_lib.planning.models.architectures import implementation
from constructs_lib.planning.models.facts import ModelFacts
from tests.constructs_lib.cli.text_stream import TextStream
from tests.field.words import error_deviations


class RefusedError(Exception):
    """What `models add` prints if it does not take a model."""


def deviations(case: dict[str, Any]) -> list[str]:
    """How what `models add` makes of the files differs from what is expected."""
    expect = case["expect"]
    try:
        facts = added_facts(case)
    except RefusedError as refusal:
        return error_deviations(str(refusal), expect.get("error"))
    found = error_deviations(None, expect.get("error"))
    for name, wanted in expect.get("facts", {}).items():
        found += _number_deviations(name, getattr(facts, name), wanted)
    runs_with = implementation(facts, parse_version(case.get("image", TGI.images.newest)) or (0, 0, 0))
    for name in ("backend", "flash"):
        if name in expect and getattr(runs_with, name) != expect[name]:
            found.append(f"{name} is {getattr(runs_with, name)!s}, not {expect[name]}")
    return found


def added_facts(case: dict[str, Any]) -> ModelFacts:
    """The facts that `models add` writes for the case's files.

    Raises:
        RefusedError: It takes no such model; the words are those of its error.
    """
    with TemporaryDirectory() as place:
        return read_model_file(added_file(case, Path(place)))[case["model"]]


def added_file(case: dict[str, Any], place: Path) -> Path:
    """The file that `models add` writes for the case's files, in the folder `place`.

    Raises:
        RefusedError: It takes no such model.
    """
    folder, output = place / "model", place / "models.json"
    folder.mkdir()
    files = dict(case.get("files", {}))
    if "config" in case:
        files["config.json"] = case["config"]
    if "weight_bytes" in case:
        files["model.safetensors.index.json"] = {"metadata": {"total_size": case["weight_bytes"]}}
    for name, content in files.items():
        _write(folder / name, content)
    errors = TextStream()
    arguments = ["models", "add", str(folder), "--name", case["model"], "--output", str(output)]
    if main(arguments, TextStream(), errors) != 0:
        raise RefusedError(errors.getvalue())
    return output


def _write(path: Path, content: dict[str, Any] | int) -> None:
    """JSON content, or a file of a size without content."""
    if isinstance(content, dict):
        path.write_text(json.dumps(content), encoding="utf-8")
        return
    with path.open("wb") as file:
        file.truncate(content)


def _number_deviations(name: str, value: Any, wanted: Any) -> list[str]:
    """A list of two is a range, both ends included."""
    right = wanted[0] <= value <= wanted[1] if isinstance(wanted, list) else value == wanted
    return [] if right else [f"{name} is {value!r}, not {wanted!r}"]
