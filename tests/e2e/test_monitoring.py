"""A stack with everything that monitors, deployed by the CDK CLI: it serves, and its rules name its endpoints."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from local.deployment.cdk_cli import ROOT
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("monitoring"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "monitored"
CHAT = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}


def test_a_monitored_stack_is_deployed_and_serves(tmp_path: Path) -> None:
    async def test(api: ServedApi) -> None:
        status, _, body = await api.request("POST", "/v1/chat/completions", CHAT)
        assert (status, body["usage"]["completion_tokens"]) == (200, 3)

    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, tmp_path, runner) as deployed:
            deployed.serve("Monitored", test)
            endpoints = {
                one["EndpointName"] for one in deployed.plane.client("sagemaker").list_endpoints()["Endpoints"]
            }
            events, sns = deployed.plane.client("events"), deployed.plane.client("sns")
            rules = events.list_rules()["Rules"]
            named = [json.loads(rule["EventPattern"])["detail"]["EndpointName"] for rule in rules]
            (topic,) = sns.list_topics()["Topics"]
            targets = [events.list_targets_by_rule(Rule=rule["Name"])["Targets"] for rule in rules]
    assert len(endpoints) == 2
    assert sorted(named) == sorted([name] for name in endpoints)
    assert [[target["Arn"] for target in each] for each in targets] == [[topic["TopicArn"]]] * 2
