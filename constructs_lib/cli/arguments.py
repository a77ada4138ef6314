"""The arguments of `plan`, validated together, so that one call reports every error."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from constructs_lib.cli.engine import DEFAULT_ENGINE, planned_engines
from constructs_lib.cli.errors import UsageError, nearest
from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.engine import Engine
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.hardware.instance_types import InstanceType, find_instance, nearest_instances
from constructs_lib.planning.images.catalogue import ImageChoice, parse_version
from constructs_lib.planning.models.facts import ModelChoice, ModelFacts, known_model, known_models
from constructs_lib.planning.models.facts_file import ModelFile, ModelFileError, read_model_file
from constructs_lib.planning.models.nearest import nearest_model
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.sizing.candidates import Candidate
from constructs_lib.planning.summary import PlanSummary, summary
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import OneOf

_MAX_TOKENS, _MAX_CONCURRENCY, _MAX_INSTANCES = 10_000_000, 100_000, 10_000


@dataclass(frozen=True)
class PlanArguments:
    """The arguments of `plan`.

    Args:
        engine: What runs in the container.
        facts: The model.
        instances: The instance types to consider; empty: all.
        tokens: Prompt and output tokens of one request together. None: any number.
        concurrency: Concurrent requests. None: one.
        options: The engine's options, of its `options_type`.
        version: Version of the engine.
        region: Region of the endpoint. None: any.
        min_instances: Instances at the smallest load; 0 if it scales to zero.
        max_instances: Instances at the largest load.
    """

    engine: Engine
    facts: ModelFacts
    instances: tuple[InstanceType, ...]
    tokens: int | None
    concurrency: int | None
    options: Any
    version: str
    region: str | None
    min_instances: int = 1
    max_instances: int = 1

    def warnings(self, candidate: Candidate) -> tuple[PlanWarning, ...]:
        """What is legal but risky about serving the model on an instance, as a construct would say it."""
        return plan(self._endpoint(candidate)).warnings

    def summary(self, candidate: Candidate) -> PlanSummary:
        """The summary of an endpoint on an instance that fits, with the range of instances."""
        endpoint = self._endpoint(candidate)
        return summary(endpoint, plan(endpoint), self.capacity(candidate))

    def capacity(self, candidate: Candidate) -> Capacity:
        """The range of instances."""
        return Capacity(
            instances=(candidate.instance,),
            min_instances=self.min_instances,
            max_instances=self.max_instances,
            request_tokens=self.tokens,
        )

    def _endpoint(self, candidate: Candidate) -> EndpointRequest:
        return EndpointRequest(
            engine=self.engine,
            model=ModelChoice(source="hub", hub_id=self.facts.hub_id, has_token=True, facts=self.facts),
            instance=candidate.instance,
            image=ImageChoice(version=self.version),
            options=replace(self.options, **dict(candidate.settings)),
            region=self.region,
        )


@dataclass(frozen=True)
class _Load:
    """The arguments that do not depend on the engine; see `PlanArguments`."""

    facts: ModelFacts
    instances: tuple[InstanceType, ...]
    tokens: int | None
    concurrency: int | None
    min_instances: int
    max_instances: int

    def on(self, engine: Engine, version: str, region: str | None, options: object) -> PlanArguments:
        """The arguments of `plan` for an engine."""
        return PlanArguments(
            engine=engine,
            facts=self.facts,
            instances=self.instances,
            tokens=self.tokens,
            concurrency=self.concurrency,
            options=options,
            version=version,
            region=region,
            min_instances=self.min_instances,
            max_instances=self.max_instances,
        )


class ArgumentChecker:
    """Validates arguments and collects the problems.

    Args:
        problems: The problems found so far; those found here are appended.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def plan_arguments(self, arguments: argparse.Namespace) -> PlanArguments:
        """Validate the arguments of `plan`.

        Raises:
            UsageError: With every problem.
        """
        load = self._load(arguments)
        engine = self._engine(arguments.engine)
        version = self._version(engine, arguments.image)
        quantize = self._quantize(engine, arguments.quantize, version)
        region = self.one_of("--region", arguments.region, engine.images.regions(version))
        self._check_svg(arguments.svg)
        if self.problems or load is None:
            raise UsageError(self.problems, arguments.parser.format_usage().strip())
        return load.on(engine, version, region, engine.options_type(**quantize))

    def comparison(self, arguments: argparse.Namespace) -> list[PlanArguments]:
        """Validate the arguments of `compare`; those of `plan` for each engine, with its newest image.

        Raises:
            UsageError: With every problem.
        """
        load = self._load(arguments)
        engines = [engine_named(name) for name in planned_engines()]
        regions = sorted({region for engine in engines for region in engine.images.regions(engine.images.newest)})
        region = self.one_of("--region", arguments.region, regions)
        if self.problems or load is None:
            raise UsageError(self.problems, arguments.parser.format_usage().strip())
        return [load.on(engine, engine.images.newest, region, engine.options_type()) for engine in engines]

    def _load(self, arguments: argparse.Namespace) -> _Load | None:
        """What is served, where, and how much of it; None if the model is not known."""
        facts = self._model(arguments.model, self.model_file(arguments.models))
        instances = tuple(found for name in arguments.instance or () if (found := self._instance(name)))
        tokens = self._integer("--tokens", arguments.tokens, 2, _MAX_TOKENS)
        concurrency = self._integer("--concurrency", arguments.concurrency, 1, _MAX_CONCURRENCY)
        least, most = self._range(arguments.min_instances, arguments.max_instances)
        return None if facts is None else _Load(facts, instances, tokens, concurrency, least, most)

    def _engine(self, name: str | None) -> Engine:
        found = self.one_of("--engine", name, planned_engines())
        return engine_named(found or DEFAULT_ENGINE)

    def model_file(self, path: str | None) -> ModelFile:
        """The models of a file; empty if no file is given or it cannot be read."""
        if path is None:
            return ModelFile()
        try:
            return read_model_file(path)
        except ModelFileError as error:
            self.problems += [
                Problem(f"--models {path}: {problem.keyword}", None, problem.message, problem.fix)
                for problem in error.problems
            ]
            return ModelFile()

    def _model(self, hub_id: str | None, own: ModelFile) -> ModelFacts | None:
        if hub_id is None:
            self._add("--model", None, "is missing", "Name a model, such as meta-llama/Llama-3.1-8B-Instruct.")
            return None
        facts = own.get(hub_id) or known_model(hub_id)
        if facts is None:
            hub_ids = [*own, *(known.hub_id for known in known_models())]
            near = nearest_model(hub_id, hub_ids)
            similar = f"Did you mean {near}?" if near else ""
            other = "To plan for another model, read it with the command models add and pass its file with --models."
            self._add("--model", hub_id, "is not in the catalogue", f"{similar} {other}".strip())
        return facts

    def _instance(self, name: str) -> InstanceType | None:
        found = find_instance(name)
        if found is None:
            near = nearest_instances(name)
            fix = f"Did you mean {' or '.join(near)}?" if near else "The command instances lists them."
            self._add("--instance", name, "is not in the catalogue", fix)
        return found

    def _version(self, engine: Engine, value: str | None) -> str:
        images = engine.images
        if value is not None and value not in images.versions:
            fix = f"Use {images.newest_like(value)}; the command images lists all."
            self._add("--image", value, "is not known", fix)
            return images.newest
        return value or images.newest

    def _quantize(self, engine: Engine, value: str | None, version: str) -> dict[str, str]:
        """The option of the engine that compresses weights, with a right value; empty without one."""
        name = engine.memory_model.option_names.compression
        if value is None:
            return {}
        if not name:
            self._add("--quantize", value, f"{engine.display_name} compresses no weights", "Leave it out.")
            return {}
        rule = engine.serving_rules["quantize"]
        if isinstance(rule, OneOf) and value not in list(rule.members):
            meant = rule.meant(value)
            fix = f"Did you mean {meant}?" if meant else f"Use one of {', '.join(rule.members)}."
            self._add("--quantize", value, "is not known", fix)
            return {}
        parsed = parse_version(version) or engine.images.newest_version
        for found in engine.read_options(engine.options_type(**{name: value}), parsed).problems:
            self._add("--quantize", value, found.message, found.fix)
        return {name: value}

    def _check_svg(self, path: str | None) -> None:
        if path == "":
            self._add("--svg", "", "is not a file name", "Name a file, such as memory.svg.")
        elif path and not Path(path).absolute().parent.is_dir():
            self._add("--svg", path, "its folder does not exist", "Create the folder, or name another file.")

    def one_of(self, option: str, value: str | None, known: tuple[str, ...] | list[str]) -> str | None:
        """One of some values, or None with a problem."""
        if value is not None and value not in known:
            self._add(option, value, "is not known", nearest(value, known, f"Use one of {', '.join(known)}."))
            return None
        return value

    def _integer(self, option: str, value: str | None, minimum: int, maximum: int) -> int | None:
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) < 19 and minimum <= int(value) <= maximum:
            return int(value)
        self._add(option, value, f"must be an integer from {minimum} to {maximum}", "")
        return None

    def _range(self, least: str | None, most: str | None) -> tuple[int, int]:
        """The smallest and the largest number of instances."""
        smallest = self._integer("--min-instances", least, 0, _MAX_INSTANCES)
        largest = self._integer("--max-instances", most, 1, _MAX_INSTANCES)
        smallest = 1 if smallest is None else smallest
        if largest is not None and smallest > largest:
            fix = "Raise --max-instances, or lower --min-instances."
            self._add("--min-instances", least or "1", f"must be at most --max-instances {largest}", fix)
        return smallest, largest or max(1, smallest)

    def _add(self, option: str, value: str | None, message: str, fix: str) -> None:
        self.problems.append(Problem(option, value, message, fix))
