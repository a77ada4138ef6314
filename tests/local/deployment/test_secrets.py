"""Secrets of a stack: their generated values, and what refers to them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_stack import read_deployment
from local.deployment.secrets import with_secrets
from tests.local.deployment.deployments import create, delete, update
from tests.local.deployment.sample_stack import TEMPLATE, control_plane, deploy

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with control_plane() as running:
        yield running


def secret(**properties: Any) -> dict[str, Any]:
    generated = {"GenerateSecretString": {"PasswordLength": 48, "ExcludePunctuation": True}}
    return {"Type": "AWS::SecretsManager::Secret", "Properties": properties or generated}


def stored(plane: ControlPlane) -> dict[str, str]:
    client = plane.client("secretsmanager")
    return {
        each["ARN"]: client.get_secret_value(SecretId=each["ARN"])["SecretString"]
        for each in client.list_secrets()["SecretList"]
    }


def test_a_generated_value_has_what_is_asked_for_and_stays(plane: ControlPlane) -> None:
    template = {"Resources": {"Key": secret()}, "Outputs": {"Key": {"Value": {"Ref": "Key"}}}}
    create(plane, template)
    ((arn, value),) = stored(plane).items()
    assert (len(value), value.isalnum()) == (48, True)
    (described,) = plane.client("cloudformation").describe_stacks(StackName="Scaled")["Stacks"]
    assert described["Outputs"][0]["OutputValue"] == arn
    template["Resources"]["Key"]["Properties"]["Description"] = "A key"
    update(plane, template)
    assert stored(plane) == {arn: value}
    assert with_secrets(plane, f"<{{{{resolve:secretsmanager:{arn}:SecretString:::}}}}>") == f"<{value}>"
    delete(plane)
    assert stored(plane) == {}


def test_a_generated_value_may_be_a_member_of_a_given_text(plane: ControlPlane) -> None:
    described = {"GenerateStringKey": "token", "SecretStringTemplate": '{"user": "hub"}', "PasswordLength": 20}
    create(plane, {"Resources": {"Key": secret(GenerateSecretString=described), "Given": secret(SecretString="x")}})
    texts = sorted(stored(plane).values(), key=len)
    assert texts[0] == "x"
    assert json.loads(texts[1])["user"] == "hub"
    assert len(json.loads(texts[1])["token"]) == 20


def test_the_value_of_an_api_key_is_that_of_its_secret_and_stays_when_the_secret_changes(plane: ControlPlane) -> None:
    template = json.loads(json.dumps(TEMPLATE))
    reference = {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Value"}, ":SecretString:::}}"]]}
    template["Resources"]["Value"] = secret()
    template["Resources"]["Named"] = {
        "Type": "AWS::ApiGateway::ApiKey",
        "Properties": {"Enabled": True, "Value": reference},
        "Metadata": {"aws:cdk:path": "Stack/Door/Consumers/team-a/Key-2026-11"},
    }
    former = deploy(plane, template).api
    (key,) = (each for each in former.keys if each.id == "Named")
    ((arn, value),) = ((arn, value) for arn, value in stored(plane).items() if ":secret:S0-Value-" in arn)
    assert (key.name, key.value) == ("team-a/2026-11", value)
    plane.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="another")
    (key,) = (each for each in read_deployment(plane, ["S0"], former=former).api.keys if each.id == "Named")
    assert key.value == value
