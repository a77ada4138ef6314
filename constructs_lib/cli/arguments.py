"""What `plan` is asked for, checked: every mistake of a call is found before any is told."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from constructs_lib.cli.errors import MistakesError, nearest
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import Quantization, TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelFacts, known_model, known_models
from constructs_lib.planning.models.facts_file import ModelFile, ModelFileError, read_model_file
from constructs_lib.planning.validation.problem import Problem

_MOST_TOKENS, _MOST_REQUESTS = 10_000_000, 100_000


@dataclass(frozen=True)
class Asked:
    """What a plan is asked for.

    Args:
        facts: The model.
        instances: The instances to look at; empty for all.
        tokens: Prompt and answer of one request.
        concurrency: Requests at the same time.
        options: Options of TGI.
        version: Version of TGI.
        region: Region.
    """

    facts: ModelFacts
    instances: tuple[InstanceType, ...]
    tokens: int | None
    concurrency: int | None
    options: TgiOptions
    version: str
    region: str | None


class Checker:
    """Checks arguments one by one and remembers what is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def asked(self, arguments: argparse.Namespace) -> Asked:
        """What is asked for.

        Raises:
            MistakesError: With every mistake.
        """
        facts = self._model(arguments.model, self.model_file(arguments.models))
        instances = tuple(one for name in arguments.instance or () if (one := self._instance(name)))
        tokens = self._whole("--tokens", arguments.tokens, 2, _MOST_TOKENS)
        concurrency = self._whole("--concurrency", arguments.concurrency, 1, _MOST_REQUESTS)
        quantize = self._one_of("--quantize", arguments.quantize, [kind.value for kind in Quantization])
        version = self._one_of("--image", arguments.image, TGI.images.versions) or TGI.images.newest
        region = self._one_of("--region", arguments.region, TGI.images.regions(version))
        if arguments.svg == "":
            self._add("--svg", "", "is no name of a file", "Name a file, such as memory.svg.")
        elif arguments.svg and not Path(arguments.svg).absolute().parent.is_dir():
            self._add("--svg", arguments.svg, "its folder does not exist", "Make the folder, or name another file.")
        if self.problems or facts is None:
            raise MistakesError(self.problems, arguments.parser.format_usage().strip())
        options = TgiOptions(quantize=Quantization(quantize) if quantize else None)
        return Asked(facts, instances, tokens, concurrency, options, version, region)

    def model_file(self, path: str | None) -> ModelFile:
        """The models of a file; none where there is no file to read."""
        if path is None:
            return ModelFile()
        try:
            return read_model_file(path)
        except ModelFileError as error:
            self.problems += [
                Problem(f"--models {path}: {one.keyword}", None, one.message, one.fix) for one in error.problems
            ]
            return ModelFile()

    def _model(self, hub_id: str | None, own: ModelFile) -> ModelFacts | None:
        if hub_id is None:
            self._add("--model", None, "is missing", "Name a model, such as meta-llama/Llama-3.1-8B-Instruct.")
            return None
        facts = own.get(hub_id) or known_model(hub_id)
        if facts is None:
            names = {name.partition("/")[2].lower(): name for name in [*own, *(one.hub_id for one in known_models())]}
            without_owner = names.get(hub_id.lower())
            near = f"Did you mean {without_owner}?" if without_owner else nearest(hub_id, names.values(), "")
            file = "python -m constructs_lib models add reads other models; give its file with --models."
            self._add("--model", hub_id, "is not in the catalogue", f"{near} {file}".strip())
        return facts

    def _instance(self, name: str) -> InstanceType | None:
        names = {one.name: one for one in InstanceType.all()}
        found = names.get(name) or names.get(f"ml.{name}")
        if found is None:
            self._add("--instance", name, "is not in the catalogue", nearest(name, names, "See the command instances."))
        return found

    def _one_of(self, option: str, value: str | None, known: tuple[str, ...] | list[str]) -> str | None:
        if value is not None and value not in known:
            self._add(option, value, "is not known", nearest(value, known, f"There are {', '.join(known)}."))
            return None
        return value

    def _whole(self, option: str, value: str | None, least: int, most: int) -> int | None:
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) < 19 and least <= int(value) <= most:
            return int(value)
        self._add(option, value, f"must be a whole number from {least} to {most}", "")
        return None

    def _add(self, option: str, value: str | None, message: str, fix: str) -> None:
        self.problems.append(Problem(option, value, message, fix))
