"""What can be wrong with the arguments of FrontDoor, found before anything is created. Pure Python: no aws_cdk here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from constructs_lib.planning.checks import Flag, problem
from constructs_lib.planning.problems import Problem

# The name stands in URLs, in JSON and in the `model` field of requests.
MODEL_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")

# What the front door uses of an endpoint (IModelEndpoint), so that a mistake is named here and not inside jsii.
_ENDPOINT_ATTRIBUTES = ("endpoint_name", "endpoint_arn", "grant_invoke", "model_id", "max_body_bytes", "engine")

# API Gateway: a REST integration waits 50 ms to 29 s for a buffered answer and up to 15 min for a streamed one.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
STREAMED_SECONDS = 900
BUFFERED_SECONDS = 29

_MEMORY_MIB = (128, 10240)

# Lambda takes 4 KB of environment; this much is left for MODELS beside the other variables.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MODELS_BYTES = 3500
_NAMELESS_ENTRY_BYTES = 96  # the JSON of one entry without its names
_ENDPOINT_NAME_BYTES = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoorArguments:
    """The arguments that are checked, durations in seconds."""

    models: object
    streaming: bool
    cloud_watch_role: bool
    timeout_seconds: float | None
    timeout_is_token: bool
    memory_size: float
    rate_limit: float
    burst_limit: float
    quota_limit: float | None


def check(arguments: FrontDoorArguments, is_token: Callable[[object], bool]) -> list[Problem]:
    """All problems of the arguments.

    Args:
        arguments: What the caller of FrontDoor gave.
        is_token: Whether a value is known only at deployment; such values are not checked.
    """
    return [
        *_check_models(arguments.models),
        *_check_flags(arguments),
        *_check_timeout(arguments),
        *_check_limits(arguments, is_token),
    ]


def _check_flags(arguments: FrontDoorArguments) -> Iterator[Problem]:
    for keyword in ("streaming", "cloud_watch_role"):
        if found := problem(keyword, getattr(arguments, keyword), Flag()):
            yield found


def _check_models(models: object) -> Iterator[Problem]:
    if not isinstance(models, Mapping):
        yield Problem("models", models, "must be a mapping of name to endpoint", 'Write {"llama": endpoint}.')
        return
    if not models:
        yield Problem("models", models, "must have at least one endpoint", 'Write {"llama": endpoint}.')
    for name, endpoint in models.items():
        if not isinstance(name, str) or not MODEL_NAME.fullmatch(name):
            yield Problem(
                "models",
                name,
                "a model's name must be 1 to 63 letters, digits, dots, underscores or hyphens",
                "Rename it; it appears in URLs and in the `model` field of requests.",
            )
        if wrong := _wrong_with_endpoint(endpoint):
            yield Problem(
                f"models[{name!r}]",
                endpoint,
                f"must be a model endpoint, but {wrong}",
                "Pass a TgiEndpoint, or TgiEndpoint.from_endpoint_name(…) for one that exists.",
            )
    yield from _check_models_fit(models)


def _wrong_with_endpoint(endpoint: object) -> str | None:
    if isinstance(endpoint, type):
        return f"is the class {endpoint.__name__}"
    missing = [attribute for attribute in _ENDPOINT_ATTRIBUTES if not hasattr(endpoint, attribute)]
    if missing:
        return f"has no {', '.join(missing)}"
    given = {attribute: getattr(endpoint, attribute) for attribute in _ENDPOINT_ATTRIBUTES}
    wrong = [attribute for attribute in ("endpoint_name", "endpoint_arn", "engine") if not _is_text(given[attribute])]
    wrong += [] if callable(given["grant_invoke"]) else ["grant_invoke"]
    wrong += [] if given["model_id"] is None or _is_text(given["model_id"]) else ["model_id"]
    wrong += [] if _is_whole(given["max_body_bytes"]) and given["max_body_bytes"] > 0 else ["max_body_bytes"]
    return f"its {', '.join(wrong)} cannot be an endpoint's" if wrong else None


def _check_models_fit(models: Mapping[object, object]) -> Iterator[Problem]:
    ids = (str(getattr(endpoint, "model_id", None) or "") for endpoint in models.values())
    size = sum(
        _NAMELESS_ENTRY_BYTES + _ENDPOINT_NAME_BYTES + len(str(name)) + len(model_id)
        for name, model_id in zip(models, ids, strict=True)
    )
    if size > _MODELS_BYTES:
        yield Problem(
            "models",
            f"{len(models)} models",
            f"take about {size} bytes of the function's environment, which has room for {_MODELS_BYTES}",
            "Spread them over several front doors.",
        )


def _check_timeout(arguments: FrontDoorArguments) -> Iterator[Problem]:
    if arguments.timeout_is_token:
        yield Problem(
            "timeout",
            "a value known only at deployment",
            "must be known at synth, since Lambda counts it in seconds and API Gateway in milliseconds",
            "Write it as a number.",
        )
    seconds = arguments.timeout_seconds
    if seconds is None:
        return
    longest = STREAMED_SECONDS if arguments.streaming else BUFFERED_SECONDS
    # Lambda counts its timeout in whole seconds.
    if not 1 <= seconds <= longest or seconds != int(seconds):
        how = "streams" if arguments.streaming else "does not stream"
        longer = "" if arguments.streaming else ", or let the front door stream (streaming=True) for up to 15 minutes"
        yield Problem(
            "timeout",
            f"{seconds:g} s",
            f"must be a whole number of seconds from 1 to {longest}, since the API {how}",
            f"Choose a timeout in that range{longer}.",
        )


def _check_limits(arguments: FrontDoorArguments, is_token: Callable[[object], bool]) -> Iterator[Problem]:
    low, high = _MEMORY_MIB
    memory = arguments.memory_size
    if not is_token(memory) and not (_is_whole(memory) and low <= memory <= high):
        yield Problem("memory_size", memory, f"must be {low} to {high} MiB", "Use 512 unless you measured otherwise.")
    rate = arguments.rate_limit
    if not is_token(rate) and not (_is_number(rate) and rate > 0):
        yield Problem(
            "rate_limit", rate, "must be more than 0 requests per second", "Give the steady rate that one key may have."
        )
    burst = arguments.burst_limit
    if not is_token(burst) and not (_is_whole(burst) and burst >= 1):
        yield Problem(
            "burst_limit", burst, "must be a whole number from 1 on", "Give how many requests may arrive at once."
        )
    quota = arguments.quota_limit
    if quota is not None and not is_token(quota) and not (_is_whole(quota) and quota >= 1):
        yield Problem(
            "quota_limit", quota, "must be a whole number from 1 on", "Raise it, or pass None for no quota at all."
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) and _is_number(value) and value == int(value)
