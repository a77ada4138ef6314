from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Environment, Fn, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage
from tests.constructs_lib.rendered import (
    MODEL,
    POLICY,
    ROLE,
    Json,
    as_list,
    only,
    properties,
    resources,
    statement_with,
    statements,
    template_of,
    text,
)

if TYPE_CHECKING:
    from pathlib import Path

PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
HERE = "eu-west-1:123456789012"


def endpoint(stack: Stack, name: str = "Qwen", **arguments: object) -> TgiEndpoint:
    defaults = {"model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), "instance_type": InstanceType.G5_2XLARGE}
    return TgiEndpoint(stack, name, **(defaults | arguments))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """An endpoint with the fewest permissions: an ungated hub model without a VPC."""
    app = App(outdir=str(tmp_path_factory.mktemp("plain")))
    stack = Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))
    endpoint(stack)
    return template_of(stack)


def test_only_sagemaker_may_assume_the_role_and_only_for_this_account_and_region(plain: Json) -> None:
    (statement,) = properties(plain, ROLE)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    (test,) = statement["Condition"].items()
    assert test[0] == "ArnLike"
    assert {key: text(arn) for key, arn in test[1].items()} == {
        "aws:SourceArn": f"arn:<AWS::Partition>:sagemaker:{HERE}:*"
    }


def test_the_role_has_no_managed_policy(plain: Json) -> None:
    assert "ManagedPolicyArns" not in properties(plain, ROLE)


def test_the_role_may_write_logs_and_metrics_and_pull_its_image_and_nothing_else(plain: Json) -> None:
    assert [
        (as_list(s["Action"]), [text(arn) for arn in as_list(s["Resource"])], s.get("Condition"))
        for s in statements(plain)
    ] == [
        (
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [f"arn:<AWS::Partition>:logs:{HERE}:log-group:/aws/sagemaker/Endpoints/*"],
            None,
        ),
        (
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}},
        ),
        (
            PULL,
            ["arn:<AWS::Partition>:ecr:eu-west-1:763104351884:repository/huggingface-pytorch-tgi-inference"],
            None,
        ),
        (["ecr:GetAuthorizationToken"], ["*"], None),
    ]


def test_an_endpoint_with_a_name_may_write_only_to_its_own_log_group(stack: Stack) -> None:
    endpoint(stack, endpoint_name="Team-Qwen")
    group = f"arn:<AWS::Partition>:logs:{HERE}:log-group:/aws/sagemaker/Endpoints/Team-Qwen"
    allowed = statement_with(template_of(stack), "logs:PutLogEvents")["Resource"]
    assert [text(arn) for arn in allowed] == [group, f"{group}:*"]


def test_in_an_unknown_region_the_image_may_be_pulled_from_the_account_that_the_mapping_finds(app: App) -> None:
    stack = Stack(app, "Anywhere")
    endpoint(stack)
    allowed = statement_with(template_of(stack), "ecr:BatchGetImage")["Resource"]
    assert text(allowed) == (
        "arn:<AWS::Partition>:ecr:<AWS::Region>:<InferenceImageAccounts336[<AWS::Region>].Account>:"
        "repository/huggingface-pytorch-tgi-inference"
    )


def test_a_custom_image_may_be_pulled_only_from_its_repository(app: App) -> None:
    account = Environment(account="123456789012", region="eu-west-1")
    by_repository, by_uri = Stack(app, "Repository", env=account), Stack(app, "Uri", env=account)
    repository = ecr.Repository(by_repository, "Images")
    endpoint(by_repository, image=TgiImage.from_ecr_repository(repository, tag="1", version="3.3.6"))
    uri = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shared/tgi:1"
    endpoint(by_uri, image=TgiImage.from_uri(uri, version="3.3.6"))
    allowed = statement_with(template_of(by_repository), "ecr:BatchGetImage")
    (images,) = resources(template_of(by_repository), "AWS::ECR::Repository")
    assert (sorted(allowed["Action"]), text(allowed["Resource"])) == (PULL, f"<{images}.Arn>")
    allowed = statement_with(template_of(by_uri), "ecr:BatchGetImage")
    assert text(allowed["Resource"]) == "arn:<AWS::Partition>:ecr:eu-west-1:210987654321:repository/shared/tgi"


