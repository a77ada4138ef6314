"""examples/existing_endpoints: a front door for endpoints of others, by name, which deploys and changes none."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pytest
from aws_cdk import App, Environment, Stack

from constructs_lib import ConfigurationError, FrontDoor, TgiEndpoint
from tests.e2e.deployed_cloud import Cloud
from tests.examples.catalogue import FOLDER, Example
from tests.examples.conftest import assert_streams
from tests.examples.synthesis import synthesize, templates

pytestmark = [pytest.mark.xdist_group("example-existing_endpoints"), pytest.mark.timeout(300)]

EXAMPLE = Example(FOLDER / "existing_endpoints")


def test_it_has_no_endpoint_of_its_own_and_calls_those_that_the_context_names(tmp_path: Path) -> None:
    text = templates(synthesize(EXAMPLE, tmp_path, chat="Team-A-chat", code="team-b-code"))["SharedUrl"]
    assert "AWS::SageMaker::" not in text
    policies = [
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in json.loads(text)["Resources"].values()
        if each["Type"] == "AWS::IAM::Policy"
    ]
    invoked = json.dumps([one for each in policies for one in each if "sagemaker:InvokeEndpoint" in str(one["Action"])])
    # SageMaker writes names into ARNs in lower case.
    assert "endpoint/team-a-chat" in invoked
    assert "endpoint/team-b-code" in invoked
    assert "endpoint/*" not in invoked


def test_an_endpoint_of_another_account_is_refused_as_its_readme_says() -> None:
    stack = Stack(App(), "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    arn = "arn:aws:sagemaker:eu-west-1:444455556666:endpoint/chat-prod"
    chat = TgiEndpoint.from_endpoint_arn(stack, "Chat", arn)
    with pytest.raises(ConfigurationError) as refused:
        FrontDoor(stack, "Api", models={"chat": chat})
    assert "444455556666" in str(refused.value)


@pytest.mark.slow
def test_each_consumer_has_its_models_on_both_engines(cloud: Cloud) -> None:
    assert cloud.log().count("(placeholder; on AWS it already exists)") == 2
    assert cloud.models == ["chat"]
    developers = openai.OpenAI(base_url=f"{cloud.url}/v1", api_key=cloud.api_keys["developers"], max_retries=0)
    assert [model.id for model in developers.models.list()] == ["chat", "code"]
    for model in ("chat", "code"):
        assert_streams(cloud, model, key=cloud.api_keys["developers"])
    told = {name: developer_info(cloud, name)["max_total_tokens"] for name in ("chat", "code")}
    assert told == {"chat": 8_192, "code": 16_384}


def developer_info(cloud: Cloud, model: str) -> dict[str, int]:
    found: dict[str, int] = cloud.request("GET", f"/models/{model}/info", key=cloud.api_keys["developers"]).json()
    return found
