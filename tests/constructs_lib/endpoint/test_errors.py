from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def scope(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """One stack for all tests, as a rejected endpoint leaves nothing in it."""
    return Stack(App(outdir=str(tmp_path_factory.mktemp("app"))), "Team")


def rejection(scope: Construct, **arguments: Any) -> ConfigurationError:
    defaults = {"model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), "instance_type": InstanceType.G5_2XLARGE}
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint(scope, "Llm", **(defaults | arguments))
    return raised.value


def keywords(error: ConfigurationError) -> list[str]:
    return [problem.keyword for problem in error.problems]


def test_all_problems_are_raised_together_each_with_its_value_and_fix(scope: Stack) -> None:
    error = rejection(
        scope,
        options=TgiOptions(max_input_tokens=9000, max_total_tokens=4096),
        environment={"API_KEY": "hunter2"},
        instance_count=0,
        security_groups=[],
    )
    message = str(error)
    assert message.startswith("Team/Llm: 4 problems to solve before this can be deployed\n")
    assert "options.max_input_tokens=9000" in message
    assert "max_total_tokens" in message
    assert "environment['API_KEY']" in message
    assert "hunter2" not in message
    assert "instance_count=0" in message
    assert "security_groups=[]: requires vpc. Set vpc as well, or remove security_groups." in message


def test_the_message_has_the_path_of_the_construct(scope: Stack) -> None:
    inner = Construct(scope, "Service")
    assert str(rejection(inner, instance_count=0)).startswith("Team/Service/Llm: 1 problem to solve")


def test_constructs_are_shown_by_their_paths_and_nothing_by_its_address(scope: Stack) -> None:
    weights, imported = s3.Bucket(scope, "Weights"), s3.Bucket.from_bucket_name(scope, "Imported", "imported")
    error = rejection(
        scope, model=weights, role=imported, security_groups=[weights], tags={"a": [weights]}, volume_key=object()
    )
    shown = dict(str(problem).split(": ", 1)[0].split("=", 1) for problem in error.problems)
    assert shown == {
        "model": "(Bucket Team/Weights)",
        "role": "(BucketBase Team/Imported)",
        "security_groups": "[(Bucket Team/Weights)]",
        "security_groups[0]": "(Bucket Team/Weights)",
        "tags['a']": "[(Bucket Team/Weights)]",
        "volume_key": "<object object>",
    }
    assert " at 0x" not in str(error)


def test_a_rejected_endpoint_creates_no_constructs(scope: Stack) -> None:
    rejection(scope, instance_count=0)
    assert scope.node.try_find_child("Llm") is None


def test_a_gated_model_without_a_token_is_rejected(scope: Stack) -> None:
    error = rejection(scope, model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct"))
    assert "gated" in str(error)
    assert "token" in str(error)


def test_network_isolation_with_a_hub_model_is_rejected(scope: Stack) -> None:
    assert keywords(rejection(scope, network_isolation=True)) == ["network_isolation"]


def test_a_region_without_the_image_is_rejected(scope: Stack) -> None:
    moon = Stack(scope, "Moon", env={"region": "moon-east-1"})  # type: ignore[arg-type]
    assert "moon-east-1" in str(rejection(moon))


def test_a_version_without_an_image_is_rejected_with_a_list_of_those_with_one(scope: Stack) -> None:
    error = rejection(scope, image=TgiImage.version("3.3.5"))
    assert "3.3.5" in str(error)
    assert "3.3.6" in str(error)


@pytest.mark.parametrize(
    ("keyword", "arguments", "expected"),
    [
        ("instance_type", {"instance_type": "ml.g5.2xlarge"}, "InstanceType.G5_2XLARGE"),
        ("model", {"model": "Qwen/Qwen2.5-7B-Instruct"}, "Model.from_hub"),
        ("image", {"image": "3.3.6"}, "TgiImage.version"),
        ("options", {"options": {"max_input_tokens": 1}}, "TgiOptions"),
    ],
)
def test_a_string_in_place_of_an_object_is_rejected_with_how_to_create_one(
    scope: Stack, keyword: str, arguments: dict[str, object], expected: str
) -> None:
    error = rejection(scope, **arguments)
    assert keywords(error) == [keyword]
    assert expected in str(error)


@pytest.mark.parametrize(
    "uri",
    [
        "ghcr.io/huggingface/text-generation-inference:3.3.6",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/" + "x" * 256 + ":1",
    ],
)
def test_an_image_that_sagemaker_cannot_pull_is_rejected(scope: Stack, uri: str) -> None:
    error = rejection(scope, image=TgiImage.from_uri(uri, version="3.3.6"))
    assert "must be the URI of an image in a private ECR repository" in str(error)
    assert "Push the image to ECR" in str(error)


def test_the_plan_knows_an_image_by_its_uri_and_by_its_repository(stack: Stack) -> None:
    tag = "2.1.1-tgi1.4.0-gpu-py310-cu121-ubuntu22.04"
    name = "huggingface-pytorch-tgi-inference"
    arn = f"arn:aws:ecr:eu-west-1:763104351884:repository/{name}"
    repository = ecr.Repository.from_repository_arn(stack, "Repository", arn)
    images = (
        TgiImage.from_uri(f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{name}:{tag}", version="1.4.0"),
        TgiImage.from_ecr_repository(repository, tag=tag, version="1.4.0"),
    )
    for image in images:
        message = str(rejection(stack, model=Model.from_hub("tiiuae/falcon-7b"), image=image))
        assert "AWS publishes no such tag; that of TGI 1.4.0 is 2.1.1-tgi1.4.0-gpu-py310-cu121-ubuntu20.04." in message


def test_an_image_uri_known_only_at_deployment_causes_a_warning(stack: Stack) -> None:
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


def test_a_volume_is_rejected_on_an_instance_with_local_storage(scope: Stack) -> None:
    key = kms.Key.from_key_arn(
        scope, "Key", "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    )
    error = rejection(scope, volume_size=Size.gibibytes(100), volume_key=key)
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
def test_durations_and_sizes_that_sagemaker_rejects_are_rejected(
    scope: Stack, keyword: str, arguments: dict[str, object]
) -> None:
    assert keywords(rejection(scope, **arguments)) == [keyword]


def test_a_number_without_a_unit_is_rejected(scope: Stack) -> None:
    error = rejection(scope, startup_timeout=900, volume_size="100", instance_type=InstanceType.G7_2XLARGE)
    assert keywords(error) == ["startup_timeout", "volume_size"]
    assert "startup_timeout=900: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(900)." in str(
        error
    )
    assert "Write Size.gibibytes(…)." in str(error)


def test_more_security_groups_than_sagemaker_allows_are_rejected(scope: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    groups = [ec2.SecurityGroup.from_security_group_id(scope, f"Group{n}", f"sg-{n}") for n in range(6)]
    error = rejection(scope, vpc=vpc, security_groups=groups)
    assert "security_groups='6 groups': must have 1 to 5 groups" in str(error)


def test_planning_loads_without_the_cdk() -> None:
    script = "import sys, constructs_lib.planning.plan; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0


def test_a_token_as_plain_string_is_rejected_without_being_shown(scope: Stack) -> None:
    token: Any = "hf_hunter2"
    message = str(rejection(scope, model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=token)))
    assert "model.token=(not shown): must be a Secrets Manager secret" in message
    assert "hunter2" not in message


def test_a_bucket_name_and_a_prefix_that_is_a_uri_are_reported_together(scope: Stack) -> None:
    bucket: Any = "weights"
    message = str(rejection(scope, model=Model.from_s3(bucket, "s3://weights/llama/")))
    assert (
        "model.bucket='weights': must be a bucket of aws_s3, not str. Give aws_s3.Bucket.from_bucket_name(" in message
    )
    assert "model.prefix='s3://weights/llama/': must be a folder inside the bucket. Give only the folder" in message


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        (
            "models/llama/model.tar.gz",
            (
                "model.prefix='models/llama/model.tar.gz': is a compressed archive, not a folder of uncompressed files."
                " Use Model.from_s3_archive(bucket, 'models/llama/model.tar.gz')."
            ),
        ),
        (
            "/llama.tgz",
            (
                "model.prefix='/llama.tgz': is a compressed archive, not a folder of uncompressed files."
                " Use Model.from_s3_archive(bucket, 'llama.tgz')."
            ),
        ),
        (
            "llama.zip",
            (
                "model.prefix='llama.zip': is a compressed archive, of a kind that SageMaker does not unpack. Upload"
                " its files into a folder, or pack them as model.tar.gz for Model.from_s3_archive."
            ),
        ),
        (
            "llama/model.safetensors",
            (
                "model.prefix='llama/model.safetensors': is a file; SageMaker needs all files of the model."
                " Give 'llama'."
            ),
        ),
    ],
)
def test_a_file_in_place_of_a_folder_is_rejected(scope: Stack, prefix: str, words: str) -> None:
    bucket = s3.Bucket.from_bucket_name(scope, f"Weights-{prefix.replace('/', '-')}", "weights")
    assert words in str(rejection(scope, model=Model.from_s3(bucket, prefix)))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("s3://weights/a.tar.gz", "must be the key of an archive inside the bucket. Give only the key, such as"),
        ("", "must be the key of an archive inside the bucket."),
        ("a.tar", "must end in .tar.gz or .tgz: SageMaker unpacks nothing else. Pack its files as model.tar.gz."),
        ("llama/", "SageMaker unpacks nothing else. For files in a folder use Model.from_s3(bucket, 'llama/')."),
        ("/a.tar.gz", "begins with a slash, which is part of a key. Give 'a.tar.gz'."),
        (5, "model.key=5: must be the key of an archive inside the bucket."),
    ],
)
def test_a_key_that_is_no_archive_is_rejected(scope: Stack, key: Any, words: str) -> None:
    bucket = s3.Bucket.from_bucket_name(scope, f"Archives-{str(key).replace('/', '-')}", "weights")
    assert words in str(rejection(scope, model=Model.from_s3_archive(bucket, key)))


@pytest.mark.parametrize("text", ["a*b", "a?b", "${aws:username}"])
def test_a_location_that_iam_would_read_as_a_wildcard_is_rejected(scope: Stack, text: str) -> None:
    bucket = s3.Bucket.from_bucket_name(scope, f"Wildcards-{ord(text[1])}", "weights")
    words = 'has "*", "?" or "${", with which the role\'s policy would allow other objects too.'
    assert f"model.prefix={text!r}: {words}" in str(rejection(scope, model=Model.from_s3(bucket, text)))
    archive = f"{text}.tar.gz"
    assert f"model.key={archive!r}: {words}" in str(rejection(scope, model=Model.from_s3_archive(bucket, archive)))


def test_a_bucket_name_in_place_of_a_bucket_is_rejected_for_an_archive_too(scope: Stack) -> None:
    bucket: Any = "weights"
    message = str(rejection(scope, model=Model.from_s3_archive(bucket, "model.tar.gz")))
    assert "model.bucket='weights': must be a bucket of aws_s3, not str." in message


def test_a_repository_name_and_a_tag_that_is_not_a_string_are_reported_together(scope: Stack) -> None:
    repository: Any = "tgi"
    tag: Any = 3
    message = str(rejection(scope, image=TgiImage.from_ecr_repository(repository, tag=tag, version="3.3.6")))
    assert "image.repository='tgi': must be a repository of aws_ecr, not str. Give aws_ecr.Repository.from_" in message
    assert "image.tag=3: must be a tag of 1 to 128 letters, digits and . _ -, or a digest. Write" in message


def test_plain_values_in_place_of_cdk_objects_are_reported_together(scope: Stack) -> None:
    error = rejection(
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
    message = str(error)
    assert sorted(keywords(error)) == [
        "environment",
        "role",
        "security_groups[0]",
        "tags",
        "volume_key",
        "vpc",
        "vpc_subnets",
    ]
    assert "vpc='vpc-1': must be a VPC of aws_ec2, not str. Give aws_ec2.Vpc.from_lookup(" in message
    assert (
        "vpc_subnets='private': must be a SubnetSelection of aws_ec2, not str. Write aws_ec2.SubnetSelection("
        in message
    )
    assert (
        "security_groups[0]='sg-1': must be a security group of aws_ec2, not str. Give aws_ec2.SecurityGroup" in message
    )
    assert "volume_key='arn:aws:kms:eu-west-1:123456789012:key/1': must be a key of aws_kms, not str." in message
    assert (
        "role='arn:aws:iam::123456789012:role/own': must be a role of aws_iam, not str. Give aws_iam.Role." in message
    )
    assert "tags=['team']: must be a mapping, not list. Write {'team': 'chat'}." in message
    assert "environment=(not shown): must be a mapping, not list." in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vpc": ec2.Vpc}, "must be a VPC of aws_ec2, not the class Vpc."),
        ({"role": iam.Role}, "must be a role of aws_iam, not the class Role."),
        ({"tags": {"copies": 1}}, "tags['copies']=1: must be a string, not int. Write '1'."),
        ({"tags": {1: "copies"}}, "tags=1: a key must be a string, not int. Give a str."),
        ({"environment": []}, "environment=(not shown): must be a mapping, not list."),
        ({"vpc_subnets": {"one_per_az": True}}, "must be a SubnetSelection of aws_ec2, not dict."),
        (
            {"vpc_subnets": ec2.SubnetSelection(subnets=["subnet-1"])},  # type: ignore[list-item]
            "vpc_subnets.subnets[0]='subnet-1': must be a subnet of aws_ec2, not str.",
        ),
        ({"security_groups": "sg-1"}, "must be a list whose every item is a security group of aws_ec2, not str. Give"),
        ({"image": TgiImage.from_uri(5, version="3.3.6")}, "image=5: must be the URI of an image"),  # type: ignore[arg-type]
    ],
)
def test_a_value_of_the_wrong_type_is_rejected(scope: Stack, arguments: dict[str, object], message: str) -> None:
    assert message in str(rejection(scope, **arguments))


def test_one_security_group_without_a_list_is_rejected_with_the_brackets_to_add(scope: Stack) -> None:
    group = ec2.SecurityGroup.from_security_group_id(scope, "OneGroup", "sg-1")
    message = str(rejection(scope, security_groups=group))
    assert "must be a list whose every item is a security group of aws_ec2, not " in message
    assert "Put it in a list: […]." in message
