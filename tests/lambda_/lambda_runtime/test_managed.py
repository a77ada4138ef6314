"""AWS's own Python runtime client, awslambdaric, runs the handlers that do not stream."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from local.lambda_service import Function, FunctionError
from tests.lambda_.lambda_runtime.runtime_function import function, function_files, proxy_event

# The real managed runtime instead of the emulated one.
RIC = {"run_ric": '#!/bin/sh\nexec "$1" -m awslambdaric "$_HANDLER"\n'}
RIC_WRAPPER = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/run_ric"}


def invoke(folder: str, handler: str, *events: dict[str, Any], **options: Any) -> tuple[list[Any], list[str], Function]:
    """The response to each event, the function's log, and the function."""
    log: list[str] = []

    async def main() -> tuple[list[Any], Function]:
        deployed = function({**function_files(folder), **RIC}, log, handler=handler, **options)
        try:
            return [json.loads(await deployed.invoke(event)) for event in events], deployed
        finally:
            await deployed.close()

    answers, deployed = asyncio.run(main())
    return answers, log, deployed


@pytest.mark.parametrize("environment", [RIC_WRAPPER, {}], ids=["awslambdaric", "emulated"])
def test_the_buffered_handler_returns_what_the_streaming_one_streams(environment: dict[str, str]) -> None:
    events = proxy_event(), proxy_event("DELETE"), {"x": 1}
    (models, not_allowed, no_request), log, deployed = invoke(
        "front_door", "front_door.lambda_runtime.managed.handler", *events, environment=environment
    )
    assert models["statusCode"] == 200
    assert models["isBase64Encoded"] is False
    assert models["headers"]["Content-Type"] == "application/json"
    assert [model["id"] for model in json.loads(models["body"])["data"]] == ["llama"]
    assert not_allowed["statusCode"] == 405
    assert not_allowed["headers"]["Allow"] == "GET, HEAD"
    assert no_request["statusCode"] == 400
    assert [json.loads(line)["status"] for line in log] == [200, 405, 400]
    assert deployed.violations == []


@pytest.mark.parametrize("environment", [RIC_WRAPPER, {}], ids=["awslambdaric", "emulated"])
def test_the_authorizer_responds(environment: dict[str, str]) -> None:
    token = "a" * 40
    event = {
        "type": "TOKEN",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/v1/models",
        "authorizationToken": f"Bearer {token}",
    }
    (policy,), _, deployed = invoke("api_key_authorizer", "api_key_authorizer.handler", event, environment=environment)
    assert policy["usageIdentifierKey"] == token
    assert policy["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert deployed.violations == []


@pytest.mark.parametrize("environment", [RIC_WRAPPER, {}], ids=["awslambdaric", "emulated"])
def test_a_rejection_of_the_authorizer_has_the_message_that_api_gateway_looks_for(environment: dict[str, str]) -> None:
    with pytest.raises(FunctionError) as caught:
        invoke(
            "api_key_authorizer",
            "api_key_authorizer.handler",
            {"authorizationToken": "Basic x"},
            environment=environment,
        )
    result = json.loads(caught.value.payload)
    assert (result["errorType"], result["errorMessage"]) == ("PermissionError", "Unauthorized")


def test_the_managed_runtime_reports_a_handler_that_does_not_exist() -> None:
    for environment in (RIC_WRAPPER, {}):
        with pytest.raises(FunctionError, match=r"Runtime\.ImportModuleError: .*no_such_module"):
            invoke("api_key_authorizer", "no_such_module.handler", {}, environment=environment)
