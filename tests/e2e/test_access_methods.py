"""Every access method of a front door, deployed by the CDK CLI and called with and without valid credentials."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from local.deployment.cdk_cli import ROOT
from local.deployment.deployed_stack import read_deployment
from local.deployment.prerequisites import create_endpoints
from tests.e2e.own_app import OwnApp, ServedApi
from tests.e2e.token_issuer import Issuer

pytestmark = [pytest.mark.xdist_group("accesses"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "access_methods"
ORIGIN = {"Origin": "https://app.example"}
GENERATE = {"inputs": "Hi", "parameters": {"max_new_tokens": 3}}


class AccessStacks(OwnApp):
    """A front door for each access method, and an issuer of tokens."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        super().__init__(APP, folder, runner)
        self.issuer = Issuer(folder)

    async def _deploy(self, exits: AsyncExitStack) -> None:
        await exits.enter_async_context(self.issuer.serving())
        await super()._deploy(exits)
        missing = (await asyncio.to_thread(read_deployment, self.plane, ["Open"])).missing_endpoints()
        assert list(missing) == ["prod-llama", "prod-falcon"]
        await asyncio.to_thread(create_endpoints, self.plane, missing)


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessStacks]:
    folder = tmp_path_factory.mktemp("accesses")
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        account = AccessStacks(folder, runner)
        patch.setenv("TOY_TOKENS_PER_SECOND", "1000")
        patch.setenv("ISSUER", account.issuer.url)
        patch.setenv("SSL_CERT_FILE", str(account.issuer.authority))
        patch.setenv("PYTHONPATH", str(ROOT))
        with account as deployed:
            yield deployed


def test_every_consumer_has_its_own_key_rate_and_quota(stacks: AccessStacks) -> None:
    async def test(api: ServedApi) -> None:
        keys = api.cloud.client.keys
        assert list(keys) == ["team-a", "team-b"]
        assert await api.cloud.models() == ["llama", "falcon"]
        responses = {
            name: [
                await api.request("POST", "/models/llama/generate", GENERATE, Authorization=f"Bearer {key}")
                for _ in range(4)
            ]
            for name, key in keys.items()
        }
        assert [status for status, _, _ in responses["team-b"]] == [200, 200, 200, 429]
        assert {status for status, _, _ in responses["team-a"]} == {200, 429}
        throttled, spent = responses["team-a"][3], responses["team-b"][3]
        assert (throttled[2]["error"]["code"], throttled[1]["retry-after"]) == ("rate_limit_exceeded", "1")
        assert (spent[2]["error"]["code"], spent[1]["retry-after"]) == ("insufficient_quota", "3600")
        assert spent[1]["x-should-retry"] == "false"

    stacks.serve("Keys", test)


def test_cors_headers_are_sent_for_preflights_and_for_gateway_responses(stacks: AccessStacks) -> None:
    async def test(api: ServedApi) -> None:
        asked = "authorization,user-agent,x-stainless-helper-method"
        preflight = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": asked}
        for path in ("/v1/chat/completions", "/nowhere", "/models/llama/nowhere"):
            status, headers, _ = await api.request("OPTIONS", path, **preflight, **ORIGIN)
            assert (status, headers["access-control-allow-origin"]) == (200, "https://app.example"), path
            assert headers["access-control-allow-headers"] == asked
        status, headers, _ = await api.request("GET", "/v1/models", **ORIGIN)
        assert (status, headers["access-control-allow-origin"]) == (401, "https://app.example")
        status, headers, _ = await api.request("GET", "/", Accept="text/html")
        assert (status, headers["content-type"].split(";")[0]) == (200, "text/html"), "the playground needs no key"

    stacks.serve("Keys", test)


def test_a_signed_request_is_admitted_with_the_signer_as_the_consumer(stacks: AccessStacks) -> None:
    async def test(api: ServedApi) -> None:
        assert await api.cloud.models() == ["llama", "falcon"]
        url, body = f"{api.cloud.url}/models/falcon/generate", json.dumps(GENERATE).encode()
        signed = api.cloud.client.headers("POST", url, body, **{"Content-Type": "application/json"})
        assert (await api.request("POST", "/models/falcon/generate", GENERATE, **signed))[0] == 200
        assert (await api.request("POST", "/models/llama/generate", GENERATE, **signed))[0] == 403
        status, _, content = await api.request("GET", "/v1/models")
        assert status in (401, 403), content

    log = stacks.serve("Iam", test)
    assert '"consumer": "arn:aws:iam::123456789012:user/emulated"' in "\n".join(log)


def test_a_token_of_the_issuer_is_admitted_with_its_subject_as_the_consumer(stacks: AccessStacks) -> None:
    issuer = stacks.issuer

    async def test(api: ServedApi) -> None:
        assert await api.cloud.models() == ["llama", "falcon"]
        for token, expected in (
            (issuer.token(), 200),
            (issuer.token(aud="other"), 401),
            (issuer.token(exp=int(time.time()) - 3600), 401),
            (issuer.token(iss="https://elsewhere.example"), 401),
            (issuer.token()[:-8] + "AAAAAAAA", 401),
            ("x" * 40, 401),
        ):
            status, _, body = await api.request("GET", "/v1/models", Authorization=f"Bearer {token}")
            assert status == expected, body
        assert (await api.request("GET", "/v1/models"))[0] == 401

    log = "\n".join(stacks.serve("Jwt", test))
    assert '"consumer": "user-1"' in log
    assert "eyJ" not in log, "no token is logged"


def test_a_custom_authorizer_decides(stacks: AccessStacks) -> None:
    async def test(api: ServedApi) -> None:
        assert await api.cloud.models() == ["llama", "falcon"]
        statuses = {
            token: (await api.request("GET", "/v1/models", Authorization=f"Bearer {token}"))[0]
            for token in ("somebody", "denied", "nobody")
        }
        assert statuses == {"somebody": 200, "denied": 403, "nobody": 401}

    assert '"consumer": "somebody"' in "\n".join(stacks.serve("Own", test))


def test_a_public_api_needs_no_credentials(stacks: AccessStacks) -> None:
    async def test(api: ServedApi) -> None:
        assert (api.cloud.client.api_key, api.cloud.client.instructions()) == (None, None)
        assert (await api.request("POST", "/models/llama/generate", GENERATE))[0] == 200

    stacks.serve("Open", test)
