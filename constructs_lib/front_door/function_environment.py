"""The environment variables of a front door's function, and their size limit. Pure Python: no aws_cdk here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from constructs_lib.front_door.callers_file import CALLERS_PATH, KEY_ID_LENGTH, Callers
from constructs_lib.front_door.deployed_values import TOKEN
from constructs_lib.front_door.dimensions import front_door_dimension
from constructs_lib.front_door.models_file import MODELS_PATH, regional_urls, render_models
from constructs_lib.planning.validation.problem import Described, Problem

if TYPE_CHECKING:
    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.front_door.routed_models import RoutedModel

DEFAULT_MAX_TOKENS = 1024

PLAYGROUND_FILE = "playground/index.html"
"""The playground's page in its layer."""

# Lambda measures all variables together, as one JSON object.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MAX_BYTES = 4096

# The longest value that is known only at deployment: an endpoint's name.
_LONGEST_VALUE = "x" * 63

# A table's name has at most 255 characters.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
_LONGEST_TABLE = "x" * 255


def render_environment(
    *,
    path: str,
    default_max_tokens: int | None,
    cors_origins: Sequence[str] | None,
    playground: bool,
    api_keys: bool,
    streaming: bool,
    holds_clients: bool,
    wake_route: bool,
    urls: Mapping[str, str],
) -> dict[str, str]:
    """The environment variables of the function, but for `DEPLOYED_VALUES`.

    Args:
        path: Path of the front door in the tree.
        default_max_tokens: Token limit of an answer whose request has none. None: 1024.
        cors_origins: The origins whose pages may read responses. None: no CORS.
        playground: Whether `GET /` serves the playground.
        api_keys: Whether to reject requests for which API Gateway knows no API key.
        streaming: Whether the function starts with our runtime client, which streams.
        holds_clients: Whether clients wait while a model comes back from zero copies.
        wake_route: Whether to serve `POST /models/{model}/wake`.
        urls: The URLs of SageMaker's APIs.
    """
    variables = {
        # /opt is where Lambda unpacks layers.
        "MODELS_FILE": f"/opt/{MODELS_PATH}",
        "FRONT_DOOR": front_door_dimension(path),
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
    if holds_clients:
        variables["ON_WAKE"] = "hold"
    if wake_route:
        variables["WAKE_ROUTE"] = "on"
    if streaming:
        # /var/task is where Lambda unpacks the code. The wrapper starts our runtime client in place of the managed one.
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/front_door/bootstrap"
    return variables


def caller_variables() -> dict[str, str]:
    """The variable of a function that has a file of its callers."""
    # /opt is where Lambda unpacks layers.
    return {"CALLERS_FILE": f"/opt/{CALLERS_PATH}"}


def limit_variables(table_name: str, here: StackEnvironment) -> dict[str, str]:
    """The variables of a function that counts what its consumers use.

    Args:
        table_name: Name of the table with the counters.
        here: The environment of the front door's stack.
    """
    return {"LIMITS_TABLE": table_name, "DYNAMODB_URL": f"https://dynamodb.{here.region}.{here.url_suffix}"}


def render_deployed_values(
    models: Mapping[str, RoutedModel], here: StackEnvironment, callers: Callers | None = None
) -> str | None:
    """The variable `DEPLOYED_VALUES`, which the files of models and callers refer to; None if they refer to nothing.

    Separated by spaces, which neither names of endpoints nor ids of keys and of the hub have: Lambda counts two bytes
    for the quotation marks of JSON.

    Args:
        models: The endpoints, or what chooses among several, by the names of their models.
        here: The environment of the front door's stack.
        callers: Its callers. Default: none.
    """
    values = render_models(models, here).deployed_values
    rendered = callers and callers.render(values)
    return " ".join(rendered.deployed_values if rendered else values) or None


def environment_bytes(variables: Mapping[str, str]) -> int:
    """Size of the variables as Lambda measures it, with the longest value in place of every token."""
    known = {name: TOKEN.sub(_LONGEST_VALUE, value) for name, value in variables.items()}
    return len(_compact(known).encode())


def size_problems(
    variables: Mapping[str, str],
    models: Mapping[str, RoutedModel],
    cors_origins: Sequence[str],
    here: StackEnvironment,
) -> Iterator[Problem]:
    """The problem of variables that exceed Lambda's limit.

    Args:
        variables: The variables, but for `DEPLOYED_VALUES`.
        models: The endpoints, or what chooses among several, by the names of their models.
        cors_origins: The origins whose pages may read responses.
        here: The environment of the front door's stack.
    """
    if size := _excess(variables):
        yield Problem(
            "cors.allowed_origins",
            Described(f"{len(cors_origins)} origins"),
            f"take more than the function's environment has: with them it is {size} bytes, of which Lambda allows"
            f" {_MAX_BYTES}",
            "Allow fewer origins, or every origin.",
        )
    elif size := _excess(_with_deployed_values(variables, models, here)):
        fitting = (
            count
            for count in range(len(models) - 1, 0, -1)
            if not _excess(_with_deployed_values(variables, dict(islice(models.items(), count)), here))
        )
        yield Problem(
            "models",
            Described(f"{len(models)} models"),
            f"have names of endpoints that only the deployment knows: with them the function's environment is {size}"
            f" bytes, of which Lambda allows {_MAX_BYTES}; the first {next(fitting, 0)} fit",
            "Distribute them over several front doors, or give their endpoints an endpoint_name.",
        )


def consumer_problems(
    variables: Mapping[str, str], models: Mapping[str, RoutedModel], here: StackEnvironment, key_count: int
) -> Iterator[Problem]:
    """The problem of API keys whose ids exceed what Lambda leaves for them.

    Args:
        variables: The variables, but for `DEPLOYED_VALUES` and those that consumers need.
        models: The endpoints, or what chooses among several, by the names of their models.
        here: The environment of the front door's stack.
        key_count: How many keys the consumers have.
    """
    extended = {**variables, **caller_variables(), **limit_variables(_LONGEST_TABLE, here)}
    known = _with_deployed_values(extended, models, here)
    values = known["DEPLOYED_VALUES"]

    def excess(count: int) -> int:
        ids = ["x" * KEY_ID_LENGTH] * count
        return _excess({**known, "DEPLOYED_VALUES": " ".join([values, *ids] if values else ids)})

    if size := excess(key_count):
        fitting = next((count for count in range(key_count - 1, 0, -1) if not excess(count)), 0)
        yield Problem(
            "consumers",
            Described(f"{key_count} keys of consumers"),
            "have ids that the function must know, as a consumer has models or limits: with them its environment is"
            f" {size} bytes, of which Lambda allows {_MAX_BYTES}; {fitting} fit",
            "Distribute the consumers over several front doors.",
        )


def _excess(variables: Mapping[str, str]) -> int:
    """The size of the variables if Lambda does not allow it, else 0."""
    size = environment_bytes(variables)
    return size if size > _MAX_BYTES else 0


def _with_deployed_values(
    variables: Mapping[str, str], models: Mapping[str, RoutedModel], here: StackEnvironment
) -> dict[str, str]:
    return {**variables, "DEPLOYED_VALUES": render_deployed_values(models, here) or ""}


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def sagemaker_urls(place: StackEnvironment) -> dict[str, str]:
    """The URLs of SageMaker's APIs, by the names of their variables."""
    runtime, api = regional_urls(place.region, place.url_suffix)
    return {"SAGEMAKER_RUNTIME_URL": runtime, "SAGEMAKER_URL": api}


def lambda_url(place: StackEnvironment) -> str:
    """The URL of Lambda's API, by which the function hands copies of requests over."""
    return f"https://lambda.{place.region}.{place.url_suffix}"
