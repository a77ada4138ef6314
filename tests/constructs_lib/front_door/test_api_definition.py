"""The API definition that API Gateway imports: routes and gateway responses."""

import json
from typing import Any

import pytest
from aws_cdk import Duration

from constructs_lib.front_door.api_definition import ApiSettings, render_api_definition
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
        "/v1/deep/{model}/tell": {"post": {"responses": {"200": {"description": "A response"}}}},
    },
    "components": {"schemas": {"Ask": {"type": "object"}}},
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
    assert rendered["paths"]["/ask"] == {
        ANY: {
            "security": [{"BearerKey": []}, {"ApiKey": []}],
            "responses": {"200": {"description": "The function's response"}},
            "x-amazon-apigateway-integration": {"type": "aws_proxy"},
        }
    }


def test_without_api_keys_there_is_no_key_source_and_without_schemes_no_security() -> None:
    rendered = sample(key_source=None, schemes={})
    assert "x-amazon-apigateway-api-key-source" not in rendered
    assert not [each for item in rendered["paths"].values() for each in item.values() if "security" in each]


def test_every_resource_has_any_method_so_that_only_the_function_answers_404_and_405() -> None:
    paths = sample()["paths"]
    assert list(paths) == [
        "/",
        "/ask",
        "/v1",
        "/v1/deep",
        "/v1/deep/{model}",
        "/v1/deep/{model}/tell",
        "/{proxy+}",
    ]
    assert all(list(item) == [ANY] for item in paths.values())
    assert all(required_schemes(item[ANY]) == ["BearerKey", "ApiKey"] for item in paths.values())


def test_the_paths_of_anthropics_clients_may_have_schemes_of_their_own() -> None:
    document = {**DOCUMENT, "paths": {**DOCUMENT["paths"], "/tell": {"post": {"tags": ["Anthropic"]}}}}
    settings = ApiSettings(
        title="Sample",
        integration={},
        schemes={"BearerKey": {"name": "a"}, "ApiKey": {"name": "b"}},
        key_source="AUTHORIZER",
        responses=(),
        anthropic_schemes={"EitherKey": {"name": "c"}, "ApiKey": {"name": "b"}},
        preflight=True,
    )
    rendered = render_api_definition(document, settings)
    assert {name: scheme["name"] for name, scheme in rendered["components"]["securitySchemes"].items()} == {
        "BearerKey": "a",
        "ApiKey": "b",
        "EitherKey": "c",
    }
    schemes = {
        (path, method): required_schemes(operation)
        for path, item in rendered["paths"].items()
        for method, operation in item.items()
        if method != "options"
    }
    own = {("/tell", ANY)}
    assert {key for key, names in schemes.items() if names == ["EitherKey", "ApiKey"]} == own
    assert all(names == ["BearerKey", "ApiKey"] for key, names in schemes.items() if key not in own)
    assert not required_schemes(rendered["paths"]["/tell"]["options"])


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


def test_open_operations_and_preflight_operations_have_no_security() -> None:
    paths = sample(open_operations=frozenset({("GET", "/ask"), ("HEAD", "/ask")}), preflight=True)["paths"]
    assert not required_schemes(paths["/ask"]["get"])
    assert not required_schemes(paths["/ask"]["head"])
    assert required_schemes(paths["/ask"][ANY])
    assert all(not required_schemes(item["options"]) for item in paths.values())
    assert paths["/{proxy+}"]["options"]["parameters"] == paths["/{proxy+}"][ANY]["parameters"]


def test_every_path_of_the_functions_openapi_document_is_in_the_api_but_the_one_that_wakes() -> None:
    described = {("ANY", path) for path in openapi_document()["paths"]}
    assert {("ANY", "/generate"), ("ANY", "/v1/chat/completions"), ("ANY", "/openapi.json")} < described
    parents = {
        ("ANY", path) for path in ("/models", "/models/{model}/v1", "/models/{model}/v1/chat", "/v1", "/v1/chat")
    }
    others = parents | {("ANY", "/models/{model}"), ("ANY", "/{proxy+}")}
    assert set(operations(default())) - others == described - others - {("ANY", "/models/{model}/wake")}
    assert parents < set(operations(default()))


def test_bodies_are_left_to_the_function_which_answers_in_the_protocol_of_each_route() -> None:
    rendered = body(default())
    assert list(rendered["components"]) == ["securitySchemes"]
    assert not [key for key in rendered if "validator" in key]
    for operation in operations(default()).values():
        assert not operation.keys() & {"requestBody", "x-amazon-apigateway-request-validator"}
    assert not {"BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS"} & responses(default()).keys()


