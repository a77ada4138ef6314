"""Purpose and successful response of each route, by the function that handles it."""

from __future__ import annotations

from typing import Any

from scripts.openapi import examples
from scripts.openapi.operation import Operation
from scripts.openapi.schema import Schema, any_of, array, integer, nullable, one_of, record, ref, text

_ONE = array(ref("GenerateResponse"), minItems=1, maxItems=1)
_EMPTY: Schema = {"type": "object"}
_IN_BAND = (
    "TGI sends status 200 before it validates a streaming request: a validation error is the stream's only event, with"
    " `error` and `error_type`."
)
_ANY_ENGINE = "For a model on another server than TGI, a parameter that it does not have gets 422 with its name."
_OPENAI = (
    "Works with OpenAI's clients. A parameter that the model server does not support and that would change the response"
    " gets 400 with its name. A model that does not run on TGI takes the parameters of its own server too, and its"
    " responses have that server's members."
)
_RESPONSES = (
    "OpenAI's Responses API without a store: each request brings its whole conversation. A parameter that would change"
    " the response and is not supported gets 400 with its name."
)
_MESSAGES = (
    "Works with Anthropic's clients. A parameter that would change the response and is not supported gets 400 with its"
    " name."
)
_COUNT = "Of models for which the API's owner has enabled it: the model reads the prompt for it."
_FROM_PLAN = "From the deployment's plan; the model server is not called."
_HEALTH = (
    "503 while one of the endpoints is not in service. The model server is not called: an endpoint is in service too"
    " while no copy of its model runs."
)


def _events(*schemas: str) -> Schema:
    return any_of(*map(ref, schemas))


OPERATIONS: dict[str, Operation] = {
    "protocols.tgi.routes.compat_generate": Operation(
        id="compatGenerate",
        tag="TGI",
        summary="Generate text, streaming or not as `stream` says",
        description=f"The non-streaming response is an array of one. {_IN_BAND} {_ANY_ENGINE}",
        may_differ=True,
        response=_ONE,
        response_example=[examples.GENERATED],
        events=_events("StreamResponse", "ErrorResponse"),
        event_example=examples.TOKEN_EVENT,
    ),
    "protocols.tgi.routes.generate": Operation(
        id="generate",
        tag="TGI",
        summary="Generate text",
        description=_ANY_ENGINE,
        may_differ=True,
        response=ref("GenerateResponse"),
        response_example=examples.GENERATED,
    ),
    "protocols.tgi.routes.generate_stream": Operation(
        id="generateStream",
        tag="TGI",
        summary="Generate text, streaming each token",
        description=f"{_IN_BAND} {_ANY_ENGINE}",
        may_differ=True,
        events=_events("StreamResponse", "ErrorResponse"),
        event_example=examples.TOKEN_EVENT,
    ),
    "protocols.service.invocations": Operation(
        id="invocations",
        tag="TGI",
        summary="Generate text with the request of a SageMaker endpoint's `/invocations`",
        description="`inputs`, `messages` or `prompt`, the first in the body, selects generate, chat or completion.",
        may_differ=True,
        response=ref("InvocationsResponse"),
        response_example=[examples.GENERATED],
        events=any_of(ref("InvocationsStream"), ref("ErrorResponse"), ref("OpenAIError")),
        event_example=examples.TOKEN_EVENT,
    ),
    "protocols.openai.chat.chat_completions": Operation(
        id="createChatCompletion",
        tag="OpenAI",
        summary="Create a chat completion",
        description=_OPENAI,
        response=any_of(ref("ChatCompletion"), ref("ServerResponse")),
        response_example=examples.CHAT,
        events=_events("ChatCompletionChunk", "ServerResponse", "OpenAIError"),
        event_example=examples.CHAT_CHUNK,
        ends_with_done=True,
    ),
    "protocols.openai.completions.completions": Operation(
        id="createCompletion",
        tag="OpenAI",
        summary="Create a text completion",
        may_differ=True,
        description=_OPENAI,
        response=any_of(ref("Completion"), ref("ServerResponse")),
        response_example=examples.COMPLETION,
        events=_events("CompletionChunk", "ServerResponse", "OpenAIError"),
        event_example=examples.COMPLETION_CHUNK,
        ends_with_done=True,
    ),
    "protocols.responses.routes.create": Operation(
        id="createResponse",
        tag="OpenAI",
        summary="Create a response",
        description=_RESPONSES,
        response=ref("Response"),
        response_example=examples.RESPONSE,
        events=_events("ResponseEvent"),
        event_example=examples.RESPONSE_EVENT,
    ),
    "protocols.messages.routes.create": Operation(
        id="createMessage",
        tag="Anthropic",
        summary="Create a message",
        description=_MESSAGES,
        response=ref("Message"),
        response_example=examples.MESSAGE,
        events=_events("MessageEvent", "AnthropicError"),
        event_example=examples.MESSAGE_EVENT,
    ),
    "protocols.messages.routes.count_tokens": Operation(
        id="countMessageTokens",
        tag="Anthropic",
        summary="Count the tokens of a message's prompt",
        description=_COUNT,
        response=ref("TokenCount"),
        response_example={"input_tokens": 41},
    ),
    "protocols.service.models": Operation(
        id="listModels",
        tag="OpenAI",
        summary="List the models",
        response=ref("ModelList"),
        response_example={"object": "list", "data": [examples.MODEL]},
    ),
    "protocols.service.model": Operation(
        id="retrieveModel",
        tag="OpenAI",
        summary="Get a model by its name or hub id",
        response=ref("Model"),
        response_example=examples.MODEL,
    ),
    "protocols.service.info": Operation(
        id="info",
        tag="TGI",
        summary="Get the model and its limits",
        description=_FROM_PLAN,
        response=ref("Info"),
        response_example=examples.INFO,
    ),
    "protocols.service.health": Operation(
        id="health",
        tag="TGI",
        summary="Check whether the models can be called",
        description=_HEALTH,
        response=_EMPTY,
        response_example={},
        failures=("503",),
    ),
    "protocols.service.root": Operation(
        id="root",
        tag="TGI",
        summary="Check whether the models can be called; in a browser, open the playground if it is enabled",
        description=_HEALTH,
        response=_EMPTY,
        response_example={},
        may_be_page=True,
        failures=("503",),
    ),
    "protocols.wake.wake": Operation(
        id="wake",
        tag="API",
        summary="Start a model of which no copy runs",
        description="A model that runs generates one token.",
        response=record({"state": one_of("awake")}, required=("state",)),
        response_example={"state": "awake"},
        accepted=record(
            {
                "state": one_of("waking"),
                "seconds": nullable(integer("Estimate of the time until the model answers.", minimum=1)),
            },
            required=("state", "seconds"),
        ),
        accepted_example={"state": "waking", "seconds": 290},
        failures=("424", "503"),
    ),
    "protocols.service.openapi": Operation(
        id="openapi",
        tag="API",
        summary="Get this description",
        response=record({"openapi": text()}, required=("openapi",)),
        response_example={"openapi": "3.1.0"},
    ),
}


def successes() -> dict[str, Any]:
    """The responses with status 200 by component name, which is the operation's id."""
    return {operation.id: operation.success() for operation in OPERATIONS.values()}
