"""The environment variables of a front door's function, and their size limit. Pure Python: no aws_cdk here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.problem import Described, Problem

if TYPE_CHECKING:
    from constructs_lib.endpoint.interface import IModelEndpoint

DEFAULT_MAX_TOKENS = 1024

PLAYGROUND_FILE = "playground/index.html"
"""The playground's page in its layer."""

# Lambda measures all variables together, as one JSON object.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MAX_BYTES = 4096

# How the CDK writes a value that is known only at deployment, and the longest such value: an endpoint's name.
_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
_LONGEST_VALUE = "x" * 63


def render_environment(
    models: Mapping[str, IModelEndpoint],
    *,
    default_max_tokens: int | None,
    cors_origins: Sequence[str] | None,
    playground: bool,
    api_keys: bool,
    streaming: bool,
    urls: Mapping[str, str],
) -> dict[str, str]:
    """The environment variables of the function.

    Args:
        models: The endpoints by the names of their models.
        default_max_tokens: Token limit of an answer whose request has none. None: 1024.
        cors_origins: The origins whose pages may read responses. None: no CORS.
        playground: Whether `GET /` serves the playground.
        api_keys: Whether to reject requests for which API Gateway knows no API key.
        streaming: Whether the function starts with our runtime client, which streams.
        urls: The URLs of SageMaker's APIs.
    """
    variables = {
        "MODELS": _compact({name: _model_entry(endpoint) for name, endpoint in models.items()}),
        "DEFAULT_MAX_TOKENS": str(DEFAULT_MAX_TOKENS if default_max_tokens is None else default_max_tokens),
        **urls,
    }
    if cors_origins is not None:
        variables["CORS_ORIGINS"] = _compact(list(cors_origins))
    if playground:
        # /opt is where Lambda unpacks layers.
        variables["PLAYGROUND_PAGE"] = f"/opt/{PLAYGROUND_FILE}"
    if api_keys:
        variables["API_KEYS"] = "on"
    if streaming:
        # /var/task is where Lambda unpacks the code. The wrapper starts our runtime client in place of the managed one.
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/front_door/bootstrap"
    return variables


def environment_bytes(variables: Mapping[str, str]) -> int:
    """Size of the variables as Lambda measures it, with the longest value in place of every token."""
    known = {name: _TOKEN.sub(_LONGEST_VALUE, value) for name, value in variables.items()}
    return len(_compact(known).encode())


def size_problems(model_count: int, variables: Mapping[str, str]) -> Iterator[Problem]:
    """The problem of variables that exceed Lambda's limit.

    Args:
        model_count: Number of models that the function serves.
        variables: Its variables.
    """
    size = environment_bytes(variables)
    if size > _MAX_BYTES:
        yield Problem(
            "models",
            Described(f"{model_count} models"),
            f"take {size} bytes of the function's environment, of which Lambda allows {_MAX_BYTES}",
            "Distribute them over several front doors.",
        )


def _model_entry(endpoint: IModelEndpoint) -> dict[str, Any]:
    facts = getattr(endpoint, "serving", None) or ServingFacts()
    return {
        "endpoint_name": endpoint.endpoint_name,
        "engine": endpoint.engine,
        "model_id": endpoint.model_id,
        "max_body_bytes": endpoint.max_body_bytes,
        **{name: fact for name, fact in asdict(facts).items() if fact is not None},
    }


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
