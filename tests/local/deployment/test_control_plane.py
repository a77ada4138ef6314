"""The control plane, moto's patches, and placeholder secrets."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local.deployment.control_plane import ACCOUNT, ControlPlane
from local.deployment.moto_patches import instance_types
from local.deployment.prerequisites import PLACEHOLDER, create_buckets, create_secrets
from tests.local.deployment.deployments import create

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def create_config(plane: ControlPlane, instance_type: str) -> None:
    sagemaker = plane.client("sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn="arn:aws:iam::1:role/r")
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": instance_type, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])


def test_the_url_contains_localhost_for_moto(plane: ControlPlane) -> None:
    assert plane.url.startswith("http://localhost:")
    assert plane.client("sts").get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize("instance_type", ["ml.g5.2xlarge", "ml.g6e.48xlarge", "ml.p5.48xlarge"])
def test_instance_types_that_moto_lacks_are_accepted(plane: ControlPlane, instance_type: str) -> None:
    assert instance_type in instance_types()
    create_config(plane, instance_type)


def test_an_unknown_instance_type_is_rejected(plane: ControlPlane) -> None:
    with pytest.raises(ClientError, match=r"Value 'ml.g5.3xlarge' at 'instanceType' failed to satisfy constraint"):
        create_config(plane, "ml.g5.3xlarge")


def test_a_new_control_plane_is_empty() -> None:
    for _ in range(2):
        with ControlPlane() as plane:
            assert plane.client("s3").list_buckets()["Buckets"] == []
            plane.client("s3").create_bucket(Bucket="assets")


def test_cloudtrail_knows_nothing_of_a_failed_deployment_when_the_cdk_cli_asks(plane: ControlPlane) -> None:
    assert plane.client("cloudtrail").lookup_events()["Events"] == []


def test_the_profile_of_the_user_is_ignored(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    assert plane.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_placeholder_secrets_have_the_name_and_json_keys_of_the_references(plane: ControlPlane) -> None:
    values = [
        "{{resolve:secretsmanager:plain:SecretString:::}}",
        {
            "Fn::Join": [
                "",
                ["{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:keyed", ":SecretString:a::}}"],
            ]
        },
    ]
    body = {"Resources": {"M": {"Type": "AWS::SageMaker::Model", "Properties": {"Environment": values}}}}
    assert create_secrets(plane, {"S": body}) == ["keyed", "plain"]
    read = plane.client("secretsmanager").get_secret_value
    assert read(SecretId="plain")["SecretString"] == "placeholder-of-the-emulated-cloud"
    assert read(SecretId="keyed")["SecretString"] == '{"a": "placeholder-of-the-emulated-cloud"}'


def test_what_a_build_stages_weights_with_has_placeholders_too(plane: ControlPlane) -> None:
    def project(bucket: object, secret: str | None) -> dict[str, object]:
        request = {"repository": "a/b", "bucket": "B", "token_secret": secret}
        head, tail = json.dumps(request).split("B")
        value = {"Fn::Join": ["", [head, bucket, tail]]}
        environment = {"EnvironmentVariables": [{"Name": "STAGING_REQUEST", "Value": value}]}
        return {"Type": "AWS::CodeBuild::Project", "Properties": {"Environment": environment}}

    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:hub"
    resources = {
        "Given": project("given", arn),
        "Own": project({"Ref": "Bucket"}, None),
        "Named": project("own-name", None),
        "Other": project({"Fn::ImportValue": "Weights:Name"}, None),
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "own-name"}},
    }
    assert create_secrets(plane, {"S": {"Resources": resources}}) == ["hub"]
    assert plane.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"] == PLACEHOLDER
    assert create_buckets(plane, {"S": {"Resources": resources}}) == ["given"]
    assert [one["Name"] for one in plane.client("s3").list_buckets()["Buckets"]] == ["given"]


def test_the_tags_of_a_key_in_a_template_are_the_keys(plane: ControlPlane) -> None:
    properties = {"KeyPolicy": {}, "Tags": [{"Key": "team", "Value": "chat"}]}
    create(plane, {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": properties}}}, "Tagged")
    kms = plane.client("kms")
    (key,) = kms.list_keys()["Keys"]
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "chat"}]
