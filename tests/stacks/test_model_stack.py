"""ModelStack: what it offers to the person who deploys it."""

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from constructs_lib import InstanceType
from stacks.model_stack import ModelStack


def made(region: str | None = None, **arguments: Any) -> ModelStack:
    env = Environment(account="111122223333", region=region) if region else None
    return ModelStack(
        App(),
        "Stack",
        name="mistral",
        model_id="HuggingFaceH4/zephyr-7b-beta",
        instance_type=InstanceType.G5_2XLARGE,
        env=env,
        **arguments,
    )


def template(stack: Stack) -> dict[str, Any]:
    rendered: dict[str, Any] = stack.node.root.synth().get_stack_by_name(stack.stack_name).template
    return rendered


def flat(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::FindInMap": [name, key, second]}:
            return f"<{name}[{flat(key)}].{second}>"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(flat(part) for part in parts)
    raise AssertionError(value)


def outputs(rendered: dict[str, Any]) -> dict[str, str]:
    return {name: flat(output["Value"]) for name, output in rendered["Outputs"].items()}


def logical_id(rendered: dict[str, Any], kind: str) -> str:
    (found,) = (name for name, each in rendered["Resources"].items() if each["Type"] == f"AWS::{kind}")
    return found


def test_the_outputs_say_where_the_api_is_and_how_to_read_its_key() -> None:
    rendered = template(made())
    api, key, endpoint = (
        logical_id(rendered, kind) for kind in ("ApiGateway::RestApi", "ApiGateway::ApiKey", "SageMaker::Endpoint")
    )
    said = outputs(rendered)
    assert said["Url"] == f"https://<{api}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod"
    assert said["ApiKeyId"] == f"<{key}>"
    assert said["EndpointName"] == f"<{endpoint}.EndpointName>"
    assert said["ApiKeyCommand"].endswith(f"--api-key <{key}>")
    assert "--region <AWS::Region>" in said["ApiKeyCommand"]


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ],
)
def test_the_console_links_follow_the_partition_of_the_region(region: str, host: str) -> None:
    rendered = template(made(region))
    endpoint = logical_id(rendered, "SageMaker::Endpoint")
    api = logical_id(rendered, "ApiGateway::RestApi")
    said = outputs(rendered)
    name = f"<{endpoint}.EndpointName>"
    assert said["EndpointConsole"] == f"https://{host}/sagemaker/home?region={region}#/endpoints/{name}"
    assert said["ApiConsole"] == f"https://{host}/apigateway/main/apis/<{api}>/resources?region={region}"
    assert said["EndpointLogs"] == (
        f"https://{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/"
        f"$252Faws$252Fsagemaker$252FEndpoints$252F{name}"
    )


def test_a_region_without_a_public_console_gets_no_links() -> None:
    assert set(outputs(template(made("us-iso-east-1")))) == {"Url", "ApiKeyId", "ApiKeyCommand", "EndpointName"}


def test_an_open_region_finds_its_console_at_deployment_or_has_no_links() -> None:
    rendered = template(made())
    links = {name: output for name, output in rendered["Outputs"].items() if "Condition" in output}
    assert set(links) == {"EndpointConsole", "EndpointLogs", "ApiConsole"}
    for output in links.values():
        assert flat(output["Value"]).startswith("https://<AWS::Region>.<ConsoleHosts[<AWS::Partition>].Host>/")
    (condition,) = {output["Condition"] for output in links.values()}
    partitions = [each["Fn::Equals"][1] for each in rendered["Conditions"][condition]["Fn::Or"]]
    assert set(partitions) == set(rendered["Mappings"]["ConsoleHosts"])


def test_the_front_door_serves_the_stacks_own_endpoint_under_the_given_name() -> None:
    rendered = template(made())
    endpoint = logical_id(rendered, "SageMaker::Endpoint")
    (function,) = (
        each["Properties"]
        for each in rendered["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function" and each["Properties"]["Handler"].startswith("front_door")
    )
    assert json.loads(flat(function["Environment"]["Variables"]["MODELS"])) == {
        "mistral": {
            "endpoint_name": f"<{endpoint}.EndpointName>",
            "engine": "tgi",
            "model_id": "HuggingFaceH4/zephyr-7b-beta",
            "max_body_bytes": 6291456,
            "version": "3.3.6",
            "max_concurrent_requests": 128,
            "max_best_of": 2,
            "max_stop_sequences": 4,
            "max_top_n_tokens": 5,
            "max_client_batch_size": 4,
        }
    }


def test_the_first_consumer_has_a_key_of_which_a_leak_would_not_be_dear() -> None:
    rendered = template(made())
    plan = rendered["Resources"][logical_id(rendered, "ApiGateway::UsagePlan")]["Properties"]
    assert plan["Throttle"] == {"RateLimit": 10, "BurstLimit": 20}
    assert plan["Quota"] == {"Limit": 300_000, "Period": "MONTH"}


def test_a_model_without_a_token_has_none() -> None:
    text = json.dumps(template(made()))
    assert "HF_TOKEN" not in text
    assert "secretsmanager" not in text


def test_the_revision_and_the_token_reach_the_container() -> None:
    text = json.dumps(template(made(revision="abc123", hf_token_secret="token")))
    assert '"HF_MODEL_REVISION": "abc123"' in text
    assert ":secret:token:SecretString" in text


def test_deletion_is_not_prevented_unless_asked_for() -> None:
    assert made().termination_protection is False
    assert made(termination_protection=True).termination_protection is True


def test_the_description_says_what_it_serves_on_what() -> None:
    rendered = template(made())
    assert rendered["Description"] == "HuggingFaceH4/zephyr-7b-beta on ml.g5.2xlarge behind a streaming API"


def test_a_region_without_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="mars-north-1"):
        made("mars-north-1")
