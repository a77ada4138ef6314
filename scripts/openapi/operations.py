"""What each route does, and what it answers where nothing goes wrong, by the function that answers it."""

from __future__ import annotations

from typing import Any

from scripts.openapi import examples
from scripts.openapi.operation import Operation
from scripts.openapi.schema import Schema, any_of, array, record, ref, text

_ONE = array(ref("GenerateResponse"), minItems=1, maxItems=1)
_NOTHING: Schema = {"type": "object"}
_IN_BAND = (
    "TGI's streams begin with status 200 before the request is checked: a refusal is the stream's only event, with"
    " `error` and `error_type`."
)
_HONOURED = (
    "Works with OpenAI's clients. What the model's server cannot do is refused with 400, naming the parameter, where it"
    " would change the answer."
)
_OF_THE_PLAN = "From the deployment's plan; the container is not asked."
_HEALTH = "503 while one of the endpoints is not in service. The model itself is not asked."


def _events(event: str, error: str) -> Schema:
    return any_of(ref(event), ref(error))


OPERATIONS: dict[str, Operation] = {
    "protocols.tgi.routes.compat_generate": Operation(
        id="compatGenerate",
        tag="TGI",
        summary="Generate text; `stream` decides how it comes",
        description=f"In one piece the answer is an array of one. {_IN_BAND}",
        answer=_ONE,
        answer_example=[examples.GENERATED],
        events=_events("StreamResponse", "ErrorResponse"),
        event_example=examples.TOKEN_EVENT,
    ),
    "protocols.tgi.routes.generate": Operation(
        id="generate",
        tag="TGI",
        summary="Generate text",
        answer=ref("GenerateResponse"),
        answer_example=examples.GENERATED,
    ),
    "protocols.tgi.routes.generate_stream": Operation(
        id="generateStream",
        tag="TGI",
        summary="Generate text, each token as it comes",
        description=_IN_BAND,
        events=_events("StreamResponse", "ErrorResponse"),
        event_example=examples.TOKEN_EVENT,
    ),
    "protocols.service.invocations": Operation(
        id="invocations",
        tag="TGI",
        summary="What a SageMaker endpoint's `/invocations` takes",
        description="`inputs`, `messages` or `prompt`, the first that is there, decides which of the routes answers.",
        answer=ref("InvocationsResponse"),
        answer_example=[examples.GENERATED],
        events=any_of(ref("InvocationsStream"), ref("ErrorResponse"), ref("OpenAIError")),
        event_example=examples.TOKEN_EVENT,
    ),
    "protocols.openai.chat.chat_completions": Operation(
        id="createChatCompletion",
        tag="OpenAI",
        summary="Answer a conversation",
        description=_HONOURED,
        answer=ref("ChatCompletion"),
        answer_example=examples.CHAT,
        events=_events("ChatCompletionChunk", "OpenAIError"),
        event_example=examples.CHAT_CHUNK,
        ends_with_done=True,
    ),
    "protocols.openai.completions.completions": Operation(
        id="createCompletion",
        tag="OpenAI",
        summary="Complete a text",
        description=_HONOURED,
        answer=ref("Completion"),
        answer_example=examples.COMPLETION,
        events=_events("CompletionChunk", "OpenAIError"),
        event_example=examples.COMPLETION_CHUNK,
        ends_with_done=True,
    ),
    "protocols.service.models": Operation(
        id="listModels",
        tag="OpenAI",
        summary="The models that `model` in a request can name",
        answer=ref("ModelList"),
        answer_example={"object": "list", "data": [examples.MODEL]},
    ),
    "protocols.service.model": Operation(
        id="retrieveModel",
        tag="OpenAI",
        summary="One model, by its name or its hub id",
        answer=ref("Model"),
        answer_example=examples.MODEL,
    ),
    "protocols.service.info": Operation(
        id="info",
        tag="TGI",
        summary="The model and its limits",
        description=_OF_THE_PLAN,
        answer=ref("Info"),
        answer_example=examples.INFO,
    ),
    "protocols.service.health": Operation(
        id="health",
        tag="TGI",
        summary="Whether the models can be asked",
        description=_HEALTH,
        answer=_NOTHING,
        answer_example={},
        may_be_unhealthy=True,
    ),
    "protocols.service.root": Operation(
        id="root",
        tag="TGI",
        summary="Whether the models can be asked; for a browser, the playground where there is one",
        description=_HEALTH,
        answer=_NOTHING,
        answer_example={},
        may_be_page=True,
        may_be_unhealthy=True,
    ),
    "protocols.service.openapi": Operation(
        id="openapi",
        tag="API",
        summary="This description",
        answer=record({"openapi": text()}, required=("openapi",)),
        answer_example={"openapi": "3.1.0"},
    ),
}


def successes() -> dict[str, Any]:
    """The answers with status 200, to be referred to by the operation's id."""
    return {operation.id: operation.success() for operation in OPERATIONS.values()}
