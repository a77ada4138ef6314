"""An OpenAPI document with everything that the gateway reads."""

import copy
from collections.abc import Callable
from typing import Any

from local.apigateway.definition.openapi import ImportedApi, import_api

LAMBDA_PATH = "arn:aws:apigateway:us-east-1:lambda:path"
ARN = "arn:aws:lambda:us-east-1:123456789012:function"
BUFFERED = f"{LAMBDA_PATH}/2015-03-31/functions/{ARN}:main/invocations"
STREAM = f"{LAMBDA_PATH}/2021-11-15/functions/{ARN}:main/response-streaming-invocations"
ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
KEYED = [{"Bearer": [], "Key": []}]


def operation(**more: Any) -> dict[str, Any]:
    return {INTEGRATION: {"type": "aws_proxy", "httpMethod": "POST", "uri": BUFFERED}, **more}


def streamed(*, millis: int | None = None, **more: Any) -> dict[str, Any]:
    entry = {"type": "aws_proxy", "httpMethod": "POST", "uri": STREAM, "responseTransferMode": "STREAM"}
    return {INTEGRATION: entry | ({} if millis is None else {"timeoutInMillis": millis}), **more}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "front-door", "version": "1"},
    "x-amazon-apigateway-api-key-source": "AUTHORIZER",
    "x-amazon-apigateway-gateway-responses": {
        "DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.Vary": "'Origin'"}},
        "UNAUTHORIZED": {
            "statusCode": "401",
            "responseParameters": {
                "gatewayresponse.header.WWW-Authenticate": "'Bearer'",
                "gatewayresponse.header.Access-Control-Allow-Origin": "method.request.header.Origin",
            },
            "responseTemplates": {"application/json": "{}"},
        },
    },
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    "components": {
        "parameters": {"Trace": {"name": "X-Trace", "in": "header", "required": True}},
        "securitySchemes": {
            "Bearer": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": f"{LAMBDA_PATH}/2015-03-31/functions/{ARN}:guard/invocations",
                    "identityValidationExpression": "^Bearer .+$",
                    "authorizerResultTtlInSeconds": 3600,
                },
            },
            "Key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "SigV4": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
        },
    },
    "paths": {
        "/generate": {
            "post": streamed(security=KEYED),
            "options": operation(),
            ANY: operation(security=[{"SigV4": []}]),
        },
        "/v1/models/{model}": {"get": operation(security=[{"Key": []}, {"Bearer": []}])},
        "/{proxy+}": {
            "parameters": [{"name": "proxy", "in": "path", "required": True}],
            ANY: operation(parameters=[{"$ref": "#/components/parameters/Trace"}, {"name": "n", "in": "query"}]),
        },
    },
}


def read(change: Callable[[dict[str, Any]], object] = lambda _: None) -> ImportedApi:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return import_api(document, "Api")
