from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Aws, CfnParameter, Duration, Environment, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import InstanceType, Model, Quantization, ScaleToZero, TgiEndpoint, TgiImage, TgiOptions
from constructs_lib.planning.engines.tgi.engine import TGI
from tests.constructs_lib.rendered import (
    CONFIG,
    ENDPOINT,
    MODEL,
    Json,
    container,
    only,
    properties,
    resources,
    template_of,
    text,
    variant,
)

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
QWEN = "Qwen/Qwen2.5-7B-Instruct"


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A gated hub model with default arguments, in a known Region."""
    app = App(outdir=str(tmp_path_factory.mktemp("llama")))
    stack = Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "team/hub-token")
    TgiEndpoint(stack, "Llama", model=Model.from_hub(LLAMA, token=token), instance_type=InstanceType.G5_2XLARGE)
    return template_of(stack)


@pytest.fixture(scope="module")
def own_weights(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """Weights in S3, with every argument of an endpoint."""
    app = App(outdir=str(tmp_path_factory.mktemp("own")))
    stack = Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))
    TgiEndpoint(
        stack,
        "Own",
        model=Model.from_s3(s3.Bucket.from_bucket_name(stack, "Weights", "team-weights"), "/llama/v7"),
        instance_type=InstanceType.G7_2XLARGE,
        image=TgiImage.version("3.2.3"),
        options=TgiOptions(quantize=Quantization.FP8, max_input_tokens=1000, max_total_tokens=2000),
        instance_count=2,
        environment={"TEAM_SETTING": "on"},
        startup_timeout=Duration.minutes(20),
        model_download_timeout=Duration.minutes(15),
        volume_size=Size.gibibytes(200),
        volume_key=kms.Key.from_key_arn(
            stack, "Key", "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
        ),
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-west-1a"],
            private_subnet_ids=["subnet-0123456789abcdef0"],
        ),
        network_isolation=True,
        inference_ami_version="al2-ami-sagemaker-inference-gpu-3-1",
        variant_name="Blue",
        endpoint_name="Team-Llama",
        tags={"cost-centre": "42"},
    )
    return template_of(stack)


def test_the_endpoint_runs_the_newest_image_of_aws_in_its_region(llama: Json) -> None:
    assert container(llama)["Image"] == (
        "763104351884.dkr.ecr.eu-west-1.amazonaws.com/"
        "huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
    )


def test_the_model_is_downloaded_from_the_hub_and_sharded_over_all_gpus(llama: Json) -> None:
    assert container(llama)["Environment"]["HF_MODEL_ID"] == LLAMA
    assert container(llama)["Environment"]["SM_NUM_GPUS"] == "1"
    assert "ModelDataSource" not in container(llama)


def test_the_hub_token_is_a_reference_that_cloudformation_resolves(llama: Json) -> None:
    reference = (
        "{{resolve:secretsmanager:arn:<AWS::Partition>:secretsmanager:eu-west-1:123456789012:"
        "secret:team/hub-token:SecretString:::}}"
    )
    environment = container(llama)["Environment"]
    assert text(environment["HF_TOKEN"]) == text(environment["HUGGING_FACE_HUB_TOKEN"]) == reference


def test_model_and_config_have_no_names_so_that_every_change_can_replace_them(llama: Json, own_weights: Json) -> None:
    for template in (llama, own_weights):
        assert "ModelName" not in properties(template, MODEL)
        assert "EndpointConfigName" not in properties(template, CONFIG)


def test_an_update_keeps_the_endpoint_and_applies_all_that_the_config_says(llama: Json) -> None:
    assert properties(llama, ENDPOINT) == {
        "EndpointConfigName": {"Fn::GetAtt": [next(iter(resources(llama, CONFIG))), "EndpointConfigName"]},
    }


def test_requests_are_routed_to_the_instance_with_the_fewest_outstanding(llama: Json) -> None:
    assert variant(llama)["RoutingConfig"] == {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}


def test_the_variant_has_one_instance_the_driver_for_its_image_and_time_to_load(llama: Json) -> None:
    given = variant(llama)
    assert (given["VariantName"], given["InstanceType"], given["InitialInstanceCount"]) == (
        "AllTraffic",
        "ml.g5.2xlarge",
        1,
    )
    assert given["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-3-1"
    assert 600 <= given["ContainerStartupHealthCheckTimeoutInSeconds"] <= 3600
    assert "VolumeSizeInGB" not in given
    assert "KmsKeyId" not in properties(llama, CONFIG)


def test_weights_in_s3_are_mounted_and_read_offline(own_weights: Json) -> None:
    assert container(own_weights)["ModelDataSource"] == {
        "S3DataSource": {
            "S3Uri": "s3://team-weights/llama/v7/",
            "S3DataType": "S3Prefix",
            "CompressionType": "None",
        }
    }
    environment = container(own_weights)["Environment"]
    assert environment["HF_MODEL_ID"] == "/opt/ml/model"
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert "HF_TOKEN" not in environment


def test_a_network_isolated_model_neither_contacts_the_hub_nor_sends_usage_statistics(own_weights: Json) -> None:
    assert properties(own_weights, MODEL)["EnableNetworkIsolation"] is True
    environment = container(own_weights)["Environment"]
    assert environment["USAGE_STATS"] == "off"
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert "HF_MODEL_REVISION" not in environment


def test_options_and_further_variables_reach_the_container(own_weights: Json) -> None:
    environment = container(own_weights)["Environment"]
    assert environment["HF_MODEL_QUANTIZE"] == "fp8"
    assert (environment["MAX_INPUT_TOKENS"], environment["MAX_TOTAL_TOKENS"]) == ("1000", "2000")
    assert environment["TEAM_SETTING"] == "on"


def test_the_arguments_about_hardware_are_rendered(own_weights: Json) -> None:
    assert "tgi3.2.3" in container(own_weights)["Image"]
    given = variant(own_weights)
    assert (given["VariantName"], given["InitialInstanceCount"], given["VolumeSizeInGB"]) == ("Blue", 2, 200)
    assert given["ContainerStartupHealthCheckTimeoutInSeconds"] == 1200
    assert given["ModelDataDownloadTimeoutInSeconds"] == 900
    assert (
        properties(own_weights, CONFIG)["KmsKeyId"]
        == "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    )
    assert properties(own_weights, ENDPOINT)["EndpointName"] == "Team-Llama"


def test_in_a_vpc_the_containers_get_private_subnets_and_a_group_without_inbound_rules(own_weights: Json) -> None:
    (group, rules), *others = resources(own_weights, "AWS::EC2::SecurityGroup").items()
    assert others == []
    assert properties(own_weights, MODEL)["VpcConfig"] == {
        "Subnets": ["subnet-0123456789abcdef0"],
        "SecurityGroupIds": [{"Fn::GetAtt": [group, "GroupId"]}],
    }
    assert "SecurityGroupIngress" not in rules["Properties"]


def test_tags_are_on_every_resource_of_the_endpoint(own_weights: Json) -> None:
    for resource_type in (MODEL, CONFIG, ENDPOINT, "AWS::IAM::Role", "AWS::EC2::SecurityGroup"):
        assert {"Key": "cost-centre", "Value": "42"} in properties(own_weights, resource_type)["Tags"]


def test_in_an_unknown_region_the_template_finds_the_image_by_a_mapping(tmp_path: Path) -> None:
    stack = Stack(App(outdir=str(tmp_path)), "Anywhere")
    for name in ("One", "Other"):
        TgiEndpoint(stack, name, model=Model.from_hub(QWEN), instance_type=InstanceType.G5_2XLARGE)
    template = template_of(stack)
    ((name, accounts),) = template["Mappings"].items()
    assert sorted(accounts) == sorted(TGI.images.regions(TGI.images.newest))
    assert len(accounts) == 45
    assert accounts["cn-north-1"] == {"Account": "727897471807"}
    for model in resources(template, MODEL).values():
        assert text(model["Properties"]["PrimaryContainer"]["Image"]) == (
            f"<{name}[<AWS::Region>].Account>.dkr.ecr.<AWS::Region>.<AWS::URLSuffix>/"
            "huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
        )


@pytest.mark.parametrize(
    ("region", "registry"),
    [
        ("cn-northwest-1", "727897471807.dkr.ecr.cn-northwest-1.amazonaws.com.cn"),
        ("us-gov-west-1", "442386744353.dkr.ecr.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "204133271717.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_the_image_is_from_the_account_and_partition_of_the_region(app: App, region: str, registry: str) -> None:
    stack = Stack(app, "There", env=Environment(region=region))
    TgiEndpoint(stack, "Qwen", model=Model.from_hub(QWEN), instance_type=InstanceType.G5_2XLARGE)
    assert container(template_of(stack))["Image"].startswith(f"{registry}/huggingface-pytorch-tgi-inference:")


def test_a_custom_image_is_given_by_its_repository_or_uri(stack: Stack) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Repository", "team/tgi")
    uri = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shared/tgi@sha256:" + "0" * 64
    images = {
        "Repo": TgiImage.from_ecr_repository(repository, tag="patched", version="3.3.4"),
        "Uri": TgiImage.from_uri(uri, version="3.3.4"),
    }
    for name, image in images.items():
        TgiEndpoint(stack, name, model=Model.from_hub(QWEN), instance_type=InstanceType.G5_2XLARGE, image=image)
    rendered = [
        model["Properties"]["PrimaryContainer"]["Image"] for model in resources(template_of(stack), MODEL).values()
    ]
    assert text(rendered[0]) == "123456789012.dkr.ecr.eu-west-1.<AWS::URLSuffix>/team/tgi:patched"
    assert rendered[1] == uri


def test_a_change_of_the_model_replaces_model_and_config_and_updates_the_same_endpoint(tmp_path: Path) -> None:
    def deployed(hub_id: str, instance: InstanceType) -> Json:
        stack = Stack(App(outdir=str(tmp_path / hub_id)), "Team")
        TgiEndpoint(stack, "Chat", model=Model.from_hub(hub_id), instance_type=instance)
        return template_of(stack)

    before, after = deployed(QWEN, InstanceType.G5_2XLARGE), deployed("tiiuae/falcon-7b", InstanceType.G6_2XLARGE)
    assert before["Resources"].keys() == after["Resources"].keys()
    changed = {resource["Type"] for key, resource in before["Resources"].items() if resource != after["Resources"][key]}
    # References follow a replaced resource, so the endpoint itself is unchanged.
    assert changed == {MODEL, CONFIG}


def test_logical_ids_are_stable_as_a_changed_one_would_replace_what_runs(llama: Json) -> None:
    assert {key: resource["Type"] for key, resource in llama["Resources"].items()} == {
        "LlamaRole9C4EA5ED": "AWS::IAM::Role",
        "LlamaPolicy410593B2": "AWS::IAM::Policy",
        "LlamaModel9D1E128B": "AWS::SageMaker::Model",
        "LlamaEndpointConfigF661F09A": "AWS::SageMaker::EndpointConfig",
        "Llama4E7FDFEC": "AWS::SageMaker::Endpoint",
    }


def test_a_warning_of_the_plan_can_be_acknowledged(stack: Stack) -> None:
    endpoint = TgiEndpoint(stack, "New", model=Model.from_hub(QWEN), instance_type=InstanceType.G7_2XLARGE)
    warnings = [entry.data for entry in endpoint.node.metadata if entry.type == "aws:cdk:warning"]
    assert any("[ack: tgi-endpoint:blackwellUntested]" in warning for warning in warnings)


def test_values_known_only_at_deployment_are_rendered_without_being_checked(stack: Stack) -> None:
    hub_id = CfnParameter(stack, "HubId").value_as_string
    count = CfnParameter(stack, "Count", type="Number").value_as_number
    timeout = CfnParameter(stack, "Timeout", type="Number").value_as_number
    limit = CfnParameter(stack, "Limit", type="Number").value_as_number
    TgiEndpoint(
        stack,
        "Late",
        model=Model.from_hub(hub_id),
        instance_type=InstanceType.G5_2XLARGE,
        instance_count=count,  # type: ignore[arg-type]  # the CDK's numbers are floats
        startup_timeout=Duration.seconds(timeout),
        options=TgiOptions(max_concurrent_requests=limit),  # type: ignore[arg-type]
        environment={"WHERE": Aws.REGION},
        endpoint_name=CfnParameter(stack, "Name").value_as_string,
    )
    template = template_of(stack)
    assert text(container(template)["Environment"]["HF_MODEL_ID"]) == "<HubId>"
    assert text(container(template)["Environment"]["MAX_CONCURRENT_REQUESTS"]) == "<Limit>"
    assert text(container(template)["Environment"]["WHERE"]) == "<AWS::Region>"
    assert variant(template)["InitialInstanceCount"] == {"Ref": "Count"}
    assert variant(template)["ContainerStartupHealthCheckTimeoutInSeconds"] == {"Ref": "Timeout"}
    assert properties(template, ENDPOINT)["EndpointName"] == {"Ref": "Name"}


def test_what_scales_the_endpoint_tells_it_its_capacity(stack: Stack) -> None:
    endpoint = TgiEndpoint(
        stack,
        "Scaled",
        model=Model.from_hub("tiiuae/falcon-7b"),
        instance_type=InstanceType.G5_2XLARGE,
        instance_count=2,
    )
    assert (endpoint.capacity.min_instances, endpoint.capacity.max_instances) == (2, 2)
    endpoint.set_capacity_range(0, 4)
    assert (endpoint.capacity.min_instances, endpoint.capacity.max_instances) == (0, 4)
    most = CfnParameter(stack, "Most", type="Number").value_as_number
    endpoint.set_capacity_range(1, most)  # type: ignore[arg-type]  # the CDK's numbers are floats
    assert (endpoint.capacity.min_instances, endpoint.capacity.max_instances) == (1, None)


def test_scaling_to_zero_tells_the_endpoint_its_capacity(stack: Stack) -> None:
    endpoint = TgiEndpoint(
        stack,
        "Zero",
        model=Model.from_hub("tiiuae/falcon-7b"),
        instance_type=InstanceType.G5_12XLARGE,
        options=TgiOptions(num_shard=1),
        scale_to_zero=ScaleToZero(max_copies=6, request_tokens=2000),
    )
    found = endpoint.capacity
    assert (found.min_instances, found.max_instances) == (0, 2)
    assert (found.max_copies, found.request_tokens) == (6, 2000)


def test_the_model_depends_on_the_policy_that_sagemaker_checks(llama: Json) -> None:
    assert only(llama, MODEL)["DependsOn"] == ["LlamaPolicy410593B2"]


def test_the_template_has_only_a_reference_to_the_token(llama: Json) -> None:
    assert json.dumps(llama).count("SecretString") == 2
