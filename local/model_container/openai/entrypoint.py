"""The entrypoints of SageMaker's images for vLLM and SGLang: variables to arguments.

Sources: scripts/docker/vllm/sagemaker_args.py and scripts/docker/sglang/sagemaker_entrypoint.sh of
aws/deep-learning-containers, and the supervisor of model_hosting_container_standards 0.1.16. The planning has this rule
as well; what is here is an independent reading of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from local.model_container.tgi.options import LaunchError

_LOG_LEVELS = ("debug", "info", "warn", "error", "critical")
_KEPT_WHOLE = ("--allowed-origins", "--allowed-methods", "--allowed-headers", "--middleware")


def check_supervisor(environment: Mapping[str, str]) -> None:
    """Checks what standard-supervisor reads before it starts the server.

    Raises:
        LaunchError: It ends.
    """
    level = environment.get("LOG_LEVEL")
    if level is not None and level.lower() not in _LOG_LEVELS:
        raise LaunchError(f"ConfigurationError: Invalid LOG_LEVEL '{level}'. Must be one of: {', '.join(_LOG_LEVELS)}")


def to_arguments(environment: Mapping[str, str], prefix: str, *, splits_arrays: bool) -> list[str]:
    """The arguments that variables with a prefix become.

    Args:
        environment: The variables.
        prefix: Such as `SM_VLLM_`.
        splits_arrays: Whether a JSON array becomes an argument for each of its elements, as in vLLM's images since
            August 2026. Others read `env` line by line: there a value has no newline.

    Raises:
        LaunchError: The entrypoint loses a part of a value.
    """
    arguments: list[str] = []
    for name in sorted(name for name in environment if name.startswith(prefix)):
        flag = "--" + name.removeprefix(prefix).lower().replace("_", "-")
        value = environment[name]
        if not splits_arrays and "\n" in value:
            raise LaunchError(f"{name}: the entrypoint of this image reads up to the first newline.")
        arguments += _tokens(flag, value, splits_arrays=splits_arrays)
    return arguments


def _tokens(flag: str, value: str, *, splits_arrays: bool) -> list[str]:
    if value.lower() == "false":
        return []
    if value == "" or value.lower() == "true":
        return [flag]
    if not splits_arrays or flag in _KEPT_WHOLE:
        return [flag, value]
    if value.lstrip().startswith("["):
        try:
            elements = json.loads(value)
        except ValueError:
            return [flag, value]
        return [flag, *map(_token, elements)] if elements else []
    objects = list(_objects(value))
    return [flag, *objects] if len(objects) > 1 else [flag, value]


def _token(element: object) -> str:
    return element if isinstance(element, str) else json.dumps(element)


def _objects(value: str) -> Iterator[str]:
    """The JSON objects of a text of several, with blanks between them."""
    decoder, at = json.JSONDecoder(), 0
    text = value.strip()
    while at < len(text) and text[at] == "{":
        try:
            _, end = decoder.raw_decode(text, at)
        except ValueError:
            return
        yield text[at:end]
        at = end + len(text[end:]) - len(text[end:].lstrip())
