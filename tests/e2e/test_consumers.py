"""Consumers with models and budgets, from the construct to the URL: deployed by the CDK CLI, called by real clients."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from local.deployment.cdk_cli import ROOT, Cdk
from local.deployment.deployed_stack import read_deployment
from local.deployment.prerequisites import create_endpoints
from tests.e2e.own_app import OwnApp, ServedApi
from tests.e2e.token_issuer import Issuer

pytestmark = [pytest.mark.xdist_group("consumers"), pytest.mark.slow, pytest.mark.timeout(400)]

APP = Path(__file__).parent / "consumers"
MESSAGES: Any = [{"role": "user", "content": "Hi"}]
GENERATE = {"inputs": "Hi", "parameters": {"max_new_tokens": 3}}
TABLE = "AWS::DynamoDB::Table"


class ConsumerStacks(OwnApp):
    """The stacks of the app, and an issuer of tokens."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        super().__init__(APP, folder, runner)
        self.issuer = Issuer(folder)

    async def _deploy(self, exits: AsyncExitStack) -> None:
        await exits.enter_async_context(self.issuer.serving())
        await super()._deploy(exits)
        missing = (await asyncio.to_thread(read_deployment, self.plane, ["Budgets"])).missing_endpoints()
        await asyncio.to_thread(create_endpoints, self.plane, missing)

    def table(self, stack: str) -> str:
        """The name of the table of a stack."""
        (table,) = self.plane.stacks.resources(TABLE, stack)
        return str(table.physical_id)

    async def tokens_of_today(self, stack: str, consumer: str) -> int:
        """What a consumer has used today, once all of its requests are settled."""
        key = {"consumer": {"S": consumer}, "period": {"S": "current"}}
        client, table = self.plane.client("dynamodb"), self.table(stack)
        async with asyncio.timeout(30):
            while (item := client.get_item(TableName=table, Key=key)["Item"])["in_flight"]["M"]:
                await asyncio.sleep(0.1)
        return int(item["day_tokens"]["N"])


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsumerStacks]:
    folder = tmp_path_factory.mktemp("consumers")
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        account = ConsumerStacks(folder, runner)
        # An answer of about 50 tokens takes four seconds.
        patch.setenv("TOY_TOKENS_PER_SECOND", "12")
        patch.setenv("ISSUER", account.issuer.url)
        patch.setenv("SSL_CERT_FILE", str(account.issuer.authority))
        patch.setenv("PYTHONPATH", str(ROOT))
        with account as deployed:
            yield deployed


