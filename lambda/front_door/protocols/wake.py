"""Starts a model that has zero copies, with the cheapest request to it: that it fails starts a copy."""

from front_door.context import RequestContext
from front_door.errors import ApiError
from front_door.http.json import compact
from front_door.http.response import JSON, Response, json_response


def wake(ctx: RequestContext) -> Response:
    """`POST /models/{model}/wake`: 200 if the model runs, 202 with an estimate if it is being started.

    A model that runs is asked for one token. If it takes long to respond, it runs as well: SageMaker reports missing
    capacity at once.
    """
    model = ctx.model_of_path()
    body = ctx.engine_of(model).cheapest_body(ctx.openai_routes(model))
    if (server := ctx.openai_server_of(model)) is not None:
        model, body = server.address(body, model, "completions" if "prompt" in body else "chat")
    ctx.hold = None  # this route reports, and does not wait
    stream = ctx.stream(model, body, may_lower_tokens=False)
    try:
        for _ in stream:
            break
    except ApiError as error:
        if error.kind != "no_capacity" or model.inference_component is None:
            raise
        seconds = None if model.wake_seconds is None else error.retry_after
        headers = {**JSON, "Retry-After": str(error.retry_after)}
        return Response(202, headers, [compact({"state": "waking", "seconds": seconds})])
    return json_response({"state": "awake"})
