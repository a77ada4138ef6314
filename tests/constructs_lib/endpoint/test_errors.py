from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def scope(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """One stack for all refusals, as a refused endpoint leaves nothing in it."""
    return Stack(App(outdir=str(tmp_path_factory.mktemp("app"))), "Team")


def refusal(scope: Construct, **arguments: Any) -> ConfigurationError:
    defaults = {"model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), "instance_type": InstanceType.G5_2XLARGE}
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint(scope, "Llm", **(defaults | arguments))
    return raised.value


def keywords(error: ConfigurationError) -> list[str]:
    return [problem.keyword for problem in error.problems]


def test_all_problems_are_raised_together_each_with_its_value_and_what_to_change(scope: Stack) -> None:
    error = refusal(
        scope,
        options=TgiOptions(max_input_tokens=9000, max_total_tokens=4096),
        environment={"API_KEY": "hunter2"},
        instance_count=0,
        security_groups=[],
    )
    said = str(error)
    assert said.startswith("Team/Llm: 4 problems to solve before this can be deployed\n")
    assert "options.max_input_tokens=9000" in said
    assert "max_total_tokens" in said
    assert "environment['API_KEY']" in said
    assert "hunter2" not in said
    assert "instance_count=0" in said
    assert "security_groups=[]: has no meaning without vpc. Give the vpc as well, or leave security_groups out." in said


def test_the_message_names_the_construct_by_its_path(scope: Stack) -> None:
    inner = Construct(scope, "Service")
    assert str(refusal(inner, instance_count=0)).startswith("Team/Service/Llm: 1 problem to solve")


def test_a_refused_endpoint_leaves_nothing_behind(scope: Stack) -> None:
    refusal(scope, instance_count=0)
    assert scope.node.try_find_child("Llm") is None


def test_a_gated_model_without_a_token_is_refused(scope: Stack) -> None:
    error = refusal(scope, model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct"))
    assert "gated" in str(error)
    assert "token" in str(error)


def test_network_isolation_with_a_hub_model_is_refused(scope: Stack) -> None:
    assert keywords(refusal(scope, network_isolation=True)) == ["network_isolation"]


def test_a_region_without_the_image_is_refused(scope: Stack) -> None:
    moon = Stack(scope, "Moon", env={"region": "moon-east-1"})  # type: ignore[arg-type]
    assert "moon-east-1" in str(refusal(moon))


def test_a_version_that_has_no_image_is_refused_with_those_that_have(scope: Stack) -> None:
    error = refusal(scope, image=TgiImage.version("3.3.5"))
    assert "3.3.5" in str(error)
    assert "3.3.6" in str(error)


@pytest.mark.parametrize(
    ("keyword", "arguments", "wanted"),
    [
        ("instance_type", {"instance_type": "ml.g5.2xlarge"}, "InstanceType.G5_2XLARGE"),
        ("model", {"model": "Qwen/Qwen2.5-7B-Instruct"}, "Model.from_hub"),
        ("image", {"image": "3.3.6"}, "TgiImage.version"),
        ("options", {"options": {"max_input_tokens": 1}}, "TgiOptions"),
    ],
)
def test_a_text_where_an_object_belongs_is_refused_with_the_way_to_make_one(
    scope: Stack, keyword: str, arguments: dict[str, object], wanted: str
) -> None:
    error = refusal(scope, **arguments)
    assert keywords(error) == [keyword]
    assert wanted in str(error)


@pytest.mark.parametrize(
    "uri",
    [
        "ghcr.io/huggingface/text-generation-inference:3.3.6",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/" + "x" * 256 + ":1",
    ],
)
def test_an_image_that_sagemaker_cannot_pull_is_refused(scope: Stack, uri: str) -> None:
    error = refusal(scope, image=TgiImage.from_uri(uri, version="3.3.6"))
    assert "is not the URI of an image in a private ECR repository" in str(error)
    assert "Push the image to ECR" in str(error)


def test_an_image_uri_that_is_known_at_deployment_only_brings_a_warning(stack: Stack) -> None:
    uri = CfnParameter(stack, "Image").value_as_string
    endpoint = TgiEndpoint(
        stack,
        "Llm",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.from_uri(uri, version="3.3.6"),
    )
    warnings = [entry.data for entry in endpoint.node.metadata if entry.type == "aws:cdk:warning"]
    assert any("tgi-endpoint:imagePermissionUnknown" in warning for warning in warnings)


def test_a_volume_is_refused_on_an_instance_with_local_storage(scope: Stack) -> None:
    key = kms.Key.from_key_arn(
        scope, "Key", "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    )
    error = refusal(scope, volume_size=Size.gibibytes(100), volume_key=key)
    assert keywords(error) == ["volume_size", "volume_key"]


@pytest.mark.parametrize(
    ("keyword", "arguments"),
    [
        ("startup_timeout", {"startup_timeout": Duration.seconds(59)}),
        ("startup_timeout", {"startup_timeout": Duration.hours(2)}),
        ("startup_timeout", {"startup_timeout": Duration.millis(90_500)}),
        ("volume_size", {"volume_size": Size.mebibytes(1500), "instance_type": InstanceType.G7_2XLARGE}),
    ],
)
def test_times_and_sizes_that_sagemaker_does_not_take_are_refused(
    scope: Stack, keyword: str, arguments: dict[str, object]
) -> None:
    assert keywords(refusal(scope, **arguments)) == [keyword]


def test_a_plain_number_is_refused_where_the_unit_matters(scope: Stack) -> None:
    error = refusal(scope, startup_timeout=900, volume_size="100", instance_type=InstanceType.G7_2XLARGE)
    assert keywords(error) == ["startup_timeout", "volume_size"]
    assert (
        "startup_timeout=900: must be a Duration of aws_cdk, which says its unit. Write Duration.seconds(900)."
        in str(error)
    )
    assert "Write Size.gibibytes(…)." in str(error)


def test_more_security_groups_than_sagemaker_takes_are_refused(scope: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    groups = [ec2.SecurityGroup.from_security_group_id(scope, f"Group{n}", f"sg-{n}") for n in range(6)]
    error = refusal(scope, vpc=vpc, security_groups=groups)
    assert "security_groups='6 groups': must have 1 to 5 groups" in str(error)


def test_planning_loads_without_the_cdk() -> None:
    script = "import sys, constructs_lib.planning.plan; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0


def test_a_token_as_text_is_refused_without_showing_it(scope: Stack) -> None:
    token: Any = "hf_hunter2"
    said = str(refusal(scope, model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=token)))
    assert "model.token=(not shown): must be a Secrets Manager secret" in said
    assert "hunter2" not in said


def test_a_bucket_by_its_name_and_a_prefix_that_is_a_uri_are_refused_together(scope: Stack) -> None:
    bucket: Any = "weights"
    said = str(refusal(scope, model=Model.from_s3(bucket, "s3://weights/llama/")))
    assert "model.bucket='weights': must be a bucket of aws_s3, not str. Give aws_s3.Bucket.from_bucket_name(" in said
    assert "model.prefix='s3://weights/llama/': must be a folder inside the bucket. Give the folder alone" in said


def test_a_repository_by_its_name_and_a_tag_that_is_no_text_are_refused_together(scope: Stack) -> None:
    repository: Any = "tgi"
    tag: Any = 3
    said = str(refusal(scope, image=TgiImage.from_ecr_repository(repository, tag=tag, version="3.3.6")))
    assert "image.repository='tgi': must be a repository of aws_ecr, not str. Give aws_ecr.Repository.from_" in said
    assert "image.tag=3: must be text, not int." in said


def test_plain_values_where_the_cdk_has_objects_are_refused_together(scope: Stack) -> None:
    error = refusal(
        scope,
        instance_type=InstanceType.G7_2XLARGE,
        vpc="vpc-1",
        vpc_subnets="private",
        security_groups=["sg-1"],
        volume_key="arn:aws:kms:eu-west-1:123456789012:key/1",
        role="arn:aws:iam::123456789012:role/own",
        tags=["team"],
        environment=["HF_TOKEN=hunter2"],
    )
    said = str(error)
    assert sorted(keywords(error)) == [
        "environment",
        "role",
        "security_groups[0]",
        "tags",
        "volume_key",
        "vpc",
        "vpc_subnets",
    ]
    assert "vpc='vpc-1': must be a VPC of aws_ec2, not str. Give aws_ec2.Vpc.from_lookup(" in said
    assert (
        "vpc_subnets='private': must be a SubnetSelection of aws_ec2, not str. Write aws_ec2.SubnetSelection(" in said
    )
    assert "security_groups[0]='sg-1': must be a security group of aws_ec2, not str. Give aws_ec2.SecurityGroup" in said
    assert "volume_key='arn:aws:kms:eu-west-1:123456789012:key/1': must be a key of aws_kms, not str." in said
    assert "role='arn:aws:iam::123456789012:role/own': must be a role of aws_iam, not str. Give aws_iam.Role." in said
    assert "tags=['team']: must be a mapping, not list. Write {'team': 'chat'}." in said
    assert "environment=(not shown): must be a mapping, not list." in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"vpc": ec2.Vpc}, "must be a VPC of aws_ec2, not the class Vpc."),
        ({"role": iam.Role}, "must be a role of aws_iam, not the class Role."),
        ({"tags": {"copies": 1}}, "tags['copies']=1: must be text, not int. Write '1'."),
        ({"tags": {1: "copies"}}, "tags=1: a key must be text, not int. Give a str."),
        ({"environment": []}, "environment=(not shown): must be a mapping, not list."),
        ({"vpc_subnets": {"one_per_az": True}}, "must be a SubnetSelection of aws_ec2, not dict."),
        (
            {"vpc_subnets": ec2.SubnetSelection(subnets=["subnet-1"])},  # type: ignore[list-item]
            "vpc_subnets.subnets[0]='subnet-1': must be a subnet of aws_ec2, not str.",
        ),
        ({"security_groups": "sg-1"}, "must be a list of which each is a security group of aws_ec2, not str. Give"),
        ({"image": TgiImage.from_uri(5, version="3.3.6")}, "image=5: is not the URI"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_kind_is_refused_in_words(scope: Stack, arguments: dict[str, object], words: str) -> None:
    assert words in str(refusal(scope, **arguments))


def test_one_security_group_without_a_list_is_refused_with_the_brackets_to_add(scope: Stack) -> None:
    group = ec2.SecurityGroup.from_security_group_id(scope, "OneGroup", "sg-1")
    said = str(refusal(scope, security_groups=group))
    assert "must be a list of which each is a security group of aws_ec2, not " in said
    assert "Put it into a list: […]." in said
