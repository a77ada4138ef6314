"""What a front door's function is told, and whether Lambda takes that much. Pure Python: no aws_cdk here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.planning.serving_limits import ServingFacts

if TYPE_CHECKING:
    from constructs_lib.endpoint.interface import IModelEndpoint

DEFAULT_MAX_TOKENS = 1024

# Lambda measures all variables together, as one JSON object.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_BYTES = 4096

# How the CDK writes a value that is known only at deployment, and what such a value may take: an endpoint's name.
_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
_LONGEST_VALUE = "x" * 63


def models_text(models: Mapping[str, IModelEndpoint]) -> str:
    """The variable MODELS: what each model is, and what its plan knows of it."""
    return _compact({name: _entry(endpoint) for name, endpoint in models.items()})


def _entry(endpoint: IModelEndpoint) -> dict[str, Any]:
    facts = getattr(endpoint, "serving", None) or ServingFacts()
    return {
        "endpoint_name": endpoint.endpoint_name,
        "engine": endpoint.engine,
        "model_id": endpoint.model_id,
        "max_body_bytes": endpoint.max_body_bytes,
        **{name: fact for name, fact in asdict(facts).items() if fact is not None},
    }


def environment(
    models: Mapping[str, IModelEndpoint],
    *,
    default_max_tokens: int | None,
    cors_origins: Sequence[str] | None,
    playground: bool,
    api_keys: bool,
    streaming: bool,
    urls: Mapping[str, str],
) -> dict[str, str]:
    """All variables of the function.

    Args:
        models: The endpoints by their names.
        default_max_tokens: How many tokens a request gets that does not say how many. None: 1024.
        cors_origins: The origins whose pages may read its answers. None: no others.
        playground: Whether it shows the page.
        api_keys: Whether it answers nobody for whom API Gateway knows no key.
        streaming: Whether it starts through its own runtime client.
        urls: Where SageMaker is.
    """
    variables = {
        "MODELS": models_text(models),
        "DEFAULT_MAX_TOKENS": str(DEFAULT_MAX_TOKENS if default_max_tokens is None else default_max_tokens),
        **urls,
    }
    if cors_origins is not None:
        variables["CORS_ORIGINS"] = _compact(list(cors_origins))
    if playground:
        variables["PLAYGROUND"] = "on"
    if api_keys:
        variables["API_KEYS"] = "on"
    if streaming:
        # Where Lambda unpacks the code; the wrapper starts our runtime client in place of the managed one.
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/front_door/bootstrap"
    return variables


def measured_bytes(variables: Mapping[str, str]) -> int:
    """How many bytes the variables take by Lambda's measure, values that are known at deployment at their longest."""
    known = {name: _TOKEN.sub(_LONGEST_VALUE, value) for name, value in variables.items()}
    return len(_compact(known).encode())


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
