"""The API definition that API Gateway imports: routes, body validation and gateway responses."""

import json
import re
from typing import Any

import pytest
from aws_cdk import Duration

from constructs_lib.front_door.api_definition import (
    ApiSettings,
    describe_required_bodies,
    render_api_definition,
    request_schemas,
)
from constructs_lib.front_door.assets import openapi_document
from constructs_lib.front_door.cors import Cors
from constructs_lib.front_door.gateway_responses import GatewayResponse, gateway_responses
from tests.constructs_lib.front_door.doubles import (
    ANY,
    body,
    default,
    make_front_door,
    of_type,
    operations,
    required_schemes,
    responses,
    template,
)

# A document with every case: a member with one type, with several, and behind references; a schema with combinators.
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Sample", "version": "7"},
    "paths": {
        "/ask": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}},
                "responses": {"200": {"description": "A response"}},
            },
            "get": {"responses": {"200": {"description": "How to ask"}}},
        },
        "/v1/deep/{model}/tell": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tell"}}}},
                "responses": {"200": {"description": "A response"}},
            }
        },
        "/any": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Any"}}}},
                "responses": {"200": {"description": "A response"}},
            }
        },
    },
    "components": {
        "schemas": {
            "Ask": {
                "type": "object",
                "required": ["inputs", "extra"],
                "properties": {
                    "inputs": {"$ref": "#/components/schemas/Prompt"},
                    "extra": {"type": ["string", "array"]},
                    "optional": {"type": "integer"},
                },
            },
            "Prompt": {"$ref": "#/components/schemas/Text"},
            "Text": {"type": "string", "minLength": 1},
            "Tell": {"type": "object", "properties": {"optional": {"type": "integer"}}},
            "Any": {"anyOf": [{"$ref": "#/components/schemas/Ask"}], "type": "object", "required": ["inputs"]},
        }
    },
}


def sample(**changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "title": "Stack-FrontDoor",
        "integration": {"type": "aws_proxy"},
        "schemes": {"BearerKey": {"type": "apiKey"}, "ApiKey": {"type": "apiKey"}},
        "key_source": "AUTHORIZER",
        "responses": (),
    }
    return render_api_definition(DOCUMENT, ApiSettings(**settings | changes))


def test_the_definition_has_the_form_that_api_gateway_imports() -> None:
    rendered = sample()
    assert rendered["openapi"] == "3.0.1"
    assert rendered["info"] == {"title": "Stack-FrontDoor", "version": "7"}
    assert rendered["x-amazon-apigateway-api-key-source"] == "AUTHORIZER"
    assert rendered["x-amazon-apigateway-request-validators"] == {
        "body": {"validateRequestBody": True, "validateRequestParameters": False}
    }
    assert rendered["paths"]["/ask"]["post"] == {
        "security": [{"BearerKey": []}, {"ApiKey": []}],
        "responses": {"200": {"description": "The function's response"}},
        "x-amazon-apigateway-integration": {"type": "aws_proxy"},
        "x-amazon-apigateway-request-validator": "body",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}},
        },
    }


def test_without_api_keys_there_is_no_key_source_and_without_schemes_no_security() -> None:
    rendered = sample(key_source=None, schemes={})
    assert "x-amazon-apigateway-api-key-source" not in rendered
    assert not [each for item in rendered["paths"].values() for each in item.values() if "security" in each]


def test_every_parent_resource_has_any_method_so_that_only_the_function_answers_404_and_405() -> None:
    paths = sample()["paths"]
    assert list(paths) == [
        "/",
        "/ask",
        "/v1",
        "/v1/deep",
        "/v1/deep/{model}",
        "/v1/deep/{model}/tell",
        "/any",
        "/{proxy+}",
    ]
    assert {path: sorted(item) for path, item in paths.items() if len(item) > 1} == {
        "/ask": ["get", "post", ANY],
        "/v1/deep/{model}/tell": ["post", ANY],
        "/any": ["post", ANY],
    }
    assert all(required_schemes(item[ANY]) == ["BearerKey", "ApiKey"] for item in paths.values())


def test_every_path_parameter_is_declared() -> None:
    declared = {
        path: [(each["name"], each["in"], each["required"]) for each in item[ANY].get("parameters", [])]
        for path, item in sample()["paths"].items()
    }
    assert {path: names for path, names in declared.items() if names} == {
        "/v1/deep/{model}": [("model", "path", True)],
        "/v1/deep/{model}/tell": [("model", "path", True)],
        "/{proxy+}": [("proxy", "path", True)],
    }


def test_a_light_schema_has_the_required_members_their_single_types_and_nothing_else() -> None:
    assert request_schemas(DOCUMENT) == {
        "Ask": {"type": "object", "required": ["inputs", "extra"], "properties": {"inputs": {"type": "string"}}},
        "Tell": {"type": "object"},
        "Any": {"type": "object"},
    }


def test_the_required_members_are_described_in_a_sentence() -> None:
    assert describe_required_bodies(DOCUMENT) == (
        "The request body must be a JSON object: with a string 'inputs' and 'extra' for /ask."
    )


