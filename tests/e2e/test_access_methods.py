"""Every access of a front door, synthesized and deployed by the CDK, then called as those who may and who may not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.cloud import Cloud, listen
from local.deployment.cdk_cli import ROOT, Cdk
from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_stack import read_deployment
from local.deployment.prerequisites import create_endpoints
from local.processes import Children
from tests.e2e.token_issuer import Issuer

pytestmark = [pytest.mark.xdist_group("accesses"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "access_methods"
STACKS = ["Keys", "Iam", "Jwt", "Own", "Open"]
PAGE = {"Origin": "https://app.example"}
GENERATE = {"inputs": "Hi", "parameters": {"max_new_tokens": 3}}


class Doors:
    """An emulated account with a front door of each access."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.issuer = Issuer(folder)
        self._folder = folder
        self._runner = runner
        self._exits = AsyncExitStack()

    def __enter__(self) -> Doors:
        try:
            self._runner.run(self._deploy())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._exits.aclose())

    def serve(self, stack: str, ask: Callable[[Door], Awaitable[None]]) -> list[str]:
        """Serves one door for as long as it is asked; what was logged meanwhile."""
        said: list[str] = []

        async def served() -> None:
            deployment = await asyncio.to_thread(read_deployment, self._plane, [stack])
            cloud = Cloud(deployment, self._children, listen(0), control_plane_url=self._plane.url, log=said.append)
            async with cloud, aiohttp.ClientSession() as session:
                await ask(Door(cloud, session))

        self._runner.run(served())
        return said

    async def _deploy(self) -> None:
        self._children = await self._exits.enter_async_context(Children(self._folder))
        self._plane = self._exits.enter_context(ControlPlane())
        await self._exits.enter_async_context(self.issuer.serving())
        cdk = Cdk(self._children, self._folder, self._plane.url, app=APP)
        lines: list[str] = []
        await asyncio.gather(cdk.bootstrap(lines.append), cdk.synth(lines.append))
        await cdk.deploy(["*"], lines.append)
        missing = (await asyncio.to_thread(read_deployment, self._plane, ["Open"])).missing_endpoints()
        assert list(missing) == ["prod-llama", "prod-falcon"]
        await asyncio.to_thread(create_endpoints, self._plane, missing)


class Door:
    """A served front door."""

    def __init__(self, cloud: Cloud, session: aiohttp.ClientSession) -> None:
        self.cloud = cloud
        self._session = session

    async def ask(self, verb: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        data = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        sent = kind | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(verb, self.cloud.url + path, data=data, headers=sent) as answer:
            told = await answer.read()
            names = {name.lower(): value for name, value in answer.headers.items()}
            try:
                return answer.status, names, json.loads(told)
            except ValueError:
                return answer.status, names, told.decode()


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("accesses")
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        made = Doors(folder, runner)
        patch.setenv("TOY_TOKENS_PER_SECOND", "1000")
        patch.setenv("ISSUER", made.issuer.url)
        patch.setenv("SSL_CERT_FILE", str(made.issuer.authority))
        patch.setenv("PYTHONPATH", str(ROOT))
        with made as deployed:
            yield deployed


def test_every_consumer_has_a_key_with_a_rate_and_a_quota_of_its_own(doors: Doors) -> None:
    async def ask(door: Door) -> None:
        keys = door.cloud.caller.keys
        assert list(keys) == ["team-a", "team-b"]
        assert await door.cloud.models() == ["llama", "falcon"]
        told = {
            name: [
                await door.ask("POST", "/models/llama/generate", GENERATE, Authorization=f"Bearer {key}")
                for _ in range(4)
            ]
            for name, key in keys.items()
        }
        assert [status for status, _, _ in told["team-b"]] == [200, 200, 200, 429]
        assert {status for status, _, _ in told["team-a"]} == {200, 429}
        assert told["team-a"][3][2]["error"]["code"] != told["team-b"][3][2]["error"]["code"]

    doors.serve("Keys", ask)


def test_pages_of_the_allowed_origin_may_ask_and_read_also_what_the_gateway_answers(doors: Doors) -> None:
    async def ask(door: Door) -> None:
        wish = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization"}
        status, headers, _ = await door.ask("OPTIONS", "/v1/chat/completions", **wish, **PAGE)
        assert status // 100 == 2
        assert headers["access-control-allow-origin"] == "https://app.example"
        status, headers, _ = await door.ask("GET", "/v1/models", **PAGE)
        assert (status, headers["access-control-allow-origin"]) == (401, "https://app.example")
        status, headers, _ = await door.ask("GET", "/", Accept="text/html")
        assert (status, headers["content-type"].split(";")[0]) == (200, "text/html"), "anybody may ask for the page"

    doors.serve("Keys", ask)


def test_a_signed_request_is_let_in_and_its_signer_is_the_consumer(doors: Doors) -> None:
    async def ask(door: Door) -> None:
        assert await door.cloud.models() == ["llama", "falcon"]
        url, body = f"{door.cloud.url}/models/falcon/generate", json.dumps(GENERATE).encode()
        signed = door.cloud.caller.headers("POST", url, body, **{"Content-Type": "application/json"})
        assert (await door.ask("POST", "/models/falcon/generate", GENERATE, **signed))[0] == 200
        assert (await door.ask("POST", "/models/llama/generate", GENERATE, **signed))[0] == 403
        status, _, told = await door.ask("GET", "/v1/models")
        assert status in (401, 403), told

    said = doors.serve("Iam", ask)
    assert '"consumer": "arn:aws:iam::123456789012:user/emulated"' in "\n".join(said)


def test_a_token_of_the_issuer_is_let_in_and_its_subject_is_the_consumer(doors: Doors) -> None:
    issuer = doors.issuer

    async def ask(door: Door) -> None:
        assert await door.cloud.models() == ["llama", "falcon"]
        for token, wanted in (
            (issuer.token(), 200),
            (issuer.token(aud="other"), 401),
            (issuer.token(exp=int(time.time()) - 3600), 401),
            (issuer.token(iss="https://elsewhere.example"), 401),
            (issuer.token()[:-8] + "AAAAAAAA", 401),
            ("x" * 40, 401),
        ):
            status, _, told = await door.ask("GET", "/v1/models", Authorization=f"Bearer {token}")
            assert status == wanted, told
        assert (await door.ask("GET", "/v1/models"))[0] == 401

    said = "\n".join(doors.serve("Jwt", ask))
    assert '"consumer": "user-1"' in said
    assert "eyJ" not in said, "no token is logged"


def test_an_authorizer_of_ones_own_decides(doors: Doors) -> None:
    async def ask(door: Door) -> None:
        assert await door.cloud.models() == ["llama", "falcon"]
        told = {
            token: (await door.ask("GET", "/v1/models", Authorization=f"Bearer {token}"))[0]
            for token in ("somebody", "denied", "nobody")
        }
        assert told == {"somebody": 200, "denied": 403, "nobody": 401}

    assert '"consumer": "somebody"' in "\n".join(doors.serve("Own", ask))


def test_a_public_door_lets_everybody_in(doors: Doors) -> None:
    async def ask(door: Door) -> None:
        assert (door.cloud.caller.api_key, door.cloud.caller.explain()) == (None, None)
        assert (await door.ask("POST", "/models/llama/generate", GENERATE))[0] == 200

    doors.serve("Open", ask)
