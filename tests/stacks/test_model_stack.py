"""ModelStack: its outputs, its front door and its arguments."""

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from constructs_lib import EngineEndpoint, InstanceType, Model, RoutedModel, Split, VllmEndpoint
from stacks.model_stack import ModelStack
from stacks.monitoring import Monitoring
from stacks.presets import LlamaTgiStack
from stacks.staged import Staged
from tests.constructs_lib.front_door.doubles import served_models


def model_stack(region: str | None = None, **arguments: Any) -> ModelStack:
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


def logical_id(rendered: dict[str, Any], resource_type: str) -> str:
    (found,) = (name for name, each in rendered["Resources"].items() if each["Type"] == f"AWS::{resource_type}")
    return found


def beside_vllm(stack: ModelStack, endpoint: EngineEndpoint) -> RoutedModel:
    model, instance = Model.from_hub("HuggingFaceH4/zephyr-7b-beta"), InstanceType.G5_2XLARGE
    return Split({endpoint: 95, VllmEndpoint(stack, "Vllm", model=model, instance_type=instance): 5})


def test_another_endpoint_can_answer_a_share_for_the_model_of_a_stack() -> None:
    stack = model_stack(route=beside_vllm, monitoring=Monitoring())
    (model,) = served_models(stack).values()
    assert [(each["weight"], each["to"]["target"]) for each in model["split"]] == [
        (95, "Stack/Endpoint"),
        (5, "Stack/Vllm"),
    ]
    alarms = [name for name, each in template(stack)["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert {name.partition("Monitoring")[0] for name in alarms} == {"Endpoint", "Vllm", "FrontDoor"}


def test_the_resources_of_a_ready_made_stack_stay_when_another_endpoint_is_added() -> None:
    before, after = (
        template(LlamaTgiStack(App(), hf_token_secret="hub", route=route))["Resources"] for route in (None, beside_vllm)
    )
    assert before.keys() <= after.keys()
    changed = {before[name]["Type"] for name in before if before[name] != after[name]}
    assert not any(name.startswith("AWS::SageMaker::") for name in changed)


def test_the_outputs_are_the_url_and_how_to_read_the_api_key() -> None:
    rendered = template(model_stack())
    api, key, endpoint = (
        logical_id(rendered, resource_type)
        for resource_type in ("ApiGateway::RestApi", "ApiGateway::ApiKey", "SageMaker::Endpoint")
    )
    values = outputs(rendered)
    assert values["Url"] == f"https://<{api}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod"
    assert values["ApiKeyId"] == f"<{key}>"
    assert values["EndpointName"] == f"<{endpoint}.EndpointName>"
    assert values["ApiKeyCommand"].endswith(f"--api-key <{key}>")
    assert "--region <AWS::Region>" in values["ApiKeyCommand"]


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
    rendered = template(model_stack(region))
    endpoint = logical_id(rendered, "SageMaker::Endpoint")
    api = logical_id(rendered, "ApiGateway::RestApi")
    values = outputs(rendered)
    name = f"<{endpoint}.EndpointName>"
    assert values["EndpointConsole"] == f"https://{host}/sagemaker/home?region={region}#/endpoints/{name}"
    assert values["ApiConsole"] == f"https://{host}/apigateway/main/apis/<{api}>/resources?region={region}"
    assert values["EndpointLogs"] == (
        f"https://{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/"
        f"$252Faws$252Fsagemaker$252FEndpoints$252F{name}"
    )


def test_a_region_without_a_public_console_gets_no_links() -> None:
    assert set(outputs(template(model_stack("us-iso-east-1")))) == {
        "Url",
        "ApiKeyId",
        "ApiKeyCommand",
        "EndpointName",
        "PricePerHour",
    }


def test_an_output_says_what_an_hour_costs_with_what_scales_the_endpoint_at_synthesis() -> None:
    stack = model_stack()
    stack.endpoint.auto_scale(min_instances=1, max_instances=2, request_tokens=2048)
    output = template(stack)["Outputs"]["PricePerHour"]
    assert output["Description"] == "On demand in N. Virginia, without data transfer and logs"
    assert output["Value"] == (
        "1.515 USD at minimum, 3.030 USD at maximum; front door 0.453 USD per hour of 34 open streams of 2048 tokens"
    )


def test_an_instance_type_without_a_published_price_has_no_output_of_it() -> None:
    own = InstanceType.of("ml.g9.2xlarge", accelerator_count=1, memory_gib=48)
    stack = ModelStack(App(), "Stack", name="a", model_id="HuggingFaceH4/zephyr-7b-beta", instance_type=own)
    assert "PricePerHour" not in template(stack)["Outputs"]


def test_in_an_unknown_region_the_template_finds_the_console_or_has_no_links() -> None:
    rendered = template(model_stack())
    links = {name: output for name, output in rendered["Outputs"].items() if "Condition" in output}
    assert set(links) == {"EndpointConsole", "EndpointLogs", "ApiConsole"}
    for output in links.values():
        assert flat(output["Value"]).startswith("https://<AWS::Region>.<ConsoleHosts[<AWS::Partition>].Host>/")
    (condition,) = {output["Condition"] for output in links.values()}
    partitions = [each["Fn::Equals"][1] for each in rendered["Conditions"][condition]["Fn::Or"]]
    assert set(partitions) == set(rendered["Mappings"]["ConsoleHosts"])


def test_the_front_door_serves_the_endpoint_under_the_given_name() -> None:
    stack = model_stack()
    endpoint = logical_id(template(stack), "SageMaker::Endpoint")
    assert served_models(stack) == {
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
            "enable_prefill_logprobs": False,
            "reads_images": False,
        }
    }


def test_the_default_consumer_has_limits_that_keep_the_cost_of_a_leaked_key_low() -> None:
    rendered = template(model_stack())
    plan = rendered["Resources"][logical_id(rendered, "ApiGateway::UsagePlan")]["Properties"]
    assert plan["Throttle"] == {"RateLimit": 10, "BurstLimit": 20}
    assert plan["Quota"] == {"Limit": 300_000, "Period": "MONTH"}


def test_without_a_token_the_template_refers_to_no_secret() -> None:
    text = json.dumps(template(model_stack()))
    assert "HF_TOKEN" not in text
    assert "secretsmanager" not in text


def test_the_revision_and_the_token_reach_the_container() -> None:
    text = json.dumps(template(model_stack(revision="abc123", hf_token_secret="token")))
    assert '"HF_MODEL_REVISION": "abc123"' in text
    assert ":secret:token:SecretString" in text


def test_termination_protection_is_off_by_default() -> None:
    assert model_stack().termination_protection is False
    assert model_stack(termination_protection=True).termination_protection is True


def test_the_description_has_the_model_and_its_instance_type() -> None:
    rendered = template(model_stack())
    assert rendered["Description"] == "HuggingFaceH4/zephyr-7b-beta on ml.g5.2xlarge behind a streaming API"


def test_a_region_without_the_image_is_rejected() -> None:
    with pytest.raises(ValueError, match="mars-north-1"):
        model_stack("mars-north-1")


def test_a_deployment_is_tested_by_default() -> None:
    (test,) = (
        one["Properties"]
        for one in template(model_stack())["Resources"].values()
        if one["Type"] == "Custom::TgiEndpointSmokeTest"
    )
    assert test["Test"]["Models"] == ["mistral"]
    assert "SmokeTest" not in json.dumps(template(model_stack(smoke_test=False)))


def test_a_staged_stack_reads_a_copy_of_its_model_without_a_network() -> None:
    key = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
    staged = Staged(revision="a" * 40, bucket="team-weights", bucket_key=key)
    stack = model_stack("eu-west-1", staged=staged, hf_token_secret="token")
    rendered = template(stack)
    model = rendered["Resources"][logical_id(rendered, "SageMaker::Model")]
    assert model["Properties"]["EnableNetworkIsolation"] is True
    assert model["Properties"]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"] == (
        f"s3://team-weights/models/HuggingFaceH4/zephyr-7b-beta/{'a' * 40}/"
    )
    assert logical_id(rendered, "CloudFormation::WaitCondition") in model["DependsOn"]
    text = json.dumps(rendered)
    assert "SecretString" not in text
    assert text.count(":secret:token-??????") == 1
    assert text.count(f'"{key}"') == 3  # the job, its function and the endpoint


def test_nothing_of_a_stack_changes_that_copies_no_weights() -> None:
    assert not [name for name in template(model_stack())["Resources"] if "Staged" in name]
