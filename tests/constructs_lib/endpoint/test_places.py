"""Where the resources are that TgiEndpoint refers to, and whom a role trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint
from tests.constructs_lib.rendered import MODEL, properties, template_of

if TYPE_CHECKING:
    from constructs import Construct

QWEN = "Qwen/Qwen2.5-7B-Instruct"
KEY_ARN = "arn:aws:kms:{}:123456789012:key/12345678-1234-1234-1234-123456789012"
SECRET_ARN = "arn:aws:secretsmanager:{}:123456789012:secret:hub-a1b2c3"
ROLE_ARN = "arn:aws:iam::{}:role/own"


def make(scope: Construct, **arguments: Any) -> TgiEndpoint:
    defaults = {"model": Model.from_hub(QWEN), "instance_type": InstanceType.G6E_XLARGE}
    return TgiEndpoint(scope, "Llm", **(defaults | arguments))


def problems(scope: Construct, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        make(scope, **arguments)
    return [str(problem) for problem in raised.value.problems]


def bucket(scope: Construct, region: str | None) -> s3.IBucket:
    return s3.Bucket.from_bucket_attributes(scope, f"Weights{region}", bucket_name="team-weights", region=region)


def secret(scope: Construct, region: str) -> secretsmanager.ISecret:
    return secretsmanager.Secret.from_secret_complete_arn(scope, f"Token{region}", SECRET_ARN.format(region))


def test_resources_of_another_region_are_reported_together(app: App, stack: Stack) -> None:
    elsewhere = Stack(app, "Elsewhere", env=Environment(account="123456789012", region="us-east-1"))
    vpc = ec2.Vpc(elsewhere, "Vpc")
    key = kms.Key.from_key_arn(stack, "Key", KEY_ARN.format("us-west-2"))
    found = problems(
        stack,
        model=Model.from_hub(QWEN, token=secret(stack, "us-east-2")),
        instance_type=InstanceType.G7_2XLARGE,
        vpc=vpc,
        volume_key=key,
    )
    assert found == [
        (
            "vpc='us-east-1': is the Region of the VPC, but an endpoint's network interfaces are in its Region:"
            " eu-west-1. Use a VPC there, or deploy the endpoint to the VPC's Region."
        ),
        (
            "volume_key='us-west-2': is the Region of the key, but SageMaker encrypts volumes with keys in the"
            " endpoint's Region: eu-west-1. Use a key there, or a replica of a multi-Region key."
        ),
        (
            "model.token='us-east-2': is the Region of the secret, but a hub token is read from secrets of the"
            " stack's Region: eu-west-1. Replicate the secret to that Region, and import it there."
        ),
    ]


def test_a_bucket_of_another_region_is_reported_whether_imported_or_created(app: App, stack: Stack) -> None:
    elsewhere = Stack(app, "Elsewhere", env=Environment(account="123456789012", region="us-east-1"))
    for weights in (bucket(stack, "us-east-1"), s3.Bucket(elsewhere, "Own")):
        assert problems(stack, model=Model.from_s3(weights, "qwen")) == [
            (
                "model.bucket='us-east-1': is the Region of the bucket, but SageMaker reads weights from buckets in the"
                " endpoint's Region: eu-west-1. Copy the weights to a bucket there, or deploy the endpoint to the"
                " bucket's Region."
            )
        ]


def test_resources_of_the_same_or_an_unknown_region_are_accepted(app: App, stack: Stack) -> None:
    here = {
        "model": Model.from_s3(bucket(stack, "eu-west-1"), "qwen"),
        "role": iam.Role.from_role_arn(stack, "Role", ROLE_ARN.format("123456789012")),
    }
    assert make(stack, **here).endpoint_name
    assert TgiEndpoint(
        stack,
        "Named",
        model=Model.from_s3(s3.Bucket.from_bucket_name(stack, "ByName", "team-weights"), ""),
        instance_type=InstanceType.G6E_XLARGE,
    ).endpoint_name
    anywhere = Stack(app, "Anywhere")
    assert make(anywhere, model=Model.from_s3(bucket(anywhere, "us-east-1"), "qwen")).endpoint_name
    late = CfnParameter(stack, "Region").value_as_string
    weights = s3.Bucket.from_bucket_attributes(stack, "Late", bucket_name="team-weights", region=late)
    assert TgiEndpoint(
        stack, "Later", model=Model.from_s3(weights, ""), instance_type=InstanceType.G6E_XLARGE
    ).endpoint_name


def test_a_role_of_another_account_is_reported(stack: Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", ROLE_ARN.format("444455556666"))
    assert problems(stack, role=role) == [
        (
            "role='444455556666': is the account of the role, but SageMaker takes roles of the endpoint's account:"
            " 123456789012. Use a role of that account; it may assume the other one, or the other account may grant it"
            " access."
        )
    ]


def test_a_bucket_whose_generated_name_the_cdk_cannot_pass_is_reported(app: App, stack: Stack) -> None:
    storage = Stack(app, "Storage")
    assert problems(stack, model=Model.from_s3(s3.Bucket(storage, "Own"), "")) == [
        (
            "model.bucket=(Bucket Storage/Own): is created by Storage, which is for any account and Region, while this"
            " stack is for account 123456789012 in eu-west-1: the CDK passes generated names only between stacks of the"
            " same env. Give both stacks the same env, or set bucket_name of the bucket."
        )
    ]
    named = s3.Bucket(storage, "Named", bucket_name="team-weights")
    make(stack, model=Model.from_s3(named, ""))
    source = properties(template_of(stack), MODEL)["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source["S3Uri"] == "s3://team-weights/"


def test_a_role_of_this_app_that_does_not_trust_sagemaker_is_reported(stack: Stack) -> None:
    role = iam.Role(
        stack,
        "Role",
        assumed_by=iam.CompositePrincipal(
            iam.ServicePrincipal("lambda.amazonaws.com"), iam.AccountPrincipal("123456789012")
        ),
    )
    assert problems(stack, role=role) == [
        (
            "role=(Role Team/Role): trusts lambda.amazonaws.com, principals of type AWS, so SageMaker cannot assume it."
            ' Create it with assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"), or in a CompositePrincipal'
            " with the others."
        )
    ]


def test_a_statement_that_denies_sagemaker_is_no_trust(stack: Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    assert role.assume_role_policy is not None
    role.assume_role_policy.add_statements(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=["sts:AssumeRole"],
            principals=[iam.ServicePrincipal("sagemaker.amazonaws.com")],
        )
    )
    assert len(problems(stack, role=role)) == 1


@pytest.mark.parametrize(
    "principal",
    [
        iam.ServicePrincipal("sagemaker.amazonaws.com"),
        iam.CompositePrincipal(
            iam.ServicePrincipal("lambda.amazonaws.com"), iam.ServicePrincipal("sagemaker.amazonaws.com")
        ),
        iam.ServicePrincipal("sagemaker.amazonaws.com").with_conditions({"StringEquals": {"aws:SourceAccount": "1"}}),
        iam.AnyPrincipal(),
    ],
)
def test_a_role_that_may_trust_sagemaker_is_accepted(stack: Stack, principal: iam.IPrincipal) -> None:
    role = iam.Role(stack, "Role", assumed_by=principal)
    assert make(stack, role=role).role.node.path == "Team/Role"


def test_a_principal_that_only_the_deployment_knows_is_accepted(stack: Stack) -> None:
    service = CfnParameter(stack, "Service").value_as_string
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal(service))
    assert make(stack, role=role).role.node.path == "Team/Role"


def test_nothing_is_known_about_whom_an_imported_role_trusts(stack: Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", ROLE_ARN.format("123456789012"), mutable=False)
    assert make(stack, role=role).role.node.path == "Team/Role"
