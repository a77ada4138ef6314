"""Request validators: required parameters, and bodies against the JSON schema of their content type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft4Validator, ValidationError

from local.apigateway.responses import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.apigateway.api import Method


TYPE_NAMES = {
    type(None): "null",
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "integer",
    list: "array",
    str: "string",
}


def validate(
    method: Method, headers: Mapping[str, str], query: Mapping[str, str], parameters: Mapping[str, str], body: bytes
) -> None:
    """Holds a request against its method's validator.

    A body is only looked at if the method has a model for its content type; without a Content-Type header it counts as
    application/json.

    Raises:
        GatewayError: BAD_REQUEST_PARAMETERS or BAD_REQUEST_BODY.
    """
    if method.validate_parameters:
        places = {"header": headers, "querystring": query, "path": parameters}
        missing = [name for name, required in sorted(method.parameters.items()) if required and _absent(name, places)]
        if missing:
            names = ", ".join(name.rsplit(".", 1)[-1] for name in missing)
            raise GatewayError("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{names}]")
    if method.validate_body:
        media_type = headers.get("content-type", "application/json").split(";")[0].strip().lower()
        schema = method.models.get(media_type)
        if schema is not None:
            _validate_body(schema, body)


def _absent(parameter: str, places: Mapping[str, Mapping[str, str]]) -> bool:
    _, _, place, name = parameter.split(".", 3)
    return not places[place].get(name.lower() if place == "header" else name)


def _validate_body(schema: Mapping[str, object], body: bytes) -> None:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:  # nested deeper than Python reads counts as no JSON
        told = "[body is not JSON]"
        raise GatewayError("BAD_REQUEST_BODY", "Invalid request body", validation=told) from error
    found = sorted(Draft4Validator(schema).iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
    if found:
        told = ", ".join(map(_describe, found))
        raise GatewayError("BAD_REQUEST_BODY", "Invalid request body", validation=f"[{told}]")


def _describe(error: ValidationError) -> str:
    """In the manner of API Gateway, which never repeats a value: bodies are prompts."""
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"object has missing required properties ({json.dumps(missing)})"
    if error.validator == "type":
        allowed = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        name = TYPE_NAMES.get(type(error.instance), "object")
        return f"instance type ({name}) does not match any allowed primitive type (allowed: {json.dumps(allowed)})"
    where = "/".join(map(str, error.absolute_path))
    return f'instance "/{where}" does not satisfy the keyword "{error.validator}"'
