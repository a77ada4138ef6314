"""Every error answer: the statuses that occur, and whose words they are in."""

from __future__ import annotations

from typing import Any

from scripts.openapi.schema import Schema, any_of, nullable, record, ref, text

_OBJECT = record(
    {
        "message": text("What went wrong and what to do."),
        "type": text("OpenAI's kind of error."),
        "param": nullable(text("The member of the request that is at fault.")),
        "code": nullable(text("For programs.")),
    },
    required=("message", "type", "param", "code"),
)
_ERROR_TYPE = text("The kind of error, for programs; TGI's name where TGI has one.")

SCHEMAS: dict[str, Schema] = {
    "ErrorResponse": record(
        {"error": text("What went wrong and what to do."), "error_type": _ERROR_TYPE},
        required=("error", "error_type"),
        examples=[{"error": "Input validation error: `inputs` cannot be empty", "error_type": "validation"}],
    ),
    "OpenAIError": record(
        {"error": _OBJECT, "error_type": _ERROR_TYPE},
        required=("error", "error_type"),
        examples=[
            {
                "error": {
                    "message": "n (9) is more than the 8 choices that one request may have",
                    "type": "invalid_request_error",
                    "param": "n",
                    "code": None,
                },
                "error_type": "bad_request",
            }
        ],
    ),
}

_RETRY_AFTER: Schema = {"schema": {"type": "integer"}, "description": "Seconds until another try makes sense."}
_MAY_BE_RETRIED = ("429", "503")
_STATUSES = {
    "400": "The body is no JSON object, or asks for what cannot be honoured; `param` says where.",
    "401": "The key is missing or not known.",
    "403": "The caller may not do this.",
    "404": "There is no such model here.",
    "413": "The request is too large.",
    "415": "The content type is not `application/json`.",
    "422": "The model's server refuses the request.",
    "424": "The model failed during generation.",
    "429": "Too many requests, or the quota is used up.",
    "500": "The answer broke off, or the API has a defect.",
    "502": "The model's endpoint could not be asked.",
    "503": "The model is not ready or has no capacity.",
    "504": "There was no answer in time.",
}
# What the gateway alone says, and says in OpenAI's form on every route.
_GATEWAY_ONLY = ("403",)
# What the function alone says, in its route's own form.
_FUNCTION_ONLY = ("404", "422", "424", "503")
_EVERYWHERE = ("400", "401", "403", "429", "500", "502", "504")
_OF_MODELS = ("404", "413", "415", "422", "424", "503")
# What TGI calls unprocessable is a bad request to OpenAI's clients.
_TGI_ONLY = ("422",)


def responses() -> dict[str, Any]:
    """The error answers of both protocols, to be referred to: `TGI429`, `OpenAI429` and so on."""
    named = {}
    for protocol in ("tgi", "openai"):
        for status, description in _STATUSES.items():
            if _occurs(protocol, status):
                content = {"application/json": {"schema": _schema(protocol, status)}}
                headers = {"headers": {"Retry-After": _RETRY_AFTER}} if status in _MAY_BE_RETRIED else {}
                named[_name(protocol, status)] = {"description": description, **headers, "content": content}
    return named


def of(protocol: str, *, asks_model: bool, names_model: bool, may_be_unhealthy: bool) -> dict[str, Any]:
    """The error answers of one route.

    Args:
        protocol: The route's: `tgi` or `openai`.
        asks_model: Whether it has a body and sends it to a model.
        names_model: Whether its path has a model's name.
        may_be_unhealthy: Whether it answers for the endpoint's state.
    """
    statuses = set(_EVERYWHERE)
    if asks_model:
        statuses.update(_OF_MODELS)
    if names_model:
        statuses.add("404")
    if may_be_unhealthy:
        statuses.add("503")
    return {
        status: ref(_name(protocol, status), "responses") for status in sorted(statuses) if _occurs(protocol, status)
    }


def _occurs(protocol: str, status: str) -> bool:
    return protocol == "tgi" or status not in _TGI_ONLY


def _name(protocol: str, status: str) -> str:
    return {"tgi": "TGI", "openai": "OpenAI"}[protocol] + status


def _schema(protocol: str, status: str) -> Schema:
    if protocol == "openai" or status in _GATEWAY_ONLY:
        return ref("OpenAIError")
    return ref("ErrorResponse") if status in _FUNCTION_ONLY else any_of(ref("ErrorResponse"), ref("OpenAIError"))