def test_the_role_may_not_read_the_token_which_cloudformation_resolves(stack: Stack) -> None:
    own = secretsmanager.Secret(stack, "Token", encryption_key=kms.Key(stack, "Key"))
    endpoint(stack, model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=own))
    template = template_of(stack)
    (secret,) = resources(template, "AWS::SecretsManager::Secret")
    (key,) = resources(template, "AWS::KMS::Key")
    reference = text(properties(template, MODEL)["PrimaryContainer"]["Environment"]["HF_TOKEN"])
    assert reference == f"{{{{resolve:secretsmanager:<{secret}>:SecretString:::}}}}"
    allowed = {action for s in statements(template) for action in as_list(s["Action"])}
    assert not {action for action in allowed if action.startswith(("secretsmanager:", "kms:"))}
    assert "Role" not in str(properties(template, "AWS::KMS::Key")["KeyPolicy"])
    assert key


def test_the_role_may_read_only_its_prefix_and_use_the_buckets_key(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    endpoint(stack, model=Model.from_s3(s3.Bucket(stack, "Weights", encryption_key=key), "llama/v7"))
    template = template_of(stack)
    (bucket,) = resources(template, "AWS::S3::Bucket")
    (key_id,) = resources(template, "AWS::KMS::Key")
    read, listed = statement_with(template, "s3:GetObject"), statement_with(template, "s3:ListBucket")
    assert (read["Action"], text(read["Resource"])) == ("s3:GetObject", f"<{bucket}.Arn>/llama/v7/*")
    assert text(listed["Resource"]) == f"<{bucket}.Arn>"
    assert listed["Condition"] == {"StringLike": {"s3:prefix": "llama/v7/*"}}
    assert text(statement_with(template, "kms:Decrypt")["Resource"]) == f"<{key_id}.Arn>"


def test_the_role_may_read_only_its_archive_and_use_the_buckets_key(stack: Stack) -> None:
    bucket = s3.Bucket(stack, "Weights", encryption_key=kms.Key(stack, "Key"))
    model = Model.from_s3_archive(bucket, "job/output/model.tar.gz", like="Qwen/Qwen2.5-7B-Instruct")
    endpoint(stack, model=model)
    template = template_of(stack)
    (bucket_id,) = resources(template, "AWS::S3::Bucket")
    (key_id,) = resources(template, "AWS::KMS::Key")
    on_s3 = [
        (s["Action"], text(s["Resource"]), s.get("Condition"))
        for s in statements(template)
        if "s3:" in str(s["Action"])
    ]
    assert on_s3 == [("s3:GetObject", f"<{bucket_id}.Arn>/job/output/model.tar.gz", None)]
    assert text(statement_with(template, "kms:Decrypt")["Resource"]) == f"<{key_id}.Arn>"
    assert set(only(template, MODEL)["DependsOn"]) == set(resources(template, POLICY))


def test_another_place_in_s3_has_another_policy_so_that_what_still_runs_keeps_the_old_one(app: App) -> None:
    policies = []
    for number, prefix in enumerate(("one/", "one/", "two/")):
        stack = Stack(app, f"Team{number}", env=Environment(account="123456789012", region="eu-west-1"))
        bucket = s3.Bucket.from_bucket_name(stack, "Weights", "weights")
        endpoint(stack, model=Model.from_s3(bucket, prefix, like="Qwen/Qwen2.5-7B-Instruct"))
        policies.append(stack)
    one, same, two = (set(resources(template_of(stack), POLICY)) for stack in policies)
    assert one == same
    assert len(one & two) == 1, "the policy without places"
    assert len(one) == len(two) == 2


def test_network_interfaces_are_allowed_only_in_a_vpc(plain: Json, stack: Stack) -> None:
    endpoint(stack, vpc=ec2.Vpc(stack, "Vpc", max_azs=1))
    assert "ec2:CreateNetworkInterface" in {action for s in statements(template_of(stack)) for action in s["Action"]}
    assert "ec2:" not in str(statements(plain))


def test_the_volume_key_may_be_used_only_for_volumes(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    endpoint(stack, instance_type=InstanceType.G7_2XLARGE, volume_key=key)
    granted = statement_with(template_of(stack), "kms:CreateGrant")
    assert granted["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert "*" not in text(granted["Resource"])


def test_a_role_of_the_callers_gets_what_the_endpoint_needs(stack: Stack) -> None:
    own = iam.Role(stack, "Own", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    assert endpoint(stack, role=own).role == own
    template = template_of(stack)
    (role,) = resources(template, ROLE)
    policy = only(template, POLICY)["Properties"]
    assert policy["Roles"] == [{"Ref": role}]
    assert {"ecr:BatchGetImage", "logs:PutLogEvents"} <= {
        action for s in policy["PolicyDocument"]["Statement"] for action in as_list(s["Action"])
    }
    assert properties(template, MODEL)["ExecutionRoleArn"] == {"Fn::GetAtt": [role, "Arn"]}


def test_an_immutable_role_is_used_unchanged(stack: Stack) -> None:
    arn = "arn:aws:iam::123456789012:role/central"
    endpoint(stack, role=iam.Role.from_role_arn(stack, "Central", arn, mutable=False))
    template = template_of(stack)
    assert resources(template, POLICY) == {}
    assert "DependsOn" not in only(template, MODEL)
    assert properties(template, MODEL)["ExecutionRoleArn"] == arn


def test_grants_to_the_endpoint_go_to_its_role(stack: Stack) -> None:
    granted = endpoint(stack)
    s3.Bucket.from_bucket_name(stack, "Adapters", "team-adapters").grant_read(granted)
    template = template_of(stack)
    assert "team-adapters" in str(statement_with(template, "s3:GetObject*"))


def test_an_endpoint_depends_on_the_grants_for_the_key_of_its_weights(stack: Stack) -> None:
    endpoint(stack, model=Model.from_s3(s3.Bucket(stack, "Weights", encryption=s3.BucketEncryption.KMS), "llama"))
    template = template_of(stack)
    assert set(only(template, MODEL)["DependsOn"]) == set(resources(template, POLICY))


def test_a_shared_role_may_invoke_the_endpoint_that_it_runs(stack: Stack) -> None:
    shared = iam.Role(stack, "Shared", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    endpoint(stack, role=shared).grant_invoke(shared)
    template = template_of(stack)
    (calling,) = (key for key, policy in resources(template, POLICY).items() if "InvokeEndpoint" in str(policy))
    assert calling not in only(template, MODEL)["DependsOn"]


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_no_finding_of_cdk_nag_is_open(tmp_path: Path, region: str | None) -> None:
    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Team", env=Environment(region=region))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hub-token")
    endpoint(stack, "Hub", model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=token))
    weights = s3.Bucket.from_bucket_name(stack, "Archives", "team-archives")
    archive = Model.from_s3_archive(weights, "model.tar.gz", like="Qwen/Qwen2.5-7B-Instruct")
    endpoint(stack, "Archive", model=archive)
    endpoint(
        stack,
        "Own",
        model=Model.from_s3(s3.Bucket.from_bucket_name(stack, "Weights", "team-weights"), "llama"),
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-west-1a"],
            private_subnet_ids=["subnet-0123456789abcdef0"],
        ),
        endpoint_name="team-llama",
    )
    assert template_of(stack)["Resources"]  # synthesis raises when a finding is open


def test_a_wildcard_that_the_caller_grants_to_the_role_is_still_a_finding(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Team")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    endpoint(stack).role.add_to_principal_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"]))
    with pytest.raises(RuntimeError, match=r"AwsSolutions-IAM5\[Resource::\*\]"):
        template_of(stack)


def test_weights_can_be_in_a_bucket_that_another_stack_exports(stack: Stack) -> None:
    exported = s3.Bucket.from_bucket_arn(stack, "Weights", Fn.import_value("weights-arn"))
    endpoint(stack, model=Model.from_s3(exported, "llama"))
    allowed = statement_with(template_of(stack), "s3:GetObject")["Resource"]
    assert allowed == {"Fn::Join": ["", [{"Fn::ImportValue": "weights-arn"}, "/llama/*"]]}
