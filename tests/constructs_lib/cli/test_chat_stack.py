"""The command chat with a deployed stack: URL and key are read with boto3."""

import io
import json
import sys

import boto3
import pytest
from moto import mock_aws

from constructs_lib.cli.deployed_front_door import find_front_door
from constructs_lib.cli.errors import CommandError
from tests.constructs_lib.cli import published_moto
from tests.constructs_lib.cli.fake_front_door import fake_front_door
from tests.constructs_lib.cli.refusing_aws import refusing_aws

API = {"Api": ("AWS::ApiGateway::RestApi", "a1b2"), "Stage": ("AWS::ApiGateway::Stage", "prod")}
KEYS = {"TeamA": ("AWS::ApiGateway::ApiKey", "key-a"), "TeamB": ("AWS::ApiGateway::ApiKey", "key-b")}


class StackWithoutOutputs:
    """CloudFormation with one stack. moto creates no API keys from templates."""

    def __init__(self, resources, region="us-east-1"):
        self._resources = resources
        self.region, self.boto3 = region, boto3.Session()

    def client(self, service):
        return self

    def describe_stacks(self, StackName):  # noqa: N803
        return {"Stacks": [{}]}

    def get_paginator(self, name):
        return self

    def paginate(self, StackName):  # noqa: N803
        for name, (kind, found) in self._resources.items():
            row = {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": found}
            yield {"StackResourceSummaries": [row]}


@pytest.fixture(autouse=True)
def account(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_REGION", "TGI_ENDPOINT_URL", "TGI_ENDPOINT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    published_moto.restore(monkeypatch)
    with mock_aws():
        yield


@pytest.fixture
def door():
    with fake_front_door() as found:
        yield found


def create_key(name="Default"):
    return boto3.client("apigateway").create_api_key(name=name, enabled=True)["id"]


def value(key_id):
    return boto3.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]


def create_stack(name, **outputs):
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    template = {"Resources": topic, "Outputs": {key: {"Value": each} for key, each in outputs.items()}}
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def test_url_and_key_are_those_of_the_outputs(run, door):
    key_id = create_key()
    create_stack("Chat", Url=f"{door.url}/", ApiKeyId=key_id)
    assert run("chat", "--stack", "Chat", "Hi").out == "Hello world\n"
    assert door.headers[0]["authorization"] == f"Bearer {value(key_id)}"


def test_a_url_and_a_key_that_are_given_count_more(run, door, monkeypatch):
    create_stack("Chat", Url="http://127.0.0.1:1/", ApiKeyId=create_key())
    assert run("chat", "--stack", "Chat", "--url", door.url, "--api-key", "sk-1", "Hi").status == 0
    assert door.headers[0]["authorization"] == "Bearer sk-1"
    # A URL of the environment is another front door's: the key of the stack is not for it.
    monkeypatch.setenv("TGI_ENDPOINT_URL", door.url)
    assert "http://127.0.0.1:1 cannot be reached" in run("chat", "--stack", "Chat", "Hi").err


@pytest.mark.parametrize(("region", "suffix"), [("eu-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")])
def test_a_stack_without_outputs_has_them_in_its_resources(region, suffix):
    found = find_front_door(StackWithoutOutputs({**API, "TeamA": KEYS["TeamA"]}, region), "Own")
    assert (found.url, found.key_id) == (f"https://a1b2.execute-api.{region}.{suffix}/prod", "key-a")


def test_one_of_several_keys_must_be_chosen():
    stack = StackWithoutOutputs({**API, **KEYS})
    with pytest.raises(CommandError) as failed:
        find_front_door(stack, "Own")
    assert str(failed.value.problems[0].message) == "has 2 API keys: key-a (TeamA), key-b (TeamB)"
    assert failed.value.problems[0].fix == "Choose one with --api-key-id."
    assert find_front_door(stack, "Own", key_id="key-b").key_id == "key-b"


def test_several_apis_are_not_guessed_between():
    stack = StackWithoutOutputs({**API, "Other": API["Api"]})
    with pytest.raises(CommandError, match="has 2 APIs with 1 stages"):
        find_front_door(stack, "Own")
    assert find_front_door(stack, "Own", url="http://x").url == "http://x"


def test_a_stack_without_a_key_is_asked_without_one(run, door):
    create_stack("Public", Url=door.url)
    assert run("chat", "--stack", "Public", "Hi").status == 0
    assert "authorization" not in door.headers[0]


def test_what_is_not_there_is_said(run):
    create_stack("Topic")
    for arguments, said in [
        (
            ("--stack", "Nope"),
            "--stack 'Nope': does not exist in us-east-1. aws cloudformation list-stacks names them;",
        ),
        (
            ("--stack", "Topic"),
            "--stack 'Topic': has no front door. Name a stack with one FrontDoor, or give --url and",
        ),
        (
            ("--stack", "Topic", "--api-key-id", "nope", "--url", "http://x/"),
            "AWS does not read the API key nope: NotFound",
        ),
    ]:
        outcome = run("chat", *arguments, "Hi")
        assert outcome.status == 1
        assert said in outcome.err


def test_without_credentials_or_a_region_the_status_is_3(run, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    outcome = run("chat", "--stack", "Chat", "Hi")
    assert (outcome.status, outcome.err[:37]) == (3, "error: --region: there is no Region. ")
    with refusing_aws("ExpiredToken") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        outcome = run("chat", "--stack", "Chat", "--region", "us-east-1", "Hi")
    assert (outcome.status, "the credentials have expired" in outcome.err) == (3, True)


def test_boto3_is_required_for_a_stack_alone(run, door, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    assert run("chat", "--url", door.url, "Hi").status == 0
    outcome = run("chat", "--stack", "Chat", "Hi")
    assert outcome.status == 2
    assert outcome.err == "error: chat --stack: requires boto3. Install it: pip install 'tgi-endpoint-cdk[aws]'.\n"
