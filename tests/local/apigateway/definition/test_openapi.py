"""Importing an OpenAPI document."""

from typing import Any

import pytest

from local.apigateway.api import Authorizer
from tests.local.apigateway.definition.sample_document import read, streamed


def test_paths_become_a_resource_tree_with_intermediate_resources() -> None:
    tree = read().root
    assert [resource.path for resource in tree.walk()] == [
        "/",
        "/generate",
        "/v1",
        "/v1/models",
        "/v1/models/{model}",
        "/{proxy+}",
    ]
    assert {resource.path: list(resource.methods) for resource in tree.walk() if resource.methods} == {
        "/generate": ["POST", "OPTIONS", "ANY"],
        "/v1/models/{model}": ["GET"],
        "/{proxy+}": ["ANY"],
    }


def test_integrations_have_their_transfer_mode_and_timeout() -> None:
    methods = read().root.children["generate"].methods
    assert (methods["POST"].integration.stream, methods["POST"].integration.timeout_seconds) == (True, 29)
    assert (methods["ANY"].integration.stream, methods["ANY"].integration.function_name) == (False, "main")
    longest = read(lambda document: document["paths"].update({"/": {"post": streamed(millis=900_000)}}))
    assert longest.root.methods["POST"].integration.timeout_seconds == 900


def test_security_determines_the_access_control_of_each_method() -> None:
    root = read().root
    methods = root.children["generate"].methods
    bearer = Authorizer(
        id="Bearer", function_name="guard", headers=("authorization",), validation="^Bearer .+$", ttl_seconds=3600
    )
    by_key = methods["POST"]
    assert (by_key.iam, by_key.authorizer, by_key.api_key_required) == (False, bearer, True)
    public = methods["OPTIONS"]
    assert (public.iam, public.authorizer, public.api_key_required) == (False, None, False)
    signed = methods["ANY"]
    assert (signed.iam, signed.authorizer, signed.api_key_required) == (True, None, False)
    either = root.children["v1"].children["models"].children["{model}"].methods["GET"]
    assert (either.authorizer, either.api_key_required) == (bearer, True)


@pytest.mark.parametrize(
    ("more", "headers", "seconds"),
    [
        ({"authorizerResultTtlInSeconds": 0}, (), 0),
        ({"identitySource": "method.request.header.X-Key, method.request.header.X-Team"}, ("x-key", "x-team"), 300),
    ],
)
def test_an_authorizer_of_the_type_request_needs_headers_only_for_its_cache(
    more: dict[str, Any], headers: tuple[str, ...], seconds: float
) -> None:
    def change(document: dict[str, Any]) -> None:
        scheme = document["components"]["securitySchemes"]["Bearer"]
        uri = scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]
        scheme["name"] = "Unused"
        scheme["x-amazon-apigateway-authorizer"] = {"type": "request", "authorizerUri": uri, **more}

    found = read(change).root.children["generate"].methods["POST"].authorizer
    assert found == Authorizer(
        id="Bearer", function_name="guard", headers=headers, ttl_seconds=seconds, is_request=True
    )


def test_security_of_the_document_applies_to_operations_without_their_own() -> None:
    def change(document: dict[str, Any]) -> None:
        document["security"] = [{"SigV4": []}]
        document["paths"]["/generate"]["options"]["security"] = []

    methods = read(change).root.children["generate"].methods
    assert not methods["OPTIONS"].iam
    assert read(change).root.children["{proxy+}"].methods["ANY"].iam


def test_gateway_responses_key_source_and_binary_types_are_read() -> None:
    imported = read()
    assert (imported.key_source, imported.binary_media_types) == ("AUTHORIZER", ["image/png"])
    assert imported.gateway_responses["UNAUTHORIZED"].status == 401
    assert imported.gateway_responses["DEFAULT_4XX"].status is None
    assert imported.gateway_responses["UNAUTHORIZED"].headers["Access-Control-Allow-Origin"].endswith(".Origin")
