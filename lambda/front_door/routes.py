"""The route table: what the front door serves, and the functions that handle it.

The OpenAPI description, the REST API and the function's dispatch are all derived from it.
"""

from typing import NamedTuple


class Route(NamedTuple):
    """One method of one path.

    Attributes:
        method: The HTTP method.
        path: The path under the stage; `{model}` stands for one segment, the name of a model.
        handler: The module and function of this package that handle it; imported by the first request that needs them.
        protocol: The client's protocol, also in errors: `tgi`, `openai` or `anthropic`.
        request: The name of the request body's schema in the OpenAPI description; None if there is no body.
        wakes: Whether only front doors with `wake=True` serve it.
    """

    method: str
    path: str
    handler: str
    protocol: str
    request: str | None = None
    wakes: bool = False


ROUTES = (
    Route("POST", "/", "protocols.tgi.routes.compat_generate", "tgi", "CompatGenerateRequest"),
    Route("GET", "/", "protocols.service.root", "tgi"),
    Route("POST", "/generate", "protocols.tgi.routes.generate", "tgi", "GenerateRequest"),
    Route("POST", "/generate_stream", "protocols.tgi.routes.generate_stream", "tgi", "GenerateRequest"),
    Route("POST", "/invocations", "protocols.service.invocations", "tgi", "InvocationsRequest"),
    Route("GET", "/info", "protocols.service.info", "tgi"),
    Route("GET", "/health", "protocols.service.health", "tgi"),
    Route("POST", "/models/{model}", "protocols.tgi.routes.compat_generate", "tgi", "CompatGenerateRequest"),
    Route("POST", "/models/{model}/generate", "protocols.tgi.routes.generate", "tgi", "GenerateRequest"),
    Route("POST", "/models/{model}/generate_stream", "protocols.tgi.routes.generate_stream", "tgi", "GenerateRequest"),
    Route("POST", "/models/{model}/invocations", "protocols.service.invocations", "tgi", "InvocationsRequest"),
    Route("GET", "/models/{model}/info", "protocols.service.info", "tgi"),
    Route("GET", "/models/{model}/health", "protocols.service.health", "tgi"),
    Route("POST", "/models/{model}/wake", "protocols.wake.wake", "tgi", wakes=True),
    Route(
        "POST",
        "/models/{model}/v1/chat/completions",
        "protocols.openai.chat.chat_completions",
        "openai",
        "ChatCompletionRequest",
    ),
    Route(
        "POST",
        "/models/{model}/v1/completions",
        "protocols.openai.completions.completions",
        "openai",
        "CompletionRequest",
    ),
    Route(
        "POST",
        "/models/{model}/v1/responses",
        "protocols.responses.routes.create",
        "openai",
        "ResponsesRequest",
    ),
    Route("POST", "/models/{model}/v1/messages", "protocols.messages.routes.create", "anthropic", "MessagesRequest"),
    Route(
        "POST",
        "/models/{model}/v1/messages/count_tokens",
        "protocols.messages.routes.count_tokens",
        "anthropic",
        "CountTokensRequest",
    ),
    Route("GET", "/models/{model}/v1/models", "protocols.service.models", "openai"),
    Route("POST", "/v1/chat/completions", "protocols.openai.chat.chat_completions", "openai", "ChatCompletionRequest"),
    Route("POST", "/v1/completions", "protocols.openai.completions.completions", "openai", "CompletionRequest"),
    Route("POST", "/v1/responses", "protocols.responses.routes.create", "openai", "ResponsesRequest"),
    Route("POST", "/v1/messages", "protocols.messages.routes.create", "anthropic", "MessagesRequest"),
    Route(
        "POST",
        "/v1/messages/count_tokens",
        "protocols.messages.routes.count_tokens",
        "anthropic",
        "CountTokensRequest",
    ),
    Route("GET", "/v1/models", "protocols.service.models", "openai"),
    Route("GET", "/v1/models/{model}", "protocols.service.model", "openai"),
    Route("GET", "/openapi.json", "protocols.service.openapi", "tgi"),
)


Match = tuple[dict[str, Route], dict[str, str]]


def match(path: str, resource: str | None = None, parameters: dict[str, str] | None = None) -> Match:
    """The routes of a path by their method, and the values of its variables; empty if there is no such path.

    A model may be a hub id with its slash in `/v1/models/{model}`, as OpenAI's clients send it; in other paths
    the slash must be percent-encoded.

    Args:
        path: The path as the client sent it.
        resource: The template that API Gateway matched; it takes precedence if it is one of ours, since it is not
            documented whether `path` is decoded.
        parameters: The variables of that template.
    """
    if resource in _BY_PATH and (parameters or "{" not in resource):
        return _BY_PATH[resource], dict(parameters or {})
    # A path may be the text of a template: then its variable is the name of a model, which there is not.
    if path in _BY_PATH and "{" not in path:
        return _BY_PATH[path], {}
    for template, routes in _TEMPLATES:
        head, _, tail = template.partition("{model}")
        if path.startswith(head) and path.endswith(tail) and len(path) > len(head) + len(tail):
            model = path[len(head) : len(path) - len(tail)]
            if "/" not in model or template == _WITH_HUB_IDS:
                return routes, {"model": model}
    return {}, {}


def _by_path() -> dict[str, dict[str, Route]]:
    table: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        table.setdefault(route.path, {})[route.method] = route
    return table


_WITH_HUB_IDS = "/v1/models/{model}"
_BY_PATH = _by_path()
_TEMPLATES = tuple((path, routes) for path, routes in _BY_PATH.items() if "{model}" in path)
