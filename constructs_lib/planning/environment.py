"""The container's environment: the caller's further variables, and the limits that SageMaker sets.

Source: botocore 1.44.5, sagemaker 2017-07-24, `CreateModel`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from constructs_lib.planning.engine import Engine, Environment
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.problem import HIDDEN, Described, PlanWarning, Problem
from constructs_lib.planning.validation.unknown import Unknown

MAX_VARIABLES = 100
MAX_NAME_CHARACTERS = 1024
MAX_VALUE_CHARACTERS = 1024
MAX_BYTES = 32 * 1024

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_SECRET_NAME = re.compile(r"KEY|TOKEN(?!S|IZER)|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
_HUB_TOKEN = re.compile(r"hf_[A-Za-z0-9]{16,}")

_SETTINGS = (
    (re.compile(r"CONTAINER_?STARTUP_?HEALTH_?CHECK_?TIMEOUT(?:_?IN_?SECONDS)?"), "startup_timeout"),
    (re.compile(r"MODEL_?DATA_?DOWNLOAD_?TIMEOUT(?:_?IN_?SECONDS)?"), "model_download_timeout"),
    (re.compile(r"VOLUME_?SIZE_?IN_?GB"), "volume_size"),
    (re.compile(r"INFERENCE_?AMI_?VERSION"), "inference_ami_version"),
)
"""SageMaker's own settings, by its API's names, and the arguments that set them."""

_LIKENESS = 0.9
"""Least similarity of a misspelt name: one letter of nine, two of nineteen."""

_OTHER_PROGRAMS = frozenset(("LOGLEVEL", "OTEL_SERVICE_NAME", "SM_NUM_CPUS"))
"""Variables of PyTorch (torch/distributed/elastic/utils/logging.py), OpenTelemetry and SageMaker's training toolkit
that are named like an engine's. Of the variables that transformers 4.51, huggingface_hub 0.30, accelerate 1.6, peft
0.15, bitsandbytes 0.45 and outlines 0.1 read, none is."""


def argument_of(engine: Engine, variable: str) -> str:
    """The argument that a variable comes from, as the caller writes it."""
    return engine.owner(variable) or f"environment[{variable!r}]"


def extra_variables(
    engine: Engine, environment: Mapping[str, str], version: Version, *, own_image: bool
) -> tuple[Environment, list[Problem]]:
    """The caller's further variables that are right, and the problems of the others.

    Args:
        engine: The engine.
        environment: The further variables.
        version: The engine's version.
        own_image: Whether the image is the caller's own, in which further programs may read variables.
    """
    right: Environment = {}
    problems: list[Problem] = []
    for name, value in environment.items():
        found = next(_variable_problems(engine, name, value), None)
        if found is None and not own_image and engine.unread(_canonical(name), version) is None:
            found = _misspelt(engine, name, _shown(name, value))
        if found:
            problems.append(found)
        else:
            right[name] = value
    return right, problems


def variable_warnings(
    engine: Engine, environment: Mapping[str, str], version: Version, *, own_image: bool
) -> Iterator[PlanWarning]:
    """Which of the caller's further variables nothing in the container reads.

    Args:
        engine: The engine.
        environment: The further variables.
        version: The engine's version.
        own_image: Whether the image is the caller's own, in which further programs may read variables.
    """
    for name, value in environment.items():
        if next(_variable_problems(engine, name, value), None):
            continue
        words = engine.unread(_canonical(name), version)
        if words is None and own_image and (found := _misspelt(engine, name, value)):
            words = f"{found.message[0].upper()}{found.message[1:]}. {found.fix}"
        if words:
            yield PlanWarning("tgi-endpoint:unreadVariable", f"environment[{name!r}]: {words}")


def _misspelt(engine: Engine, name: str, shown: object) -> Problem | None:
    """The problem of a name that is nearly that of a variable of the engine."""
    canonical = _canonical(name)
    if canonical in engine.variables or canonical in _OTHER_PROGRAMS:
        return None
    near = get_close_matches(canonical, sorted(engine.variables), n=1, cutoff=_LIKENESS)
    if not near:
        return None
    owner = engine.owner(near[0])
    fix = f"If you mean {near[0]}, {f'use {owner} instead' if owner else 'write it so'}; otherwise rename it."
    return Problem(f"environment[{name!r}]", shown, f"{engine.display_name} has no such variable", fix)


def _canonical(name: str) -> str:
    return name.upper().replace("-", "_")


def _shown(name: str, value: object) -> object:
    return HIDDEN if _SECRET_NAME.search(name) or isinstance(value, Unknown) else value


def _variable_problems(engine: Engine, name: object, value: object) -> Iterator[Problem]:
    keyword = f"environment[{name!r}]"
    if not isinstance(name, str):
        yield Problem(keyword, value, f"a name must be a string, not {type(name).__name__}", "Give a str.")
        return
    shown, canonical = _shown(name, value), _canonical(name)
    if refusal := engine.refusal(canonical):
        yield Problem(keyword, shown, refusal, "Leave it out.")
    if owner := engine.owner(canonical):
        yield Problem(keyword, shown, f"{canonical} is set by {owner}", f"Use {owner} instead.")
    if setting := next((argument for pattern, argument in _SETTINGS if pattern.fullmatch(canonical)), None):
        message = "is a setting of SageMaker's, which no container reads"
        yield Problem(keyword, shown, message, f"Use the argument {setting} of the endpoint.")
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_CHARACTERS:
        yield Problem(
            keyword, shown, "a name must be letters, digits and underscores, no digit first", "Rename the variable."
        )
    yield from _value_problems(keyword, shown, value)


def _value_problems(keyword: str, shown: object, value: object) -> Iterator[Problem]:
    if isinstance(value, Unknown):
        return
    if not isinstance(value, str):
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        fix = f"Write {text!r}." if isinstance(value, bool | int | float) else "Give a str."
        yield Problem(keyword, shown, f"must be a string, not {type(value).__name__}", fix)
    elif _HUB_TOKEN.search(value):
        yield Problem(
            keyword,
            HIDDEN,
            "contains a Hugging Face token, which anyone allowed to describe the model could read",
            "Store it in Secrets Manager and use Model.from_hub(…, token=secret).",
        )
    elif "\x00" in value or re.search(r"[\ud800-\udfff]", value):
        yield Problem(keyword, shown, "must not contain NUL characters or invalid Unicode", "Remove them.")


def environment_problems(engine: Engine, environment: Environment, reserved: tuple[str, ...] = ()) -> Iterator[Problem]:
    """What SageMaker refuses of the container's environment.

    Args:
        engine: The engine, which knows where variables come from.
        environment: Every variable, but those of the hub token.
        reserved: Names of further variables that a construct adds.
    """
    count = len(environment) + len(reserved)
    if count > MAX_VARIABLES:
        yield Problem(
            "environment",
            Described(f"{count} variables"),
            f"SageMaker accepts at most {MAX_VARIABLES}",
            "Remove some of them.",
        )
    size = sum(_size(name) for name in (*reserved, *environment))
    for name, value in environment.items():
        if isinstance(value, Unknown):
            continue
        size += _size(value)
        if len(value) > MAX_VALUE_CHARACTERS:
            yield Problem(
                argument_of(engine, name),
                Described(f"{len(value)} characters"),
                f"SageMaker accepts at most {MAX_VALUE_CHARACTERS} characters in a variable",
                "Shorten it, or store it in a file beside the weights.",
            )
    if size > MAX_BYTES:
        yield Problem(
            "environment",
            Described(f"{size} bytes"),
            f"SageMaker accepts at most {MAX_BYTES} bytes of names and values together",
            "Shorten the values, or store them in a file beside the weights.",
        )


def _size(text: str) -> int:
    return len(text.encode("utf-8", errors="surrogatepass"))
