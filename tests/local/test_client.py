"""How the deployed API is called, whatever it asks of its callers, and what `serve` tells of it."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from local.apigateway.api import ApiKey, Method, RestApi, UsagePlan
from local.client import Caller
from local.commands.serve import read_fault, ready
from local.deployment.control_plane import CREDENTIALS
from local.errors import UserError
from local.session import stack_names
from tests.local.apigateway.doubles import AUTHORIZER, KEY, MadeUp, allow, build_api, running

SECRETS = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}


def keyed(*keys: ApiKey, **options: Any) -> RestApi:
    plan = UsagePlan(id="p", throttle=None, quota=None, key_ids=frozenset(key.id for key in keys))
    return build_api(authorizer=AUTHORIZER, keys=keys, plans=[plan], **options)


def status_of(api: RestApi, monkeypatch: pytest.MonkeyPatch) -> int:
    """What the gateway answers to the caller of its API."""
    monkeypatch.setattr("tests.local.apigateway.doubles.SECRETS", SECRETS)

    async def ask() -> int:
        async with running(api, main=MadeUp({"statusCode": 200}), auth=MadeUp(allow)) as gateway:
            url, body = f"{gateway.url}/prod/v1/models", b'{"a": 1}'
            headers = Caller(api).headers("POST", url, body, **{"Content-Type": "application/json"})
            async with gateway.session.post(url, data=body, headers=headers) as answer:
                return answer.status

    return asyncio.run(ask())


def by_header() -> RestApi:
    api = keyed(ApiKey(id="k", value=KEY), key_source="HEADER")
    for resource in api.root.walk():
        integration = resource.methods["ANY"].integration
        resource.methods["ANY"] = Method(verb="ANY", integration=integration, api_key_required=True)
    return api


@pytest.mark.parametrize(
    ("api", "curl"),
    [
        (build_api(), ""),
        (keyed(ApiKey(id="k", value=KEY)), f"-H 'Authorization: Bearer {KEY}'"),
        (by_header(), f"-H 'X-Api-Key: {KEY}'"),
        (
            build_api(iam=True),
            "--aws-sigv4 aws:amz:us-east-1:execute-api --user emulated:emulated -H 'X-Amz-Security-Token: emulated'",
        ),
    ],
    ids=["public", "bearer", "header", "iam"],
)
def test_the_caller_is_let_in_by_every_access(api: RestApi, curl: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status_of(api, monkeypatch) == 200
    assert Caller(api).curl() == curl


def test_whom_an_authorizer_of_its_own_lets_in_only_its_owner_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    api = build_api(authorizer=AUTHORIZER, api_key=False)
    caller = Caller(api)
    assert status_of(api, monkeypatch) == 401
    assert (caller.needs_token, caller.api_key) == (True, None)
    assert caller.explain() == "Send a token that the deployed authorizer accepts: -H 'Authorization: Bearer …'"


def test_how_to_sign_is_explained_and_no_key_is() -> None:
    explained = Caller(build_api(iam=True)).explain()
    assert explained is not None
    assert "AWS_ACCESS_KEY_ID=emulated AWS_SECRET_ACCESS_KEY=emulated AWS_SESSION_TOKEN=emulated" in explained
    assert Caller(keyed(ApiKey(id="k", value=KEY))).explain() is None


def test_an_api_that_nobody_has_a_key_for_is_told() -> None:
    with pytest.raises(UserError, match="no key in a usage plan, so nobody may call it") as raised:
        Caller(keyed())
    assert raised.value.fix == 'Give its FrontDoor a consumer: door.add_consumer("team-a").'


def line(api: RestApi) -> dict[str, Any]:
    cloud: Any = SimpleNamespace(url="http://127.0.0.1:1/prod", caller=Caller(api))
    told: dict[str, Any] = json.loads(json.dumps(ready(cloud, ["llama"])))
    return told


def test_the_line_of_serve_has_every_consumers_key_where_there_are_several() -> None:
    one, two = ApiKey(id="1", name="team-a", value="a" * 20), ApiKey(id="2", name="team-b", value="b" * 20)
    again, nameless = ApiKey(id="3", name="team-b", value="c" * 20), ApiKey(id="4", value="d" * 20)
    assert line(build_api()) == {"url": "http://127.0.0.1:1/prod", "api_key": None, "models": ["llama"]}
    assert line(keyed(one)) == {"url": "http://127.0.0.1:1/prod", "api_key": "a" * 20, "models": ["llama"]}
    assert line(keyed(one, two))["api_keys"] == {"team-a": "a" * 20, "team-b": "b" * 20}
    assert line(keyed(one, two, again, nameless))["api_keys"] == {
        "team-a": "a" * 20,
        "2": "b" * 20,
        "3": "c" * 20,
        "4": "d" * 20,
    }


def test_several_stacks_are_named_with_commas_or_spaces_and_each_counts_once() -> None:
    assert stack_names("LlamaTgiStack") == ["LlamaTgiStack"]
    assert stack_names("A, B A,,C") == ["A", "B", "C"]
    with pytest.raises(UserError, match="no name of a stack"):
        stack_names(",")


@pytest.mark.parametrize("name", ["earthquake", "refused"])
def test_a_fault_that_cannot_be_one_of_every_call_is_told(name: str) -> None:
    with pytest.raises(UserError, match=f"--fault {name}: it is not one for every call."):
        read_fault(name)
