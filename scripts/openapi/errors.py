"""Every error response: the statuses that occur, and the protocol whose format they have."""

from __future__ import annotations

from typing import Any

from scripts.openapi.operation import RETRY_AFTER
from scripts.openapi.schema import Schema, any_of, nullable, record, ref, text

_OBJECT = record(
    {
        "message": text("What went wrong and what to do."),
        "type": text("OpenAI's error type."),
        "param": nullable(text("The request property that caused the error.")),
        "code": nullable(text("OpenAI's error code.")),
    },
    required=("message", "type", "param", "code"),
)
_ERROR_TYPE = text("The error's stable name, which is TGI's if TGI has one.")

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
    "AnthropicError": record(
        {
            "type": {"const": "error"},
            "error": record(
                {"type": text("Anthropic's error type."), "message": text("What went wrong and what to do.")},
                required=("type", "message"),
            ),
            "request_id": nullable(text("As in the header `request-id`.")),
        },
        required=("type", "error"),
        examples=[
            {
                "type": "error",
                "error": {"type": "invalid_request_error", "message": "max_tokens: missing field `max_tokens`"},
            }
        ],
    ),
}

_NO_RETRY: Schema = {
    "schema": {"type": "string", "const": "false"},
    "description": "OpenAI's clients do not repeat the request, which would be generated and paid for again.",
}
_HEADERS = {
    "429": {"Retry-After": RETRY_AFTER},
    "503": {"Retry-After": RETRY_AFTER},
    "504": {"x-should-retry": _NO_RETRY},
}
_STATUSES = {
    "400": "The body is not a JSON object, or requests something unsupported; `param` names the property.",
    "401": "The key is missing or invalid.",
    "403": "The caller is not allowed to make this request, or to call this model.",
    "404": "The API has no such model.",
    "413": "The request is too large.",
    "415": "The content type is not `application/json`.",
    "422": "The model server rejected the request.",
    "424": "The model failed during generation.",
    "429": "Too many requests or tokens, or the quota is exhausted.",
    "500": "The response was cut off, or the API has a defect.",
    "501": "The model's server answers chats only.",
    "502": "The model's endpoint could not be invoked, or its response is of no use.",
    "503": "The model is not ready, is closed at this time, or has no capacity: it may be starting. Or the"
    " tokens that the caller may use cannot be counted.",
    "504": "The model did not respond in time.",
}
# Sent by the function only, in the format of the route's protocol.
_FUNCTION_ONLY = ("404", "422", "424", "501", "503")
_EVERYWHERE = ("400", "401", "403", "429", "500", "502", "504")
_OF_MODELS = ("404", "413", "415", "422", "424", "501", "503")
# Unprocessable to TGI is a bad request to the clients of others, whose protocol every server speaks.
_TGI_ONLY = ("422", "501")
_PROTOCOLS = {"tgi": "TGI", "openai": "OpenAI", "anthropic": "Anthropic"}


def responses() -> dict[str, Any]:
    """The error responses of all protocols by component name: `TGI429`, `OpenAI429` and so on."""
    named = {}
    for protocol in _PROTOCOLS:
        for status, description in _STATUSES.items():
            if _occurs(protocol, status):
                content = {"application/json": {"schema": _schema(protocol, status)}}
                headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
                named[_name(protocol, status)] = {"description": description, **headers, "content": content}
    return named


def responses_of(
    protocol: str, *, invokes_model: bool, names_model: bool, others: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The error responses of one route, by status.

    Args:
        protocol: The route's protocol: `tgi`, `openai` or `anthropic`.
        invokes_model: Whether the route sends a request body to a model.
        names_model: Whether its path contains a model name.
        others: Further statuses.
    """
    statuses = {*_EVERYWHERE, *others}
    if invokes_model:
        statuses.update(_OF_MODELS)
    if names_model:
        statuses.add("404")
    return {
        status: ref(_name(protocol, status), "responses") for status in sorted(statuses) if _occurs(protocol, status)
    }


def _occurs(protocol: str, status: str) -> bool:
    return protocol == "tgi" or status not in _TGI_ONLY


def _name(protocol: str, status: str) -> str:
    return _PROTOCOLS[protocol] + status


def _schema(protocol: str, status: str) -> Schema:
    if protocol != "tgi":
        return ref(f"{_PROTOCOLS[protocol]}Error")
    return ref("ErrorResponse") if status in _FUNCTION_ONLY else any_of(ref("ErrorResponse"), ref("OpenAIError"))
