"""The models of an app: a JSON file that is committed with it and read at synth.

`python -m constructs_lib models add` writes it; `read_model_file` gives what the catalogue would give for a known
model. Nothing here goes to the network.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, get_args

from constructs_lib.planning.models.facts import Gating, ModelFacts, facts_from_row, facts_problems
from constructs_lib.planning.models.layer_groups import LayerGroup
from constructs_lib.planning.validation.problem import Problem

_ABOUT = "Models that python -m constructs_lib models add has read. Commit it; synth reads it."
_FORMAT = 2
_FIELDS = {one.name: one for one in fields(ModelFacts)}
_REQUIRED = tuple(name for name, one in _FIELDS.items() if one.default is MISSING)
_AGAIN = "Write the file again with python -m constructs_lib models add."


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


# What `facts_problems` does not check.
_REST: tuple[tuple[str, str, Callable[[object], bool]], ...] = (
    *(
        (name, "true or false", lambda value: isinstance(value, bool))
        for name in ("tied_embeddings", "act_order", "settings_in_config", "alibi", "reads_images", "auto_map")
    ),
    ("licence", "a string", lambda value: isinstance(value, str)),
    ("rope", "a string, or null", lambda value: value is None or isinstance(value, str)),
    ("experts", "a whole number above 0", _is_count),
    ("experts_per_token", "a whole number above 0", _is_count),
    *(
        (name, "a whole number above 0, or null", lambda value: value is None or _is_count(value))
        for name in (
            "intermediate",
            "vocabulary",
            "weight_bytes",
            "bits",
            "sliding_window",
            "cache_width",
            "trained_positions",
            "latent_width",
        )
    ),
)


class ModelFileError(ValueError):
    """A file of models that cannot be used.

    Args:
        path: The file.
        problems: Everything that is wrong with it.
    """

    def __init__(self, path: str | os.PathLike[str], problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{os.fspath(path)} cannot be used{lines}")


class ModelFile(Mapping[str, ModelFacts]):
    """The models of a file, by hub id; like the hub, it ignores case.

    Args:
        models: The models.
    """

    def __init__(self, models: Iterable[ModelFacts] = ()) -> None:
        self._by_id = {facts.hub_id.lower(): facts for facts in models}

    def __getitem__(self, hub_id: str) -> ModelFacts:
        return self._by_id[hub_id.lower()]

    def __iter__(self) -> Iterator[str]:
        return (facts.hub_id for facts in self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def with_model(self, facts: ModelFacts) -> ModelFile:
        """The same models with one added, or replaced if its id is there.

        Args:
            facts: The model.
        """
        return ModelFile([*(one for one in self.values() if one.hub_id.lower() != facts.hub_id.lower()), facts])


def read_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """The models of a file that `models add` wrote.

    Args:
        path: The file.

    Raises:
        ModelFileError: It does not exist or is not such a file; the error names everything that is wrong.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise ModelFileError(path, [Problem("file", os.fspath(path), f"cannot be read: {words}", _AGAIN)]) from error
    except ValueError as error:
        raise ModelFileError(path, [Problem("file", os.fspath(path), f"is not JSON: {error}", _AGAIN)]) from error
    rows = content.get("models") if isinstance(content, dict) and content.get("format") == _FORMAT else None
    if not isinstance(rows, list):
        fix = f"{_AGAIN[:-1]} of this version of the library."
        raise ModelFileError(
            path, [Problem("format", _FORMAT, "is the format that the file must have, with a list 'models'", fix)]
        )
    problems = [problem for place, row in enumerate(rows) for problem in _row_problems(place, row)]
    if problems:
        raise ModelFileError(path, problems)
    return ModelFile(facts_from_row(row) for row in rows)


def write_model_file(path: str | os.PathLike[str], models: ModelFile) -> None:
    """Write models to a file, sorted by their ids, in one step: a reader sees the old file or the new one.

    Args:
        path: The file. Its folder has to exist.
        models: The models.
    """
    rows = [_row(facts) for facts in sorted(models.values(), key=lambda facts: facts.hub_id.lower())]
    text = json.dumps({"about": _ABOUT, "format": _FORMAT, "models": rows}, indent=2, ensure_ascii=False) + "\n"
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _row(facts: ModelFacts) -> dict[str, Any]:
    return {name: value for name, value in asdict(facts).items() if value != _FIELDS[name].default}


def _group_problems(where: str, groups: object) -> Iterator[Problem]:
    known = {one.name for one in fields(LayerGroup)}
    rows = groups if isinstance(groups, list) else [groups]
    for group in rows:
        right = isinstance(group, dict) and "layers" in group and group.keys() <= known
        if not right or not all(value is None or _is_count(value) for value in group.values()):  # type: ignore[union-attr]
            message = f"must be a list of objects with layers and {', '.join(sorted(known - {'layers'}))}"
            yield Problem(f"{where}.layer_groups", group, message, _AGAIN)


def _row_problems(place: int, row: object) -> list[Problem]:
    where = f"models[{place}]"
    if not isinstance(row, dict):
        return [Problem(where, row, "must be an object", _AGAIN)]
    missing = [Problem(f"{where}.{name}", None, "is missing", _AGAIN) for name in _REQUIRED if name not in row]
    unknown = [Problem(f"{where}.{name}", row[name], "is unknown", "Remove it.") for name in row if name not in _FIELDS]
    if missing or unknown:
        return missing + unknown
    if wrong := list(_group_problems(where, row.get("layer_groups", []))):
        return wrong
    facts = facts_from_row(row)
    problems = [
        Problem(one.keyword.replace("model.facts", where), one.value, one.message, one.fix)
        for one in facts_problems(facts)
    ]
    problems += [
        Problem(f"{where}.{name}", getattr(facts, name), f"must be {words}", _AGAIN)
        for name, words, is_right in _REST
        if not is_right(getattr(facts, name))
    ]
    if facts.gating not in get_args(Gating):
        allowed = ", ".join(get_args(Gating))
        problems.append(Problem(f"{where}.gating", facts.gating, f"must be one of {allowed}", _AGAIN))
    return problems
