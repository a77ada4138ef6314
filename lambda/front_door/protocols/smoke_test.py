"""The smoke test after a deployment: one short completion by each model, without a client.

Its event is `{"tgi_endpoint": {"smoke_test": {"model": …, "seconds": …}}}`, from whoever may invoke the function. API
Gateway has members of its own for all that a client sends, and `httpMethod` in every event: no HTTP request becomes
such an event. Imported by the first one.
"""

import time
from typing import Any

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


def read_event(event: dict[str, Any]) -> tuple[Request, float]:
    """The request that an event stands for, as a client would send it, and until when to respond to it.

    Raises:
        ApiError: The event is of another form.
    """
    test = (event["tgi_endpoint"] if isinstance(event["tgi_endpoint"], dict) else {}).get("smoke_test")
    model, seconds = (test.get("model"), test.get("seconds", DEFAULT_SECONDS)) if isinstance(test, dict) else (None, 0)
    if not isinstance(model, str) or type(seconds) not in (int, float) or not 0 < seconds <= MAX_SECONDS:
        raise ApiError(
            "bad_request",
            'The event must be {"tgi_endpoint": {"smoke_test": {"model": <name>, "seconds": <number>}}}, with at most'
            f" {MAX_SECONDS} seconds.",
        )
    body = {"model": model, "prompt": PROMPT, "max_tokens": MAX_TOKENS}
    headers = {"content-type": ["application/json"]}
    request = Request("POST", "/v1/completions", headers, None, {}, compact(body).decode(), False)
    return request, time.time() + seconds


def complete(ctx: RequestContext) -> Response:
    """OpenAI's completion, as `POST /v1/completions` responds, or the chat of a model that has nothing else.

    Raises:
        ApiError: As that route.
    """
    ctx.log.add(route="smoke test")
    body = ctx.request.json_object()
    if "completions" in ctx.openai_routes(ctx.model(body["model"])):
        return completions(ctx)
    from front_door.protocols.openai.chat import chat_completions

    body["messages"] = [{"role": "user", "content": body.pop("prompt")}]
    return chat_completions(ctx)


def error_response(error: ApiError) -> Response:
    """The error with its kind and what the log says of it: whoever may invoke the function may know."""
    members = {"message": error.message, "kind": error.kind, "cause": error.log_detail}
    return Response(error.status, dict(JSON), [compact({"error": members})])
