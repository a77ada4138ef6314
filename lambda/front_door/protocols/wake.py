"""Starts a model that has zero copies, with the cheapest request to it: that it fails starts a copy."""

from collections.abc import Sequence

from front_door.config import Model
from front_door.context import RequestContext
from front_door.errors import ApiError
from front_door.http.json import compact
from front_door.http.response import JSON, Response, json_response


def wake(ctx: RequestContext) -> Response:
    """`POST /models/{model}/wake`: 200 if the model runs, 202 with an estimate if it is being started.

    A model that runs is asked for one token. If it takes long to respond, it runs as well: SageMaker reports missing
    capacity at once. A model with several endpoints runs if each share of its callers finds one that does.
    """
    # This route reports and does not wait, and asks each endpoint itself.
    model, ctx.hold, ctx.attempts = ctx.named_model(), None, None
    ctx.reserve(model, ("Hi",), 1, len(model.branches))
    waking = [found for branch in model.branches if (found := _find_waking(ctx, branch)) is not None]
    if not waking:
        return json_response({"state": "awake"})
    slowest, error = max(waking, key=lambda found: found[1].retry_after or 0)
    seconds = None if slowest.wake_seconds is None else error.retry_after
    headers = {**JSON, "Retry-After": str(error.retry_after)}
    return Response(202, headers, [compact({"state": "waking", "seconds": seconds})])


def _find_waking(ctx: RequestContext, branch: Sequence[Model]) -> tuple[Model, ApiError] | None:
    """The first endpoint that is being started, with what it says; None if one of them runs."""
    waking = failed = None
    for model in branch:
        error = _ask(ctx, model)
        if error is None:
            return None
        if error.kind == "no_capacity" and model.inference_component is not None:
            waking = waking or (model, error)
        failed = error
    if waking is None and failed is not None:
        raise failed
    return waking


def _ask(ctx: RequestContext, model: Model) -> ApiError | None:
    """What an endpoint refuses a token with; None if it does not."""
    body = ctx.engine_of(model).cheapest_body(ctx.openai_routes(model))
    if (server := ctx.openai_server_of(model)) is not None:
        model, body = server.address(body, model, "completions" if "prompt" in body else "chat")
    try:
        for _ in ctx.stream(model, body, may_lower_tokens=False):
            break
    except ApiError as error:
        return error
    return None
