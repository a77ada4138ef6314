"""Request validation: required parameters, and bodies against the JSON schema of their content type."""

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
    """Validates a request with the validator of its method.

    A body is validated only if the method has a model for its content type. The default content type is
    application/json.

    Raises:
        GatewayError: BAD_REQUEST_PARAMETERS or BAD_REQUEST_BODY.
    """
    if method.validate_parameters:
        locations = {"header": headers, "querystring": query, "path": parameters}
        missing = [
            name for name, required in sorted(method.parameters.items()) if required and _absent(name, locations)
        ]
        if missing:
            names = ", ".join(name.rsplit(".", 1)[-1] for name in missing)
            raise GatewayError("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{names}]")
    if method.validate_body:
        media_type = headers.get("content-type", "application/json").split(";")[0].strip().lower()
        schema = method.models.get(media_type)
        if schema is not None:
            _validate_body(schema, body)


def _absent(parameter: str, locations: Mapping[str, Mapping[str, str]]) -> bool:
    _, _, location, name = parameter.split(".", 3)
    return not locations[location].get(name.lower() if location == "header" else name)


def _validate_body(schema: Mapping[str, object], body: bytes) -> None:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:  # RecursionError: nested too deeply for Python
        raise GatewayError("BAD_REQUEST_BODY", "Invalid request body", validation="[body is not JSON]") from error
    errors = sorted(Draft4Validator(schema).iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        details = ", ".join(map(_describe, errors))
        raise GatewayError("BAD_REQUEST_BODY", "Invalid request body", validation=f"[{details}]")


def _describe(error: ValidationError) -> str:
    """The message in API Gateway's format, without values, as bodies contain prompts."""
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"object has missing required properties ({json.dumps(missing)})"
    if error.validator == "type":
        allowed = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        name = TYPE_NAMES.get(type(error.instance), "object")
        return f"instance type ({name}) does not match any allowed primitive type (allowed: {json.dumps(allowed)})"
    where = "/".join(map(str, error.absolute_path))
    return f'instance "/{where}" does not satisfy the keyword "{error.validator}"'
