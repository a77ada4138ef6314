"""Credentials for each access method."""

import asyncio

import pytest

from local.apigateway.api import ApiKey, Method, RestApi
from local.client import ApiClient
from local.deployment.control_plane import CREDENTIALS
from local.errors import UserError
from tests.local.apigateway.doubles import AUTHORIZER, KEY, FakeFunction, allow, build_api, build_keyed_api, running

SECRETS = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}


def status_of(api: RestApi, monkeypatch: pytest.MonkeyPatch) -> int:
    """The status of a request that the client has authenticated."""
    monkeypatch.setattr("tests.local.apigateway.doubles.SECRETS", SECRETS)

    async def send() -> int:
        async with running(api, main=FakeFunction({"statusCode": 200}), auth=FakeFunction(allow)) as gateway:
            url, body = f"{gateway.url}/prod/v1/models", b'{"a": 1}'
            headers = ApiClient(api).headers("POST", url, body, **{"Content-Type": "application/json"})
            async with gateway.session.post(url, data=body, headers=headers) as response:
                return response.status

    return asyncio.run(send())


def api_with_key_header() -> RestApi:
    api = build_keyed_api(ApiKey(id="k", value=KEY), key_source="HEADER")
    for resource in api.root.walk():
        integration = resource.methods["ANY"].integration
        resource.methods["ANY"] = Method(verb="ANY", integration=integration, api_key_required=True)
    return api


@pytest.mark.parametrize(
    ("api", "curl"),
    [
        (build_api(), ""),
        (build_keyed_api(ApiKey(id="k", value=KEY)), f"-H 'Authorization: Bearer {KEY}'"),
        (api_with_key_header(), f"-H 'X-Api-Key: {KEY}'"),
        (
            build_api(iam=True),
            "--aws-sigv4 aws:amz:us-east-1:execute-api --user emulated:emulated -H 'X-Amz-Security-Token: emulated'",
        ),
    ],
    ids=["public", "bearer", "header", "iam"],
)
def test_the_client_is_admitted_by_every_access_method(
    api: RestApi, curl: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status_of(api, monkeypatch) == 200
    assert ApiClient(api).curl() == curl


def test_a_custom_authorizer_requires_a_token_from_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    api = build_api(authorizer=AUTHORIZER, api_key=False)
    client = ApiClient(api)
    assert status_of(api, monkeypatch) == 401
    assert (client.requires_token, client.api_key) == (True, None)
    assert client.instructions() == "Send a token that the deployed authorizer accepts: -H 'Authorization: Bearer …'"


def test_instructions_are_printed_for_signing_but_not_for_keys() -> None:
    instructions = ApiClient(build_api(iam=True)).instructions()
    assert instructions is not None
    assert "AWS_ACCESS_KEY_ID=emulated AWS_SECRET_ACCESS_KEY=emulated AWS_SESSION_TOKEN=emulated" in instructions
    assert ApiClient(build_keyed_api(ApiKey(id="k", value=KEY))).instructions() is None


def test_an_api_without_any_key_is_an_error() -> None:
    with pytest.raises(UserError, match=r"The deployed API requires an API key, but no usage plan has one\.") as raised:
        ApiClient(build_keyed_api())
    assert raised.value.fix == 'Add a consumer to its FrontDoor: front_door.add_consumer("team-a").'
