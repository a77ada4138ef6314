"""The document from which API Gateway makes the API, and what the gateway checks and answers by it."""

import json
import re
from typing import Any

import pytest
from aws_cdk import Duration

from constructs_lib.front_door.api_definition import GatewaySettings, gateway_body
from constructs_lib.front_door.assets import openapi_document
from constructs_lib.front_door.cors import Cors
from constructs_lib.front_door.gateway_responses import GatewayAnswer, gateway_answers
from constructs_lib.front_door.request_schemas import request_schemas, requirements
from tests.constructs_lib.front_door.doubles import (
    ANY,
    answers,
    asked,
    body,
    default,
    door,
    of_type,
    operations,
    template,
)

# A description with every case: a request with one type, with several, with alternatives, and one behind references.
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Sample", "version": "7"},
    "paths": {
        "/ask": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}},
                "responses": {"200": {"description": "An answer"}},
            },
            "get": {"responses": {"200": {"description": "How to ask"}}},
        },
        "/v1/deep/{model}/tell": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tell"}}}},
                "responses": {"200": {"description": "An answer"}},
            }
        },
        "/any": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Any"}}}},
                "responses": {"200": {"description": "An answer"}},
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
        "title": "Stack-Door",
        "integration": {"type": "aws_proxy"},
        "schemes": {"BearerKey": {"type": "apiKey"}, "ApiKey": {"type": "apiKey"}},
        "key_source": "AUTHORIZER",
        "answers": (),
    }
    return gateway_body(DOCUMENT, GatewaySettings(**settings | changes))


def test_the_body_has_the_form_that_api_gateway_imports() -> None:
    made = sample()
    assert made["openapi"] == "3.0.1"
    assert made["info"] == {"title": "Stack-Door", "version": "7"}
    assert made["x-amazon-apigateway-api-key-source"] == "AUTHORIZER"
    assert made["x-amazon-apigateway-request-validators"] == {
        "body": {"validateRequestBody": True, "validateRequestParameters": False}
    }
    assert made["paths"]["/ask"]["post"] == {
        "security": [{"BearerKey": []}, {"ApiKey": []}],
        "responses": {"200": {"description": "The function's answer"}},
        "x-amazon-apigateway-integration": {"type": "aws_proxy"},
        "x-amazon-apigateway-request-validator": "body",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}},
        },
    }


def test_without_keys_there_is_no_source_of_them_and_without_schemes_nothing_is_asked_for() -> None:
    made = sample(key_source=None, schemes={})
    assert "x-amazon-apigateway-api-key-source" not in made
    assert not [each for item in made["paths"].values() for each in item.values() if "security" in each]


def test_every_resource_on_the_way_answers_any_method_so_that_the_function_alone_says_404_and_405() -> None:
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
    assert all(asked(item[ANY]) == ["BearerKey", "ApiKey"] for item in paths.values())


def test_every_variable_of_a_path_is_declared() -> None:
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


def test_what_a_body_needs_is_said_in_words() -> None:
    assert requirements(DOCUMENT) == (
        "The request body must be a JSON object: with a string 'inputs' and 'extra' for /ask."
    )


def test_an_open_operation_and_every_preflight_ask_for_nothing() -> None:
    paths = sample(open_operations=frozenset({("GET", "/ask")}), preflight=True)["paths"]
    assert not asked(paths["/ask"]["get"])
    assert asked(paths["/ask"]["post"])
    assert asked(paths["/ask"][ANY])
    assert all(not asked(item["options"]) for item in paths.values())
    assert paths["/{proxy+}"]["options"]["parameters"] == paths["/{proxy+}"][ANY]["parameters"]


def test_every_served_operation_of_the_description_is_in_the_api() -> None:
    described = {(method.upper(), path) for path, item in openapi_document()["paths"].items() for method in item}
    assert {("POST", "/generate"), ("POST", "/v1/chat/completions"), ("GET", "/openapi.json")} < described
    assert {key for key in operations(default()) if key[0] != "ANY"} == described
    assert ("ANY", "/v1/chat") in operations(default())


def test_json_bodies_are_held_against_what_their_routes_need_and_others_are_left_to_the_function() -> None:
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
    assert required[("POST", "/v1/chat/completions")]["properties"] == {"messages": {"type": "array"}}
    assert required[("POST", "/invocations")] == {"type": "object"}
    for operation in operations(default()).values():
        assert set(operation.get("requestBody", {}).get("content", {})) <= {"application/json"}


def test_the_names_of_the_schemas_are_such_as_api_gateway_takes() -> None:
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in body(default())["components"]["schemas"])


def test_the_gateway_answers_in_json_that_openai_and_tgi_clients_read() -> None:
    for kind, answer in answers(default()).items():
        (media_type,) = answer["responseTemplates"]
        assert media_type == "application/json"
        own = '"Internal server error"'  # what API Gateway puts for messageString, with its quotation marks
        said = json.loads(answer["responseTemplates"][media_type].replace("$context.error.messageString", own))
        assert said["error"]["message"], kind
        assert said["error"]["param"] is None
        assert said["error"]["type"] == said["error"]["code"] == said["error_type"]
    assert {kind: answer.get("statusCode") for kind, answer in answers(default()).items()} == {
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
    assert answers(default())["THROTTLED"]["responseParameters"] == {"gatewayresponse.header.Retry-After": "'1'"}


def test_the_refusal_of_a_body_says_what_each_route_needs() -> None:
    said = json.loads(answers(default())["BAD_REQUEST_BODY"]["responseTemplates"]["application/json"])
    assert said["error"]["message"] == (
        "The request body must be a JSON object: with a string 'inputs' for /, /generate and /generate_stream;"
        " with an array 'messages' for /v1/chat/completions; with 'prompt' for /v1/completions."
    )


def test_an_apis_own_answer_takes_the_place_of_the_common_one() -> None:
    own = GatewayAnswer("THROTTLED", 503, "busy", "Busy.", {"Retry-After": "9"})
    made = {each.response_type: each for each in gateway_answers(own, body_message="…", headers={"Vary": "Origin"})}
    assert made["THROTTLED"].extension() == {
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
    assert made["DEFAULT_5XX"].headers == {"Vary": "Origin"}


def deployments(rendered: dict[str, Any]) -> set[str]:
    return set(of_type(rendered, "ApiGateway::Deployment"))


def test_a_change_of_the_api_makes_a_new_deployment_and_anything_else_does_not() -> None:
    assert deployments(template(door())) == deployments(default())
    unchanged = door(rate_limit=3, memory_size=1024)
    unchanged.add_consumer("team-a")
    assert deployments(template(unchanged)) == deployments(default())
    for change in (
        {"streaming": False},
        {"timeout": Duration.minutes(5)},
        {"playground": True},
        {"cors": Cors(allowed_origins=["https://app.example.com"])},
    ):
        assert deployments(template(door(**change))) != deployments(default()), change


@pytest.mark.parametrize("kind", ["Resource", "Method", "Model", "RequestValidator", "GatewayResponse", "Authorizer"])
def test_the_document_takes_the_place_of_the_many_resources(kind: str) -> None:
    assert not of_type(default(), f"ApiGateway::{kind}")
