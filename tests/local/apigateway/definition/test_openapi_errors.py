"""OpenAPI documents that API Gateway would reject or the emulation cannot serve."""

from collections.abc import Callable
from typing import Any

import pytest

from local.errors import UserError
from tests.local.apigateway.definition.sample_document import ANY, BUFFERED, INTEGRATION, operation, read


def path(name: str, **item: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["paths"].update({name: item or {ANY: operation()}})


def integration(**change: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["paths"]["/generate"]["post"][INTEGRATION].update(change)


def scheme(key: str, **change: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["components"]["securitySchemes"][key].update(change)


def authorizer(**change: Any) -> Callable[[dict[str, Any]], object]:
    key = "x-amazon-apigateway-authorizer"
    return lambda document: document["components"]["securitySchemes"]["Bearer"][key].update(change)


def response(kind: str, **entry: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["x-amazon-apigateway-gateway-responses"].update({kind: entry})


REJECTED: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda d: d.update(openapi="3.1.0"), "openapi 3.1.0: must be 3.0.1, as API Gateway imports OpenAPI 3.0"),
    (lambda d: d.update({"x-amazon-apigateway-api-key-source": "COOKIE"}), "api-key-source COOKIE: must be HEADER or"),
    (lambda d: d.update(paths={}), "The REST API doesn't contain any methods"),
    (
        path("/v1/models/{other}/x"),
        "Unable to create resource at path '/v1/models/{other}/x': A sibling ({model}) of this resource already has a",
    ),
    (path("/{name}"), "A sibling ({proxy+}) of this resource already has a variable path part"),
    (path("/{proxy+}/x"), "Cannot create a child of a resource with a greedy path variable: {proxy+}"),
    (path("/a b"), "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable"),
    (path("x"), "the path must begin with a slash"),
    (path("/x", trace=operation()), "Unable to put method 'TRACE' on resource at path '/x': Invalid HttpMethod"),
    (path("/x", get={}), "No integration defined for method 'GET' on resource at path '/x'"),
    (
        path("/x", get=operation(security=[{"Nobody": []}])),
        "Unable to put method 'GET' on resource at path '/x': security scheme 'Nobody' is not defined in compo",
    ),
    (
        path("/x", get=operation(security=[{"SigV4": []}, {"Bearer": []}])),
        "security has several authorizers, a method can have",
    ),
    (
        path("/x", get=operation(**{"x-amazon-apigateway-request-validator": "all"})),
        "at path '/x': x-amazon-apigateway-request-validator: the emulated gateway does not validate requests",
    ),
    (
        lambda d: d.update({"x-amazon-apigateway-request-validators": {}}),
        "the document: x-amazon-apigateway-request-validators: the emulated gateway does not validate requests",
    ),
    (path("/x", get=operation(parameters=[{"name": "y", "in": "path"}])), "the path has no parameter 'y'"),
    (
        path("/x", get=operation(parameters=[{"$ref": "#/components/parameters/No"}])),
        "#/components/parameters/No: not found in the document",
    ),
    (integration(type="http_proxy"), "type http_proxy: the emulated gateway supports only Lambda proxy integra"),
    (integration(uri="arn:aws:lambda:x"), "Unable to put integration on 'POST' for resource at path '/generate': Inv"),
    (integration(httpMethod="GET"), "httpMethod GET: must be POST for Lambda functions"),
    (integration(uri=BUFFERED), "API Gateway rejects this URI when responseTransferMode is STREAM"),
    (integration(responseTransferMode="BUFFERED"), "rejects this URI when responseTransferMode is BUFFERED"),
    (integration(responseTransferMode="SOME"), "responseTransferMode SOME: must be BUFFERED or STREAM"),
    (integration(timeoutInMillis=900_001), "Timeout should be between 50 ms and 900000 ms: 900001"),
    (
        integration(uri=BUFFERED, responseTransferMode="BUFFERED", timeoutInMillis=30_000),
        "Timeout should be between 50 ms and 29000 ms: 30000",
    ),
    (scheme("Key", type="http"), "Unable to create authorizer 'Key': the security scheme must have the type apiKey"),
    (scheme("Key", name="token"), "the header of an API key must be x-api-key, not token"),
    (scheme("Key", **{"x-amazon-apigateway-authtype": "custom"}), "authtype custom requires x-amazon-apigateway-auth"),
    (authorizer(type="jwt"), "type jwt: the emulated gateway supports only the types token and request"),
    (
        authorizer(type="request", identitySource="method.request.header.a"),
        "identityValidationExpression: only authorizers of the type token have one",
    ),
    (
        authorizer(type="request"),
        "Identity source is required for a REQUEST authorizer whose results are cached",
    ),
    (
        authorizer(identitySource="method.request.header.a, method.request.header.b"),
        "identitySource method.request.header.a, method.request.header.b: must be one header",
    ),
    (authorizer(authorizerUri="x"), "Unable to create authorizer 'Bearer': Invalid Authorizer URI: x"),
    (authorizer(authorizerResultTtlInSeconds=3601), "authorizerResultTtlInSeconds 3601: must be from 0 to 3600"),
    (
        authorizer(identitySource="method.request.querystring.t"),
        "identitySource method.request.querystring.t: the emulated gateway supports only headers",
    ),
    (authorizer(identityValidationExpression="("), "identityValidationExpression: missing )"),
    (response("TEAPOT"), "Unable to put gateway response 'TEAPOT': Invalid gateway response type specified"),
    (
        response("THROTTLED", responseParameters={"gatewayresponse.header.X": "unquoted"}),
        "Invalid mapping expression specified: gatewayresponse.header.X = unquoted",
    ),
    (response("THROTTLED", statusCode="99"), "Invalid Response status code specified: 99"),
]


@pytest.mark.parametrize(("change", "message"), REJECTED)
def test_an_invalid_document_is_rejected_with_api_gateways_message(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(UserError) as raised:
        read(change)
    assert raised.value.problem.startswith("Errors found during import of the Body of Api:\n  ")
    assert message in raised.value.problem
    assert raised.value.fix == "Correct the API's Body."


def test_all_problems_are_reported_together_without_duplicates() -> None:
    def change(document: dict[str, Any]) -> None:
        for verb in ("get", "put"):
            path("/x", **{verb: operation(security=[{"Nobody": []}])})(document)
        scheme("Key", name="token")(document)
        integration(httpMethod="GET")(document)

    with pytest.raises(UserError) as raised:
        read(change)
    assert len(raised.value.problem.splitlines()) == 4
