"""The smoke test after a deployment: one short completion by each model, without a client.

Its event is `{"tgi_endpoint": {"smoke_test": {"model": …, "target": …, "variant": …, "seconds": …}}}`, from whoever may
invoke the function; `target` is the name of an endpoint of a model that has several, be it the one that gets copies,
and `variant` one of an endpoint that has several. API Gateway has members of its own for all that a client sends, and
`httpMethod` in every event: no HTTP request becomes such an event. Imported by the first one.
"""

import time
from typing import Any, NamedTuple

from front_door.context import RequestContext
from front_door.errors import ApiError
from front_door.http.json import compact
from front_door.http.request import Request
from front_door.http.response import JSON, Response
from front_door.protocols.openai.completions import completions

PROMPT = "Hello"
MAX_TOKENS = 8
"""More than one: the first token of some models has no text."""

DEFAULT_SECONDS = 50
MAX_SECONDS = 200
"""Below what a non-streaming response waits before it sends its status."""


class SmokeTest(NamedTuple):
    """What an event asks for.

    Attributes:
        request: As a client would send it.
        until: When to respond at the latest, in seconds since the epoch.
        target: The endpoint to test, of a model that has several; None: the one that a client would get.
        variant: The production variant to test, of an endpoint that has several; None: the one that SageMaker chooses.
    """

    request: Request
    until: float
    target: str | None
    variant: str | None


def read_event(event: dict[str, Any]) -> SmokeTest:
    """Read an event.

    Raises:
        ApiError: It is of another form.
    """
    test = (event["tgi_endpoint"] if isinstance(event["tgi_endpoint"], dict) else {}).get("smoke_test")
    test = test if isinstance(test, dict) else {}
    model, seconds = test.get("model"), test.get("seconds", DEFAULT_SECONDS)
    target, variant = test.get("target"), test.get("variant")
    is_named = isinstance(model, str) and all(name is None or isinstance(name, str) for name in (target, variant))
    if not is_named or type(seconds) not in (int, float) or not 0 < seconds <= MAX_SECONDS:
        raise ApiError(
            "bad_request",
            'The event must be {"tgi_endpoint": {"smoke_test": {"model": <name>, "seconds": <number>}}}, with at most'
            f' {MAX_SECONDS} seconds, and with a "target" or "variant" if one of several is meant.',
        )
    body = {"model": model, "max_tokens": MAX_TOKENS}
    headers = {"content-type": ["application/json"]}
    request = Request("POST", "/v1/completions", headers, None, {}, compact(body).decode(), False)
    return SmokeTest(request, time.time() + seconds, target, variant)


def complete(ctx: RequestContext, target: str | None) -> Response:
    """OpenAI's completion, as `POST /v1/completions` responds, or the chat of a model that has nothing else.

    Raises:
        ApiError: As that route; or the model has no such target.
    """
    ctx.log.add(route="smoke test")
    body = ctx.request.json_object()
    model = ctx.model(body["model"])
    if target is not None and model.target != target:
        raise ApiError("model_not_found", f"The model `{model.name}` is one endpoint, without targets.")
    # With each endpoint that is asked: the one before it may have had the other.
    if "completions" in ctx.openai_routes(model):
        body.pop("messages", None)
        body["prompt"] = PROMPT
        return completions(ctx)
    from front_door.protocols.openai.chat import chat_completions

    body.pop("prompt", None)
    body["messages"] = [{"role": "user", "content": PROMPT}]
    return chat_completions(ctx)


def error_response(error: ApiError) -> Response:
    """The error with its kind and what the log says of it: whoever may invoke the function may know."""
    members = {"message": error.message, "kind": error.kind, "cause": error.log_detail}
    return Response(error.status, dict(JSON), [compact({"error": members})])