def test_open_operations_and_preflight_operations_have_no_security() -> None:
    paths = sample(open_operations=frozenset({("GET", "/ask")}), preflight=True)["paths"]
    assert not required_schemes(paths["/ask"]["get"])
    assert required_schemes(paths["/ask"]["post"])
    assert required_schemes(paths["/ask"][ANY])
    assert all(not required_schemes(item["options"]) for item in paths.values())
    assert paths["/{proxy+}"]["options"]["parameters"] == paths["/{proxy+}"][ANY]["parameters"]


def test_every_operation_of_the_functions_openapi_document_is_in_the_api() -> None:
    described = {(method.upper(), path) for path, item in openapi_document()["paths"].items() for method in item}
    assert {("POST", "/generate"), ("POST", "/v1/chat/completions"), ("GET", "/openapi.json")} < described
    assert {key for key in operations(default()) if key[0] != "ANY"} == described
    assert ("ANY", "/v1/chat") in operations(default())


def test_json_bodies_are_validated_by_the_gateway_and_others_are_left_to_the_function() -> None:
    schemas = body(default())["components"]["schemas"]
    required = {
        key: schemas[operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]]
        for key, operation in operations(default()).items()
        if operation.get("x-amazon-apigateway-request-validator") == "body"
    }
    assert {path for method, path in required if method == "POST"} == {
        path for method, path in operations(default()) if method == "POST"
    }
    assert required[("POST", "/generate")] == {
        "type": "object",
        "required": ["inputs"],
        "properties": {"inputs": {"type": "string"}},
    }
    assert required[("POST", "/v1/chat/completions")]["properties"] == {"messages": {"type": "array", "items": {}}}
    assert required[("POST", "/invocations")] == {"type": "object"}
    for operation in operations(default()).values():
        assert set(operation.get("requestBody", {}).get("content", {})) <= {"application/json"}


def test_the_names_of_the_schemas_are_valid_for_api_gateway() -> None:
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in body(default())["components"]["schemas"])


def test_gateway_responses_are_json_for_openai_and_tgi_clients() -> None:
    for response_type, response in responses(default()).items():
        (media_type,) = response["responseTemplates"]
        assert media_type == "application/json"
        own_message = '"Internal server error"'  # API Gateway renders messageString with quotation marks
        body_text = response["responseTemplates"][media_type].replace("$context.error.messageString", own_message)
        message = json.loads(body_text)
        assert message["error"]["message"], response_type
        assert message["error"]["param"] is None
        assert message["error"]["type"] == message["error"]["code"] == message["error_type"]
    assert {name: response.get("statusCode") for name, response in responses(default()).items()} == {
        "UNAUTHORIZED": "401",
        "INVALID_API_KEY": "401",
        "ACCESS_DENIED": "403",
        "MISSING_AUTHENTICATION_TOKEN": "404",
        "BAD_REQUEST_BODY": "400",
        "REQUEST_TOO_LARGE": "413",
        "UNSUPPORTED_MEDIA_TYPE": "415",
        "THROTTLED": "429",
        "QUOTA_EXCEEDED": "429",
        "INTEGRATION_FAILURE": "502",
        "INTEGRATION_TIMEOUT": "504",
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": None,
    }
    assert responses(default())["THROTTLED"]["responseParameters"] == {"gatewayresponse.header.Retry-After": "'1'"}


def test_the_rejection_of_a_body_says_what_each_route_requires() -> None:
    rejection = json.loads(responses(default())["BAD_REQUEST_BODY"]["responseTemplates"]["application/json"])
    assert rejection["error"]["message"] == (
        "The request body must be a JSON object: with a string 'inputs' for /, /generate and /generate_stream;"
        " with an array 'messages' for /v1/chat/completions; with 'prompt' for /v1/completions."
    )


def test_an_override_replaces_the_default_response_of_its_type() -> None:
    override = GatewayResponse("THROTTLED", 503, "busy", "Busy.", {"Retry-After": "9"})
    by_type = {
        each.response_type: each for each in gateway_responses(override, body_message="…", headers={"Vary": "Origin"})
    }
    assert by_type["THROTTLED"].to_openapi() == {
        "statusCode": "503",
        "responseParameters": {
            "gatewayresponse.header.Retry-After": "'9'",
            "gatewayresponse.header.Vary": "'Origin'",
        },
        "responseTemplates": {
            "application/json": '{"error":{"message":"Busy.","type":"busy","param":null,"code":"busy"},'
            '"error_type":"busy"}'
        },
    }
    assert by_type["DEFAULT_5XX"].headers == {"Vary": "Origin"}


def deployments(rendered: dict[str, Any]) -> set[str]:
    return set(of_type(rendered, "ApiGateway::Deployment"))


def test_a_change_of_the_api_creates_a_new_deployment_and_other_changes_do_not() -> None:
    assert deployments(template(make_front_door())) == deployments(default())
    unchanged = make_front_door(rate_limit=3, memory_size=1024)
    unchanged.add_consumer("team-a")
    assert deployments(template(unchanged)) == deployments(default())
    for change in (
        {"streaming": False},
        {"timeout": Duration.minutes(5)},
        {"playground": True},
        {"cors": Cors(allowed_origins=["https://app.example.com"])},
    ):
        assert deployments(template(make_front_door(**change))) != deployments(default()), change


@pytest.mark.parametrize("kind", ["Resource", "Method", "Model", "RequestValidator", "GatewayResponse", "Authorizer"])
def test_the_definition_replaces_the_individual_resources(kind: str) -> None:
    assert not of_type(default(), f"ApiGateway::{kind}")
