"""What API Gateway answers by itself is in the description too: a client does not know who answered."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from constructs_lib.front_door.access.api_keys import KEY_RESPONSES
from constructs_lib.front_door.gateway_responses import GatewayResponse, gateway_responses
from scripts.openapi.document import generate

DOCUMENT = generate()
COMPONENTS = DOCUMENT["components"]
ANSWERS = [*gateway_responses(body_message="The request body must be a JSON object.", headers={}), *KEY_RESPONSES]
OPERATIONS = {f"{method} {path}": item[method] for path, item in DOCUMENT["paths"].items() for method in item}
# What only a body brings about, and what is no operation's: a path that there is not, and the gateway's other statuses.
OF_BODIES = {"BAD_REQUEST_BODY", "REQUEST_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"}
OF_NO_OPERATION = {"MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX"}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.response_type)
def test_an_answer_of_the_gateway_is_described_with_its_status(answer: GatewayResponse) -> None:
    told = json.loads(answer.body_template().replace("$context.error.messageString", json.dumps("Forbidden")))
    assert Draft202012Validator({"$ref": "#/components/schemas/OpenAIError", "components": COMPONENTS}).is_valid(told)
    if answer.response_type in OF_NO_OPERATION:
        return
    for name, operation in OPERATIONS.items():
        if answer.response_type in OF_BODIES and "requestBody" not in operation:
            continue
        described = operation["responses"][str(answer.status)]["$ref"].rpartition("/")[2]
        schema = COMPONENTS["responses"][described]["content"]["application/json"]["schema"]
        assert Draft202012Validator(schema | {"components": COMPONENTS}).is_valid(told), name
