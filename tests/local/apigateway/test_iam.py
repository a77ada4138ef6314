"""The gateway end to end: IAM authorization."""

import json
from typing import Any

import pytest
import yarl
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.apigateway.api import GatewayResponse
from tests.local.apigateway.doubles import SECRETS, FakeFunction, RunningGateway, build_api, check, running

((KEY, SECRET),) = SECRETS.items()
PATH = "/prod/v1/models%2Fa/?b=2&a=%C3%BC%201&a=&b=1"


def signed(
    url: str, body: bytes = b"", *, secret: str = SECRET, key: str = KEY, service: str = "execute-api", **more: Any
) -> dict[str, str]:
    request = AWSRequest("POST", url, {"X-Own": "a  b"}, body)
    SigV4Auth(Credentials(key, secret, more.get("token")), service, more.get("region", "us-east-1")).add_auth(request)
    return dict(request.headers.items())


async def send(gateway: RunningGateway, headers: dict[str, str], body: bytes = b"") -> tuple[int, str, dict[str, str]]:
    url = yarl.URL(gateway.url + PATH, encoded=True)
    async with gateway.session.post(url, headers=headers, data=body) as response:
        return response.status, response.headers.get("x-amzn-ErrorType", ""), json.loads(await response.read() or b"{}")


def test_the_function_gets_the_identity_of_the_signer() -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(iam=True), main=main) as gateway:
            headers = signed(gateway.url + PATH, b"{}", token="session")
            assert (await send(gateway, headers, b"{}"))[0] == 200
        identity = main.events[0]["requestContext"]["identity"]
        assert identity["userArn"] == f"arn:aws:iam::123456789012:user/{KEY}"
        assert (identity["accessKey"], identity["accountId"]) == (KEY, "123456789012")
        assert identity["user"] == identity["caller"] == f"AIDA{KEY}"
        assert main.events[0]["headers"]["Authorization"].startswith("AWS4-HMAC-SHA256")

    check(test)


def test_a_request_without_a_signature_is_rejected() -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(iam=True), main=main) as gateway:
            rejection = await send(gateway, {"X-Api-Key": "k" * 24})
        assert rejection == (403, "MissingAuthenticationTokenException", {"message": "Missing Authentication Token"})
        assert main.events == []

    check(test)


@pytest.mark.parametrize(
    ("change", "error_type", "message"),
    [
        ({"secret": "other"}, "InvalidSignatureException", "The request signature we calculated does not match"),
        ({"key": "AKIDOTHER"}, "UnrecognizedClientException", "The security token included in the request is invalid."),
        (
            {"service": "sagemaker"},
            "InvalidSignatureException",
            "Credential should be scoped to correct service",
        ),
        (
            {"region": "eu-west-1"},
            "InvalidSignatureException",
            "Credential should be scoped to a valid region",
        ),
    ],
)
def test_an_invalid_signature_is_rejected_with_awss_message(
    change: dict[str, str], error_type: str, message: str
) -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(iam=True), main=main) as gateway:
            status, kind, body = await send(gateway, signed(gateway.url + PATH, **change))
        assert (status, kind, main.events) == (403, error_type, [])
        assert body["message"].startswith(message)

    check(test)


def test_the_signature_covers_method_path_query_headers_and_body() -> None:
    async def test() -> None:
        async with running(build_api(iam=True), main=FakeFunction({"statusCode": 200})) as gateway:
            headers = signed(gateway.url + PATH, b"{}")
            for url, changed, body in (
                (PATH, {}, b"[]"),
                (PATH.replace("b=1", "b=3"), {}, b"{}"),
                (PATH.replace("%2F", "/"), {}, b"{}"),
                (PATH, {"X-Own": "c"}, b"{}"),
                (PATH, {"Authorization": headers["Authorization"].replace("Signature=", "Signature=x")}, b"{}"),
                (PATH, {"Authorization": "Bearer token"}, b"{}"),
                (PATH, {"X-Amz-Date": "20200101T000000Z"}, b"{}"),
            ):
                target = yarl.URL(gateway.url + url, encoded=True)
                async with gateway.session.post(target, headers={**headers, **changed}, data=body) as response:
                    assert response.status == 403, (url, changed, body)
            target = yarl.URL(gateway.url + PATH, encoded=True)
            async with gateway.session.put(target, headers=headers, data=b"{}") as response:
                assert response.status == 403
            assert (await send(gateway, headers, b"{}"))[0] == 200

    check(test)


def test_an_invalid_signature_has_its_own_gateway_response() -> None:
    async def test() -> None:
        custom = GatewayResponse(status=401, headers={}, templates={"application/json": '{"own":1}'})
        api = build_api(iam=True, gateway_responses={"INVALID_SIGNATURE": custom})
        async with running(api, main=FakeFunction({"statusCode": 200})) as gateway:
            status, _, body = await send(gateway, signed(gateway.url + PATH, secret="other"))
            assert (status, body) == (401, {"own": 1})
            assert (await send(gateway, {}))[0] == 403

    check(test)
