"""The routes about the front door itself, and the one that accepts the bodies of all protocols."""

from importlib import import_module
from pathlib import Path
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.errors import ApiError
from front_door.http.json import compact, parse_object
from front_door.http.response import JSON, Response, json_response
from front_door.routes import ROUTES

# The states in which an endpoint accepts invocations (botocore's sagemaker model, DescribeEndpointOutput).
_SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}

# The limits in `/info`, in TGI's order, and its defaults of those that the plan need not know (router/src/server.rs).
_LIMITS = {
    "max_concurrent_requests": 128,
    "max_best_of": 2,
    "max_stop_sequences": 4,
    "max_input_tokens": None,
    "max_total_tokens": None,
    "validation_workers": 2,
    "max_client_batch_size": 4,
}
# Those that `protocols/tgi/generate_checks.py` holds requests to.
_CHECKED = ("max_best_of", "max_stop_sequences")

_HANDLERS = {
    "inputs": "protocols.tgi.routes.compat_generate",
    "messages": "protocols.openai.chat.invoke_chat",
    "prompt": "protocols.openai.completions.invoke_completion",
}


def root(ctx: RequestContext) -> Response:
    """`GET /`: the playground for a browser, if it is deployed; otherwise TGI's health."""
    path = ctx.config.playground_page
    if path and ctx.request.accepts_html_page():
        from front_door.protocols import playground

        return playground.page(path)
    return health(ctx)


def models(ctx: RequestContext) -> Response:
    """`GET /v1/models`: the names that `model` accepts, each with its hub id; below a model's path its own alone.

    Those that the caller may not call are left out.
    """
    listed = [ctx.named_model()] if ctx.variables else ctx.models()
    data = [_describe(each) for model in listed for each in (model, *_adapters_of(model))]
    return json_response({"object": "list", "data": data})


def model(ctx: RequestContext) -> Response:
    """`GET /v1/models/{model}`: one of them, by its name or its hub id."""
    return json_response(_describe(ctx.find_model(ctx.variables["model"])))


def _adapters_of(model: Model) -> list[Model]:
    return [model.with_adapter(name) for name in model.adapters] if model.adapter is None else []


def _describe(known: Model) -> dict[str, Any]:
    """A model or an adapter in OpenAI's form; `parent` is vLLM's."""
    described = {"id": known.full_name, "object": "model", "created": 0, "owned_by": known.model_id or known.name}
    return described if known.adapter is None else {**described, "parent": known.name}


def info(ctx: RequestContext) -> Response:
    """`GET /info`: what TGI would report, as far as the deployment's plan knows it.

    Only TGI has TGI's defaults, but for the limits that its routes have on any engine. Of a model with several
    endpoints it is the first that has callers, with the smallest limits of all that have.
    """
    known = ctx.named_model()
    facts = known.facts if known.routing is None else _common_facts(known)
    is_tgi = ctx.openai_server_of(known) is None
    checked = _CHECKED if "completions" in ctx.openai_routes(known) else ()
    defaults = {name: default if is_tgi or name in checked else None for name, default in _LIMITS.items()}
    values = {
        "model_id": known.model_id or "/opt/ml/model",
        "model_sha": facts.get("revision"),
        "model_pipeline_tag": None,
        **{name: facts.get(name, default) for name, default in defaults.items()},
        "router": "text-generation-router" if is_tgi else known.engine,
        "version": facts.get("version"),
        "sha": None,
        "docker_label": None,
    }
    sleepers = [each for branch in known.branches for each in branch if each.inference_component is not None]
    if ctx.config.has_wake_route and sleepers:
        seconds = max((each.wake_seconds for each in sleepers if each.wake_seconds is not None), default=None)
        values["wake"] = {"path": f"/models/{known.name}/wake", "seconds": seconds}
    return json_response(values)


def _common_facts(model: Model) -> dict[str, Any]:
    """The facts of the first endpoint, with limits that no endpoint exceeds."""
    found = [each.facts for branch in model.branches for each in branch]
    limits = {name: [facts[name] for facts in found if isinstance(facts.get(name), int)] for name in _LIMITS}
    return {**model.facts, **{name: min(values) for name, values in limits.items() if values}}


def health(ctx: RequestContext) -> Response:
    """`GET /health`: 200 while every endpoint (or that of the path) is in service, TGI's 503 otherwise.

    Of endpoints that take over from each other one is enough; one without callers, or for copies, does not matter.

    TGI's 200 has no body; a streamed response of API Gateway must have one.
    """
    checked = [ctx.named_model()] if ctx.variables else ctx.config.models.values()
    for known in checked:
        for branch in known.branches:
            problems = []
            for target in branch:
                if (problem := _find_problem(ctx, target)) is None:
                    break
                problems.append(problem)
            else:
                raise ApiError("healthcheck", "unhealthy", log_detail="; ".join(problems))
    return Response(200, dict(JSON), [b"{}"])


def _find_problem(ctx: RequestContext, model: Model) -> str | None:
    """Why an endpoint is not in service; None if it is."""
    try:
        status = ctx.sagemaker.endpoint_status(model, ctx.deadline)
    except ApiError as error:
        return f"DescribeEndpoint: {error.log_detail}"
    return None if status in _SERVING else f"{model.endpoint_name} is {status}"


def invocations(ctx: RequestContext) -> Response:
    """`POST /invocations`: as in TGI since 2.4, `inputs`, then `messages`, then `prompt` decide the protocol."""
    body = ctx.request.json_object()
    name = next((handler for member, handler in _HANDLERS.items() if member in body), None)
    if name is None:
        start = "Failed to deserialize the JSON body into the target type: missing field "
        raise ApiError("validation", start + " or ".join(f"`{member}`" for member in _HANDLERS))
    module, _, function = name.rpartition(".")
    response: Response = getattr(import_module(f"front_door.{module}"), function)(ctx)
    return response


def openapi(ctx: RequestContext) -> Response:
    """`GET /openapi.json`: the description of the API, without the routes that this front door does not serve."""
    content = Path(ctx.config.openapi_file).read_bytes()
    if not ctx.config.has_wake_route:
        document = parse_object(content) or {}
        for route in ROUTES:
            if route.wakes:
                del document["paths"][route.path]
        content = compact(document)
    return Response(200, dict(JSON), [content])
