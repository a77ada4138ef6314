"""The routes that tell about the door itself, and the one that takes every kind of body."""

from importlib import import_module
from pathlib import Path
from typing import Any

from front_door.config import Model
from front_door.context import JSON, Call
from front_door.errors import Failure, compact
from front_door.http.response import Response

# The states in which an endpoint answers invocations (botocore's sagemaker model, DescribeEndpointOutput).
_SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}

# What TGI's `/info` says that no option decides (router/src/server.rs, Info).
_INFO = {"validation_workers": 2, "max_best_of": 2, "max_stop_sequences": 4, "max_client_batch_size": 4}

_BY_MEMBER = {
    "inputs": "protocols.tgi.routes.compat_generate",
    "messages": "protocols.openai.chat.invoked",
    "prompt": "protocols.openai.completions.invoked",
}


def root(call: Call) -> Response:
    """`GET /`: the playground for a browser, where it is deployed; else TGI's health."""
    if call.config.has_playground and call.request.is_for_page():
        from front_door.protocols import playground

        return playground.page(call)
    return health(call)


def models(call: Call) -> Response:
    """`GET /v1/models`: the names that `model` takes, each with the hub id that it stands for."""
    data = [_described(model) for model in call.config.models.values()]
    return Response(200, dict(JSON), [compact({"object": "list", "data": data})])


def model(call: Call) -> Response:
    """`GET /v1/models/{model}`: one of them, by its name or its hub id."""
    name = call.variables["model"]
    known = call.config.model(name)
    if known is None:
        raise Failure("model_not_found", f"The model '{name[:100]}' does not exist.", param="model")
    return Response(200, dict(JSON), [compact(_described(known))])


def _described(known: Model) -> dict[str, Any]:
    return {"id": known.name, "object": "model", "created": 0, "owned_by": known.model_id or known.name}


def info(call: Call) -> Response:
    """`GET /info`: what TGI would say of itself, as far as the deployment's plan knows it."""
    known = call.model_of_path()
    facts = known.facts
    told = {
        "model_id": known.model_id or "/opt/ml/model",
        "model_sha": facts.get("revision"),
        "model_pipeline_tag": None,
        "max_concurrent_requests": facts.get("max_concurrent_requests", 128),
        **{name: facts.get(name, default) for name, default in _INFO.items()},
        "max_input_tokens": facts.get("max_input_tokens"),
        "max_total_tokens": facts.get("max_total_tokens"),
        "router": "text-generation-router",
        "version": facts.get("version"),
        "sha": None,
        "docker_label": None,
    }
    return Response(200, dict(JSON), [compact(told)])


def health(call: Call) -> Response:
    """`GET /health`: 200 while every endpoint behind this door (or that of the path) serves, TGI's 503 otherwise.

    TGI's 200 has no body; a streamed answer of API Gateway must have one.
    """
    asked = [call.model_of_path()] if call.variables else call.config.models.values()
    for known in asked:
        try:
            status = call.sagemaker.endpoint_status(known.endpoint_name, call.deadline)
        except Failure as failure:
            raise Failure("healthcheck", "unhealthy", cause=f"DescribeEndpoint: {failure.cause}") from failure
        if status not in _SERVING:
            raise Failure("healthcheck", "unhealthy", cause=f"{known.endpoint_name} is {status}")
    return Response(200, dict(JSON), [b"{}"])


def invocations(call: Call) -> Response:
    """`POST /invocations`: as TGI from 2.4 on, `inputs` before `messages` before `prompt` decide what it is."""
    body = call.request.json_object()
    name = next((answer for member, answer in _BY_MEMBER.items() if member in body), None)
    if name is None:
        words = "Failed to deserialize the JSON body into the target type: missing field "
        raise Failure("validation", words + " or ".join(f"`{member}`" for member in _BY_MEMBER))
    module, _, function = name.rpartition(".")
    response: Response = getattr(import_module(f"front_door.{module}"), function)(call)
    return response


def openapi(call: Call) -> Response:
    """`GET /openapi.json`: the description of all of this."""
    return Response(200, dict(JSON), [Path(__file__).parents[1].joinpath("openapi.json").read_bytes()])
