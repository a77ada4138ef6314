"""What can be wrong with the models of a front door. Pure Python: no aws_cdk here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from constructs_lib.front_door.function_environment import MOST_BYTES, measured_bytes
from constructs_lib.planning.validation.problem import Described, Problem
from constructs_lib.planning.validation.rules import Integer, problem

if TYPE_CHECKING:
    from constructs_lib.endpoint.interface import IModelEndpoint

# The name stands in URLs, in JSON and in the `model` field of requests.
MODEL_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")

# What the front door uses of an endpoint (IModelEndpoint), so that a mistake is named here and not inside jsii.
_ENDPOINT_ATTRIBUTES = ("endpoint_name", "endpoint_arn", "grant_invoke", "model_id", "max_body_bytes", "engine")


def models_problems(models: object) -> Iterator[Problem]:
    """What is wrong with the names or the endpoints."""
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
        if wrong := _wrong_with(endpoint):
            yield Problem(
                f"models[{name!r}]",
                endpoint,
                f"must be a model endpoint, but {wrong}",
                "Pass a TgiEndpoint, or TgiEndpoint.from_endpoint_name(…) for one that exists.",
            )


def _wrong_with(endpoint: object) -> str | None:
    if isinstance(endpoint, type):
        return f"is the class {endpoint.__name__}"
    missing = [attribute for attribute in _ENDPOINT_ATTRIBUTES if not hasattr(endpoint, attribute)]
    if missing:
        return f"has no {', '.join(missing)}"
    given = {attribute: getattr(endpoint, attribute) for attribute in _ENDPOINT_ATTRIBUTES}
    wrong = [attribute for attribute in ("endpoint_name", "endpoint_arn", "engine") if not _is_text(given[attribute])]
    wrong += [] if callable(given["grant_invoke"]) else ["grant_invoke"]
    wrong += [] if given["model_id"] is None or _is_text(given["model_id"]) else ["model_id"]
    wrong += ["max_body_bytes"] if Integer(1).validate(given["max_body_bytes"]) else []
    return f"its {', '.join(wrong)} cannot be an endpoint's" if wrong else None


def default_tokens_problems(
    asked: object, models: Mapping[str, IModelEndpoint], is_token: Callable[[object], bool]
) -> Iterator[Problem]:
    """What is wrong with the tokens that a request gets that does not say how many."""
    keyword, check = "default_max_tokens", Integer(1, unit="tokens")
    if asked is None:
        return
    if is_token(asked) or not isinstance(asked, int):
        found = problem(keyword, Described("known at deployment") if is_token(asked) else asked, check)
        yield from () if found is None else [found]
        return
    if found := problem(keyword, asked, check):
        yield found
    for name, endpoint in models.items():
        facts = getattr(endpoint, "serving", None)
        longest = facts.max_total_tokens if facts else None
        if longest is not None and asked >= longest:
            yield Problem(
                keyword,
                asked,
                f"must be less than the {longest} tokens that models[{name!r}] takes, prompt and answer together",
                "Lower it, or leave it out: requests then get 1024, and less where the model takes less.",
            )


def size_problems(count: int, variables: Mapping[str, str]) -> Iterator[Problem]:
    """Whether Lambda takes the variables of a function that serves so many models."""
    size = measured_bytes(variables)
    if size > MOST_BYTES:
        yield Problem(
            "models",
            Described(f"{count} models"),
            f"take {size} bytes of the function's environment, of which Lambda allows {MOST_BYTES}",
            "Spread them over several front doors.",
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