def client_of(api: ServedApi, consumer: str, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{api.cloud.url}/v1", api_key=api.cloud.client.keys[consumer], **options)


async def ask(client: openai.AsyncOpenAI, model: str = "llama", **options: Any) -> str:
    answer = await client.chat.completions.create(model=model, messages=MESSAGES, **{"max_tokens": 3, **options})
    return str(answer.choices[0].message.content)


async def refusal(client: openai.AsyncOpenAI, model: str = "llama", **options: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as error:
        await ask(client, model, **options)
    return error.value


def requests_in(log: list[str]) -> list[dict[str, Any]]:
    lines = [line[line.index("{") :] for line in log if '"route"' in line]
    return [json.loads(line) for line in lines]


def test_a_consumer_sees_and_calls_its_models_alone(stacks: ConsumerStacks) -> None:
    async def test(api: ServedApi) -> None:
        own = client_of(api, "llama-only", max_retries=0)
        assert [model.id async for model in await own.models.list()] == ["llama"]
        assert await ask(own)
        forbidden = await refusal(own, "falcon")
        assert isinstance(forbidden, openai.PermissionDeniedError)
        assert forbidden.code == "access_denied"
        assert "You may not call the model `falcon`; you may call `llama`." in str(forbidden)
        assert (await refusal(own, "gpt-4")).status_code == 404
        bearer = {"Authorization": f"Bearer {api.cloud.client.keys['llama-only']}"}
        status, _, body = await api.request("POST", "/models/falcon/generate", GENERATE, **bearer)
        assert (status, body["error_type"]) == (403, "access_denied")
        assert (await api.request("POST", "/models/llama/generate", GENERATE, **bearer))[0] == 200

    log = stacks.serve("Budgets", test)
    assert {line["consumer"] for line in requests_in(log)} == {"llama-only"}
    assert '"error": "access_denied"' in "\n".join(log)


def test_openais_client_waits_for_the_next_minute_when_its_consumer_has_no_tokens_left(stacks: ConsumerStacks) -> None:
    async def test(api: ServedApi) -> None:
        waiting, impatient = client_of(api, "minute", max_retries=5), client_of(api, "minute", max_retries=0)
        while not 38 <= time.time() % 60 < 46:
            await asyncio.sleep(0.5)
        assert await ask(impatient, max_tokens=60)
        refused = await refusal(impatient, max_tokens=60)
        assert isinstance(refused, openai.RateLimitError)
        assert refused.code == "rate_limit_exceeded"
        assert "and `minute` has fewer left of the 100 for this minute, which ends at" in str(refused)
        after = int(refused.response.headers["retry-after"])
        assert 0 < after <= 22
        started = time.time()
        assert await ask(waiting, max_tokens=60)
        assert int(time.time() // 60) == int(started // 60) + 1
        assert await ask(client_of(api, "llama-only", max_retries=0), max_tokens=60), "others have their own"

    stacks.serve("Budgets", test)


def test_the_budget_of_a_day_is_of_the_consumer_whichever_key_is_sent(stacks: ConsumerStacks) -> None:
    async def test(api: ServedApi) -> None:
        first, second = (client_of(api, f"day/{key}", max_retries=5) for key in ("2026-11", "2027-01"))
        used = []
        for client in (first, second):
            answer = await client.chat.completions.create(model="llama", messages=MESSAGES, max_tokens=300)
            assert answer.usage is not None
            used.append(answer.usage.total_tokens)
            assert await stacks.tokens_of_today("Budgets", "day") == sum(used), "what was reserved is corrected"
        started = time.monotonic()
        refused = await refusal(first, max_tokens=350)
        assert time.monotonic() - started < 5, "nothing is repeated that would be refused all day"
        assert (refused.status_code, refused.code) == (429, "insufficient_quota")
        assert refused.response.headers["x-should-retry"] == "false"
        midnight = 86400 - time.time() % 86400
        assert abs(int(refused.response.headers["retry-after"]) - midnight) < 30

    stacks.serve("Budgets", test)


def test_a_stream_beyond_those_of_a_consumer_is_refused_until_one_ends(stacks: ConsumerStacks) -> None:
    async def test(api: ServedApi) -> None:
        client = client_of(api, "streams", max_retries=0)
        stream = await client.chat.completions.create(model="llama", messages=MESSAGES, max_tokens=1500, stream=True)
        events = aiter(stream)
        await anext(events)
        refused = await refusal(client)
        assert (refused.status_code, refused.code) == (429, "rate_limit_exceeded")
        assert "`streams` may have 1 requests at once" in str(refused)
        assert int(refused.response.headers["retry-after"]) <= 5
        async for _ in events:
            pass
        assert await ask(client_of(api, "streams", max_retries=3))

    stacks.serve("Budgets", test)


def test_no_request_fails_while_a_key_is_rotated(stacks: ConsumerStacks, tmp_path: Path) -> None:
    async def deploy(keys: str) -> None:
        cdk = Cdk(stacks.children, tmp_path, stacks.plane.url, app=APP, context=[f"keys={keys}"])
        lines: list[str] = []
        await cdk.synth(lines.append)
        await cdk.deploy(["Budgets"], lines.append)

    async def test(api: ServedApi) -> None:
        keys, statuses = api.cloud.client.keys, []
        sent = [keys["rotated"]]
        original, ended = sent[0], asyncio.Event()

        async def ask_all_the_time() -> None:
            while not ended.is_set():
                bearer = {"Authorization": f"Bearer {sent[0]}"}
                status, _, body = await api.request("POST", "/models/llama/generate", GENERATE, **bearer)
                statuses.append(status if status == 200 else (status, body))
                await asyncio.sleep(0.05)

        clients = [asyncio.create_task(ask_all_the_time()) for _ in range(3)]
        await deploy("original,2026-11")
        assert api.cloud.client.keys["rotated"] == original
        sent[0] = api.cloud.client.keys["rotated/2026-11"]
        before = len(statuses)
        while len(statuses) < before + 10:
            await asyncio.sleep(0.05)
        await deploy("2026-11")
        ended.set()
        await asyncio.gather(*clients)
        assert len(statuses) > 50
        assert set(statuses) == {200}
        status, _, body = await api.request("GET", "/v1/models", Authorization=f"Bearer {original}")
        assert (status, body["error"]["code"]) == (401, "invalid_api_key")
        assert len(sent[0]) == 48
        secrets = stacks.plane.client("secretsmanager")
        values = [
            secrets.get_secret_value(SecretId=each["ARN"])["SecretString"]
            for each in secrets.list_secrets()["SecretList"]
        ]
        assert sent[0] in values

    log = stacks.serve("Budgets", test)
    assert {line["consumer"] for line in requests_in(log)} == {"rotated"}


@pytest.mark.parametrize(("stack", "consumer", "answers"), [("Closed", "metered", False), ("Budgets", "minute", True)])
def test_without_its_table_a_front_door_answers_or_refuses_as_it_was_told(
    stacks: ConsumerStacks, stack: str, consumer: str, answers: bool
) -> None:
    async def test(api: ServedApi) -> None:
        client = client_of(api, consumer, max_retries=0)
        await asyncio.to_thread(lambda: stacks.plane.client("dynamodb").delete_table(TableName=stacks.table(stack)))
        if answers:
            assert await ask(client)
            return
        refused = await refusal(client)
        assert (refused.status_code, refused.code) == (503, "limits_unavailable")
        assert "cannot be checked right now" in str(refused)
        assert await ask(client_of(api, "free", max_retries=0)), "what is not limited needs no table"

    log = "\n".join(stacks.serve(stack, test))
    assert '"store_failure": "ResourceNotFoundException"' in log


def test_a_token_may_use_the_models_of_its_scopes(stacks: ConsumerStacks) -> None:
    async def test(api: ServedApi) -> None:
        def client(**claims: Any) -> openai.AsyncOpenAI:
            token = stacks.issuer.token(**claims)
            return openai.AsyncOpenAI(base_url=f"{api.cloud.url}/v1", api_key=token, max_retries=0)

        one, both, none = client(scope="openid llm:llama"), client(scp=["llm:llama", "llm:falcon"]), client()
        assert [model.id async for model in await one.models.list()] == ["llama"]
        assert [model.id async for model in await both.models.list()] == ["llama", "falcon"]
        assert [model.id async for model in await none.models.list()] == []
        assert await ask(one)
        forbidden = await refusal(one, "falcon")
        assert forbidden.status_code == 403
        assert "A token for it has the scope `llm:falcon`." in str(forbidden)
        assert await ask(both, "falcon")
        assert (await refusal(none)).status_code == 403

    stacks.serve("Scopes", test)
