"""The API description covers API Gateway's own error responses: a client cannot tell who responded."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from constructs_lib.front_door.access.api_keys import KEY_RESPONSES
from constructs_lib.front_door.gateway_responses import GatewayResponse, gateway_responses
from scripts.openapi.document import generate

DOCUMENT = generate()
COMPONENTS = DOCUMENT["components"]
RESPONSES = [*gateway_responses(headers={}), *KEY_RESPONSES]
OPERATIONS = {f"{method} {path}": item[method] for path, item in DOCUMENT["paths"].items() for method in item}
# Responses to a request body, and those that belong to no operation: unknown paths and the gateway's other statuses.
BODY_ERRORS = {"REQUEST_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"}
UNDESCRIBED = {"MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX"}


@pytest.mark.parametrize("response", RESPONSES, ids=lambda response: response.response_type)
def test_an_error_of_the_gateway_is_described_with_its_status(response: GatewayResponse) -> None:
    body = json.loads(response.body_template().replace("$context.error.messageString", json.dumps("Forbidden")))
    assert Draft202012Validator({"$ref": "#/components/schemas/OpenAIError", "components": COMPONENTS}).is_valid(body)
    if response.response_type in UNDESCRIBED:
        return
    for name, operation in OPERATIONS.items():
        if response.response_type in BODY_ERRORS and "requestBody" not in operation:
            continue
        described = operation["responses"][str(response.status)]["$ref"].rpartition("/")[2]
        schema = COMPONENTS["responses"][described]["content"]["application/json"]["schema"]
        assert Draft202012Validator(schema | {"components": COMPONENTS}).is_valid(body), name