def error_of(rendered: dict[str, Any], response_type: str) -> dict[str, Any]:
    template_of = responses(rendered)[response_type]["responseTemplates"]
    assert list(template_of) == ["application/json"]
    # API Gateway renders messageString with quotation marks.
    text = template_of["application/json"].replace("$context.error.messageString", '"Internal server error"')
    parsed: dict[str, Any] = json.loads(text)
    return parsed


ERRORS = {
    "UNAUTHORIZED": ("401", "invalid_request_error", "invalid_api_key", "invalid_api_key"),
    "INVALID_API_KEY": ("401", "invalid_request_error", "invalid_api_key", "invalid_api_key"),
    "ACCESS_DENIED": ("403", "invalid_request_error", "access_denied", "access_denied"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "invalid_request_error", "unknown_url", "not_found"),
    "REQUEST_TOO_LARGE": ("413", "invalid_request_error", "request_too_large", "too_large"),
    "UNSUPPORTED_MEDIA_TYPE": ("415", "invalid_request_error", "unsupported_media_type", "unsupported_media_type"),
    "THROTTLED": ("429", "rate_limit_error", "rate_limit_exceeded", "overloaded"),
    "QUOTA_EXCEEDED": ("429", "insufficient_quota", "insufficient_quota", "insufficient_quota"),
    "INTEGRATION_FAILURE": ("502", "server_error", "bad_gateway", "bad_gateway"),
    "INTEGRATION_TIMEOUT": ("504", "server_error", "timeout", "timeout"),
    "DEFAULT_4XX": (None, "invalid_request_error", "invalid_request_error", "invalid_request_error"),
    "DEFAULT_5XX": (None, "server_error", "api_error", "api_error"),
}


def test_gateway_responses_are_json_for_all_clients() -> None:
    found = {}
    for response_type, response in responses(default()).items():
        parsed = error_of(default(), response_type)
        error = parsed["error"]
        assert list(parsed) == ["type", "error", "error_type"]
        assert parsed["type"] == "error"
        assert list(error) == ["message", "type", "param", "code"]
        assert error["message"]
        assert error["param"] is None
        found[response_type] = (response.get("statusCode"), error["type"], error["code"], parsed["error_type"])
    assert found == ERRORS


def test_only_a_request_without_a_key_is_told_that_it_has_none() -> None:
    hint = "Send your API key in the header 'Authorization: Bearer <key>'."
    missing, invalid = (error_of(default(), kind)["error"]["message"] for kind in ("UNAUTHORIZED", "INVALID_API_KEY"))
    also = "Anthropic's clients may send it in 'x-api-key' to /v1/messages."
    assert missing == f"The request carries no API key. {hint} {also}"
    assert invalid == f"The API key is unknown, disabled, or not in a usage plan of this API. {hint}"


def test_gateway_responses_have_the_request_id_and_say_when_to_try_again() -> None:
    headers = {
        response_type: {
            name.removeprefix("gatewayresponse.header."): value
            for name, value in response["responseParameters"].items()
        }
        for response_type, response in responses(default()).items()
    }
    for name in ("x-request-id", "request-id"):
        assert all(each.pop(name) == "context.requestId" for each in headers.values())
    assert {response_type: each for response_type, each in headers.items() if each} == {
        "UNAUTHORIZED": {"WWW-Authenticate": "'Bearer'"},
        "INVALID_API_KEY": {"WWW-Authenticate": "'Bearer'"},
        "THROTTLED": {"Retry-After": "'1'"},
        "QUOTA_EXCEEDED": {"Retry-After": "'3600'", "x-should-retry": "'false'"},
        "INTEGRATION_TIMEOUT": {"x-should-retry": "'false'"},
    }


def test_an_override_replaces_the_default_response_of_its_type() -> None:
    override = GatewayResponse("THROTTLED", 503, "busy", "Busy.", {"Retry-After": "9"}, error_type="overloaded")
    by_type = {each.response_type: each for each in gateway_responses(override, headers={"Vary": "Origin"})}
    assert by_type["THROTTLED"].to_openapi() == {
        "statusCode": "503",
        "responseParameters": {
            "gatewayresponse.header.x-request-id": "context.requestId",
            "gatewayresponse.header.request-id": "context.requestId",
            "gatewayresponse.header.Retry-After": "'9'",
            "gatewayresponse.header.Vary": "'Origin'",
        },
        "responseTemplates": {
            "application/json": '{"type":"error","error":{"message":"Busy.","type":"invalid_request_error",'
            '"param":null,"code":"busy"},"error_type":"overloaded"}'
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
