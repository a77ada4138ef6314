"""Weights that a deployment copies into a bucket before the endpoint reads them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import (
    App,
    BootstraplessSynthesizer,
    CfnParameter,
    Environment,
    NestedStack,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import (
    AsyncTgiEndpoint,
    ConfigurationError,
    ContainerEndpoint,
    ContainerProtocol,
    FleetModel,
    InstanceType,
    LmiEndpoint,
    Model,
    ModelFleet,
    OwnImage,
    SglangEndpoint,
    TgiEndpoint,
    TgiOptions,
    VllmEndpoint,
)
from constructs_lib._weights_copier import read_request
from tests.constructs_lib.rendered import MODEL, Json, container, only, properties, resources, template_of, text
from tests.stacks.test_app import Recorder, assert_acknowledgments_are_needed, findings
from tests.unpacked import asset_folder

if TYPE_CHECKING:
    from constructs import Construct

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
QWEN = "Qwen/Qwen2.5-7B-Instruct"
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
OTHER = "a" * 40
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"
FOLDER = f"models/{QWEN}/{COMMIT}/"

PROJECT = "AWS::CodeBuild::Project"
FUNCTION = "AWS::Lambda::Function"
RULE = "AWS::Events::Rule"
HANDLE = "AWS::CloudFormation::WaitConditionHandle"
CONDITION = "AWS::CloudFormation::WaitCondition"
RESOURCE = "Custom::StagedWeights"
COPY_TYPES = [PROJECT, FUNCTION, RULE, HANDLE, CONDITION, RESOURCE, "AWS::SQS::Queue", "AWS::Lambda::Permission"]


def bucket_of(scope: Construct, **arguments: Any) -> s3.IBucket:
    return s3.Bucket.from_bucket_attributes(scope, "Weights", **({"bucket_name": "team-weights"} | arguments))


def token_of(scope: Construct) -> secretsmanager.ISecret:
    return secretsmanager.Secret.from_secret_name_v2(scope, "Token", "hugging-face-token")


def staged(stack: Stack, model_id: str = QWEN, **arguments: Any) -> Model:
    bucket = arguments.pop("bucket", None) or bucket_of(stack)
    return Model.staged(model_id, **({"revision": COMMIT, "bucket": bucket} | arguments))


def endpoint(stack: Construct, model: Model, id: str = "Llm", **arguments: Any) -> TgiEndpoint:
    defaults = {"instance_type": InstanceType.G5_2XLARGE, "detailed_observability": False, "network_isolation": True}
    return TgiEndpoint(stack, id, model=model, **(defaults | arguments))


def statements(template: Json, role: str) -> list[Json]:
    """The statements of the only role whose logical id has this in it."""
    (found,) = (one for key, one in resources(template, "AWS::IAM::Role").items() if role in key)
    (policy,) = found["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def warnings_of(scope: Construct) -> list[str]:
    return [str(entry.data) for entry in scope.node.metadata if entry.type == "aws:cdk:warning"]


def problems_of(stack: Stack, **arguments: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        endpoint(stack, staged(stack, **arguments))
    return [str(problem) for problem in raised.value.problems]


def test_the_endpoint_reads_the_folder_of_the_commit_and_waits_for_the_copy(stack: Stack) -> None:
    endpoint(stack, staged(stack, prefix="weights"))
    template = template_of(stack)
    assert container(template)["ModelDataSource"]["S3DataSource"] == {
        "S3Uri": f"s3://team-weights/weights/{FOLDER}",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    assert properties(template, MODEL)["EnableNetworkIsolation"] is True
    (condition,) = resources(template, CONDITION)
    (resource,) = resources(template, RESOURCE)
    assert condition in only(template, MODEL)["DependsOn"]
    assert only(template, CONDITION)["DependsOn"] == [resource]


def test_another_time_to_wait_has_a_handle_and_a_condition_of_its_own(stack: Stack) -> None:
    """CloudFormation updates neither, and tells the size of a model that was not known before by another time."""
    endpoint(stack, staged(stack))
    template = template_of(stack)
    ids = [one for kind in (HANDLE, CONDITION) for one in resources(template, kind)]
    assert [re.sub(r"^StagedWeights[0-9a-f]{10}", "", one)[:-8] for one in ids] == ["Handle3600", "Condition3600"]


def test_the_condition_waits_for_the_handle_that_the_function_is_told(stack: Stack) -> None:
    endpoint(stack, staged(stack))
    template = template_of(stack)
    (handle,), (function,), (project,) = (resources(template, kind) for kind in (HANDLE, FUNCTION, PROJECT))
    assert properties(template, CONDITION) == {"Handle": {"Ref": handle}, "Count": 1, "Timeout": "3600"}
    found = properties(template, RESOURCE)
    request = found.pop("Request")
    assert found == {
        "ServiceToken": {"Fn::GetAtt": [function, "Arn"]},
        "ServiceTimeout": 300,
        "Project": {"Ref": project},
        "ComputeType": "BUILD_GENERAL1_SMALL",
        "Handle": {"Ref": handle},
        "Hash": handle.removeprefix("StagedWeights")[:10],
    }
    (log_group,) = (key for key in resources(template, "AWS::Logs::LogGroup") if "ProjectLogs" in key)
    assert properties(template, PROJECT)["Environment"]["EnvironmentVariables"] == [
        {"Name": "STAGING_REQUEST", "Type": "PLAINTEXT", "Value": request},
        {"Name": "LOG_GROUP", "Type": "PLAINTEXT", "Value": {"Ref": log_group}},
    ]
    assert read_request(request).places.folder == FOLDER


def test_nothing_starts_before_the_rule_hears_of_its_end(stack: Stack) -> None:
    endpoint(stack, staged(stack))
    template = template_of(stack)
    depended = {template["Resources"][one]["Type"] for one in only(template, RESOURCE)["DependsOn"]}
    assert depended == {RULE, "AWS::Lambda::Permission", "AWS::SQS::QueuePolicy"}
    (project,), (function,), (queue,) = (resources(template, kind) for kind in (PROJECT, FUNCTION, "AWS::SQS::Queue"))
    assert properties(template, RULE)["EventPattern"] == {
        "source": ["aws.codebuild"],
        "detail-type": ["CodeBuild Build State Change"],
        "detail": {"project-name": [{"Ref": project}], "build-status": ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"]},
    }
    (target,) = properties(template, RULE)["Targets"]
    assert (target["Arn"], target["DeadLetterConfig"]) == (
        {"Fn::GetAtt": [function, "Arn"]},
        {"Arn": {"Fn::GetAtt": [queue, "Arn"]}},
    )


def test_the_project_runs_the_copier_outside_any_vpc_with_the_limits_of_the_plan(stack: Stack) -> None:
    model = staged(stack, "Qwen/Qwen2.5-72B-Instruct")
    endpoint(stack, model, instance_type=InstanceType.P4D_24XLARGE)
    found = properties(template_of(stack), PROJECT)
    assert found["TimeoutInMinutes"] == 122
    assert found["QueuedTimeoutInMinutes"] == 20
    assert found["Environment"]["ComputeType"] == "BUILD_GENERAL1_MEDIUM"
    assert found["Environment"]["Image"] == "aws/codebuild/amazonlinux-x86_64-standard:6.0"
    assert found["Environment"]["PrivilegedMode"] is False
    assert found["Source"]["Type"] == "S3"
    assert json.loads(found["Source"]["BuildSpec"]) == {
        "version": "0.2",
        "phases": {"build": {"commands": ["python3 -m weights_copier"]}},
    }
    assert "VpcConfig" not in found


def test_the_archive_of_the_project_has_the_copier_and_the_function(stack: Stack) -> None:
    endpoint(stack, staged(stack))
    template = template_of(stack)
    code, source = properties(template, FUNCTION)["Code"], properties(template, PROJECT)["Source"]
    assert source["Location"] == f"{code['S3Bucket']}/{code['S3Key']}"
    folder = asset_folder(App.of(stack).outdir, code["S3Key"])
    assert {path.name for path in folder.iterdir()} == {"staging_starter", "weights_copier"}


def test_the_jobs_role_reaches_the_objects_of_this_copy_and_nothing_else(stack: Stack) -> None:
    endpoint(stack, staged(stack, prefix="w", token=token_of(stack)))
    template = template_of(stack)
    found = {",".join(one["Action"]): one for one in statements(template, "ProjectRole")}
    (log_group,) = (key for key in resources(template, "AWS::Logs::LogGroup") if "ProjectLogs" in key)
    assert found["logs:CreateLogStream,logs:PutLogEvents"]["Resource"] == {"Fn::GetAtt": [log_group, "Arn"]}
    arn = "arn:<AWS::Partition>:s3:::team-weights"
    objects = [f"w/{FOLDER}*", f"w/manifests/{QWEN}/{COMMIT}.json", f"w/locks/{QWEN}/{COMMIT}.json"]
    writes = found["s3:AbortMultipartUpload,s3:GetObject,s3:ListMultipartUploadParts,s3:PutObject"]
    assert [text(one) for one in writes["Resource"]] == [f"{arn}/{key}" for key in objects]
    assert text(found["s3:ListBucket"]["Resource"]) == arn
    assert found["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": objects}}
    assert text(found["secretsmanager:GetSecretValue"]["Resource"]) == (
        "arn:<AWS::Partition>:secretsmanager:eu-west-1:123456789012:secret:hugging-face-token-??????"
    )
    source = properties(template, PROJECT)["Source"]["Location"]
    assert text(found["s3:GetObject,s3:GetObjectVersion"]["Resource"]) == f"arn:<AWS::Partition>:s3:::{source}"
    assert text(found["s3:ListBucketMultipartUploads"]["Resource"]) == arn
    assert len(found) == 6


def test_only_codebuild_of_this_account_and_region_assumes_the_jobs_role(stack: Stack) -> None:
    endpoint(stack, staged(stack))
    (role,) = (one for key, one in resources(template_of(stack), "AWS::IAM::Role").items() if "ProjectRole" in key)
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "codebuild.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert text(trust["Condition"]["ArnLike"]["aws:SourceArn"]) == (
        "arn:<AWS::Partition>:codebuild:eu-west-1:123456789012:project/*"
    )


def test_the_functions_role_reads_the_manifest_and_never_the_token(stack: Stack) -> None:
    endpoint(stack, staged(stack, token=token_of(stack)))
    template = template_of(stack)
    found = {",".join(one["Action"]): one for one in statements(template, "StarterRole")}
    (project,) = resources(template, PROJECT)
    builds = "codebuild:BatchGetBuilds,codebuild:ListBuildsForProject,codebuild:StartBuild,codebuild:StopBuild"
    assert found[builds]["Resource"] == {"Fn::GetAtt": [project, "Arn"]}
    assert text(found["s3:GetObject"]["Resource"]) == (
        f"arn:<AWS::Partition>:s3:::team-weights/manifests/{QWEN}/{COMMIT}.json"
    )
    assert set(found) == {
        "logs:CreateLogStream,logs:PutLogEvents",
        builds,
        "s3:GetObject",
        "s3:ListBucket",
        "sqs:SendMessage",
    }


def test_the_token_is_in_no_variable_and_no_role_but_the_jobs(stack: Stack) -> None:
    endpoint(stack, staged(stack, LLAMA, token=token_of(stack)))
    template = template_of(stack)
    assert "resolve:secretsmanager" not in json.dumps(template)
    assert not {name for name in container(template)["Environment"] if "TOKEN" in name}
    allowed = [key for key, one in template["Resources"].items() if "secretsmanager:GetSecretValue" in json.dumps(one)]
    assert len(allowed) == 1
    assert "ProjectRole" in allowed[0]


def test_keys_are_allowed_by_name_where_they_are_known(stack: Stack) -> None:
    key, secret_key = (kms.Key.from_key_arn(stack, name, KEY_ARN[:-1] + name) for name in ("1", "2"))
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-Ab12Cd"
    secret = secretsmanager.Secret.from_secret_attributes(
        stack, "Token", secret_complete_arn=arn, encryption_key=secret_key
    )
    endpoint(stack, staged(stack, bucket=bucket_of(stack, encryption_key=key), token=secret))
    template = template_of(stack)
    job = {",".join(one["Action"]): one for one in statements(template, "ProjectRole")}
    starter = {",".join(one["Action"]): one for one in statements(template, "StarterRole")}
    assert job["kms:Decrypt,kms:GenerateDataKey"]["Resource"] == KEY_ARN[:-1] + "1"
    assert starter["kms:Decrypt"]["Resource"] == KEY_ARN[:-1] + "1"
    assert job["secretsmanager:GetSecretValue"]["Resource"] == arn
    assert job["kms:Decrypt"]["Resource"] == KEY_ARN[:-1] + "2"
    condition = job["kms:Decrypt"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert text(condition) == "secretsmanager.eu-west-1.<AWS::URLSuffix>"


def test_two_endpoints_of_a_stack_share_one_copy(stack: Stack) -> None:
    model = staged(stack)
    endpoint(stack, model, "First")
    endpoint(stack, model, "Second")
    again = s3.Bucket.from_bucket_name(stack, "Again", "team-weights")
    endpoint(stack, staged(stack, bucket=again), "Third")  # equal arguments count as well
    template = template_of(stack)
    assert [len(resources(template, kind)) for kind in COPY_TYPES] == [1] * len(COPY_TYPES)
    (condition,) = resources(template, CONDITION)
    assert all(condition in one["DependsOn"] for one in resources(template, MODEL).values())
    assert len(resources(template, MODEL)) == 3


def test_the_same_weights_with_other_arguments_are_refused(stack: Stack) -> None:
    bucket = bucket_of(stack)
    endpoint(stack, staged(stack, bucket=bucket), "First")
    other = staged(stack, bucket=bucket, log_retention=logs.RetentionDays.ONE_DAY)
    with pytest.raises(ConfigurationError) as raised:
        endpoint(stack, other, "Second")
    assert str(raised.value.problems[0]) == (
        f"model='{QWEN}': is copied by this stack already, to the same place and with other arguments. Create the model"
        " with Model.staged once, and give it to each endpoint."
    )


def test_another_commit_is_another_set_of_resources(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    stacks = [Stack(app, name, env=env) for name in ("A", "B", "C")]
    for stack, revision in zip(stacks, (COMMIT, OTHER, COMMIT), strict=True):
        endpoint(stack, staged(stack, revision=revision))
    first, second, third = (template_of(stack)["Resources"] for stack in stacks)
    copies = [{key for key in one if key.startswith("StagedWeights")} for one in (first, second, third)]
    assert copies[0].isdisjoint(copies[1])
    assert copies[0] == copies[2]
    assert len(copies[0]) == 13


def test_two_commits_in_one_stack_are_two_copies(stack: Stack) -> None:
    bucket = bucket_of(stack)
    for name, revision in (("Blue", COMMIT), ("Green", OTHER)):
        endpoint(stack, staged(stack, bucket=bucket, revision=revision), name)
    assert [len(resources(template_of(stack), kind)) for kind in COPY_TYPES] == [2] * len(COPY_TYPES)


@pytest.mark.parametrize(
    ("construct", "arguments", "variables"),
    [
        (TgiEndpoint, {}, {"HF_MODEL_ID": "/opt/ml/model", "HF_HUB_OFFLINE": "1"}),
        (AsyncTgiEndpoint, {"bucket": "team-answers"}, {"HF_MODEL_ID": "/opt/ml/model", "HF_HUB_OFFLINE": "1"}),
        (VllmEndpoint, {}, {"SM_VLLM_MODEL": "/opt/ml/model", "HF_HUB_OFFLINE": "1"}),
        (SglangEndpoint, {}, {"SM_SGLANG_MODEL_PATH": "/opt/ml/model", "HF_HUB_OFFLINE": "1"}),
        (LmiEndpoint, {}, {"HF_HUB_OFFLINE": "1"}),
        (
            ContainerEndpoint,
            {"image": OwnImage.from_uri(URI), "protocol": ContainerProtocol.OPENAI},
            {"HF_HUB_OFFLINE": "1"},
        ),
    ],
)
def test_every_engine_reads_them_from_the_mounted_folder(
    stack: Stack, construct: Any, arguments: dict[str, Any], variables: dict[str, str]
) -> None:
    if "bucket" in arguments:
        arguments = {"bucket": s3.Bucket.from_bucket_name(stack, "Answers", arguments["bucket"])}
    construct(
        stack,
        "Llm",
        model=staged(stack),
        instance_type=InstanceType.G6E_2XLARGE,
        network_isolation=True,
        detailed_observability=False,
        **arguments,
    )
    template = template_of(stack)
    found = container(template)
    assert found["Environment"].items() >= variables.items()
    assert not {name for name in found["Environment"] if "TOKEN" in name or "REVISION" in name}
    assert found["ModelDataSource"]["S3DataSource"]["S3Uri"] == f"s3://team-weights/{FOLDER}"
    (condition,) = resources(template, CONDITION)
    assert condition in only(template, MODEL)["DependsOn"]


def test_the_models_of_a_fleet_have_a_copy_each_and_warnings_of_their_own(stack: Stack) -> None:
    bucket = s3.Bucket(stack, "Own")
    models = {
        name: FleetModel(model=staged(stack, model_id, bucket=bucket))
        for name, model_id in (("qwen", QWEN), ("small", "Qwen/Qwen2.5-1.5B-Instruct"))
    }
    fleet = ModelFleet(stack, "Fleet", models=models, instance_type=InstanceType.G6E_12XLARGE, network_isolation=True)
    for name in models:
        assert any("bucketBesideCopy" in one for one in warnings_of(fleet.models[name]))  # type: ignore[arg-type]
    template = template_of(stack)
    assert len(resources(template, CONDITION)) == 2
    for one in resources(template, MODEL).values():
        assert len([name for name in one["DependsOn"] if name in resources(template, CONDITION)]) == 1


def test_weights_are_kept_unless_asked_for_otherwise(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    kept, deleted = (Stack(app, name, env=env) for name in ("Kept", "Deleted"))
    endpoint(kept, staged(kept))
    endpoint(deleted, staged(deleted, removal_policy=RemovalPolicy.DESTROY))
    template = template_of(kept)
    assert "Deletes" not in properties(template, RESOURCE)
    assert "s3:DeleteObject" not in json.dumps(template)
    template = template_of(deleted)
    assert properties(template, RESOURCE)["Deletes"] == "true"
    (found,) = (one for one in statements(template, "StarterRole") if "s3:DeleteObject" in one["Action"])
    arn = "arn:<AWS::Partition>:s3:::team-weights"
    assert [text(one) for one in found["Resource"]] == [f"{arn}/{FOLDER}*", f"{arn}/manifests/{QWEN}/{COMMIT}.json"]


def test_the_jobs_log_survives_a_rollback_and_both_logs_have_the_key(stack: Stack) -> None:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    endpoint(stack, staged(stack, encryption_key=key, log_retention=logs.RetentionDays.ONE_WEEK))
    template = template_of(stack)
    (key_id,) = resources(template, "AWS::KMS::Key")
    arn = {"Fn::GetAtt": [key_id, "Arn"]}
    groups = {("Project" in key): one for key, one in resources(template, "AWS::Logs::LogGroup").items()}
    assert {one["DeletionPolicy"] for one in groups.values()} == {"Retain", "Delete"}
    assert groups[True]["DeletionPolicy"] == "Retain"
    assert [one["Properties"] for one in groups.values()] == [{"KmsKeyId": arn, "RetentionInDays": 7}] * 2
    assert properties(template, PROJECT)["EncryptionKey"] == arn
    policy = json.dumps(properties(template, "AWS::KMS::Key")["KeyPolicy"])
    assert "logs.eu-west-1." in policy
    assert {"Action", "Effect", "Resource"} <= {
        name for one in statements(template, "ProjectRole") if one["Resource"] == arn for name in one
    }


def test_a_bucket_of_the_same_stack_is_a_warning_that_can_be_acknowledged(stack: Stack) -> None:
    one = endpoint(stack, staged(stack, bucket=s3.Bucket(stack, "Own")))
    (found,) = warnings_of(one)
    assert found.startswith(f"Team/Own is created by the stack that copies {QWEN} into it.")
    assert found.endswith("[ack: tgi-endpoint:bucketBesideCopy]")


def test_the_bucket_of_another_stack_is_none(app: App) -> None:
    env = Environment(account="123456789012", region="eu-west-1")
    buckets, stack = Stack(app, "Buckets", env=env), Stack(app, "Team", env=env)
    one = endpoint(stack, staged(stack, bucket=s3.Bucket(buckets, "Own")))
    assert warnings_of(one) == []


def test_a_bucket_of_the_outer_stack_is_one(stack: Stack) -> None:
    bucket = s3.Bucket(stack, "Own")
    nested = NestedStack(stack, "Nested")
    one = endpoint(nested, staged(stack, bucket=bucket))
    assert ["bucketBesideCopy" in found for found in warnings_of(one)] == [True]


def test_a_bucket_whose_name_only_the_deployment_knows_is_told_by_its_path(app: App) -> None:
    stack = Stack(app, "Any")
    name = CfnParameter(stack, "BucketName").value_as_string
    endpoint(stack, staged(stack, bucket=s3.Bucket.from_bucket_name(stack, "Weights", name), token=token_of(stack)))
    template = template_of(stack)
    request = text(properties(template, RESOURCE)["Request"])
    assert '"bucket": "<BucketName>"' in request
    assert text(container(template)["ModelDataSource"]["S3DataSource"]["S3Uri"]) == f"s3://<BucketName>/{FOLDER}"


def test_a_bucket_in_another_region_is_refused(stack: Stack) -> None:
    assert problems_of(stack, bucket=bucket_of(stack, region="us-east-1")) == [
        (
            "model.bucket='us-east-1': is the Region of the bucket, but SageMaker reads weights from buckets in the"
            " endpoint's Region: eu-west-1. Copy the weights to a bucket there, or deploy the endpoint to the bucket's"
            " Region."
        )
    ]


def test_a_gated_model_requires_a_token(stack: Stack) -> None:
    assert problems_of(stack, model_id=LLAMA) == [
        (
            f"model='{LLAMA}': is gated (llama3.1): the hub serves it only with a token. Request access on its hub"
            " page, store a token in Secrets Manager, and pass it as Model.staged(…, token=secret)."
        )
    ]


def test_all_mistakes_are_told_together_and_no_resource_is_created(stack: Stack) -> None:
    found = problems_of(
        stack,
        revision="main",
        bucket="team-weights",
        token="hf_secret",
        encryption_key="key",
        log_retention=7,
        removal_policy=RemovalPolicy.SNAPSHOT,
        like="meta-llama/Lama",
    )
    assert [one.partition("=")[0] for one in found] == [
        "model.like",
        "model.revision",
        "model.bucket",
        "model.token",
        "model.encryption_key",
        "model.log_retention",
        "model.removal_policy",
    ]
    assert "hf_secret" not in "".join(found)
    assert found[-2:] == [
        (
            "model.log_retention=7: must be a RetentionDays of aws_logs, not int. Write"
            " aws_logs.RetentionDays.THREE_MONTHS, or leave it out."
        ),
        (
            "model.removal_policy=<RemovalPolicy.SNAPSHOT: 'SNAPSHOT'>: must be RemovalPolicy.RETAIN or"
            " RemovalPolicy.DESTROY. Leave it out to keep the weights."
        ),
    ]
    assert not stack.node.try_find_child("StagedWeights")


def test_weights_of_an_unknown_shape_are_warned_about_with_the_right_call(stack: Stack) -> None:
    one = endpoint(stack, staged(stack, "team/unknown-model"))
    (found,) = (each for each in warnings_of(one) if "not in the catalogue" in each)
    assert "Model.staged(…, like=" in found


def test_what_only_the_deployment_knows_is_refused_where_the_plan_needs_it(stack: Stack) -> None:
    parameter = CfnParameter(stack, "Commit").value_as_string
    found = problems_of(stack, revision=parameter, prefix=parameter, hub=parameter, include=[parameter])
    assert [one.partition(": must be known")[0] for one in found[:3]] == [
        "model.revision=(known at deployment)",
        "model.prefix=(known at deployment)",
        "model.hub=(known at deployment)",
    ]
    assert found[3].startswith("model.include=")
    assert len(found) == 4


def test_a_token_of_another_region_is_refused(stack: Stack) -> None:
    arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:hub-Ab12Cd"
    secret = secretsmanager.Secret.from_secret_complete_arn(stack, "Token", arn)
    (found,) = problems_of(stack, token=secret)
    assert found.startswith("model.token='us-east-2': is the Region of the secret, but a hub token is read from")


def test_a_synthesizer_that_carries_no_code_is_refused(app: App) -> None:
    stack = Stack(app, "Bare", synthesizer=BootstraplessSynthesizer())
    with pytest.raises(ConfigurationError, match=r"synthesizer=\(BootstraplessSynthesizer\): cannot carry file assets"):
        endpoint(stack, staged(stack))


@pytest.mark.parametrize(
    ("options", "arguments", "warned"),
    [
        (TgiOptions(trust_remote_code=True), {}, True),
        (TgiOptions(trust_remote_code=True), {"trust_remote_code": True}, False),
        (TgiOptions(trust_remote_code=True), {"include": ["*.safetensors", "*"]}, False),
        (TgiOptions(), {}, False),
    ],
)
def test_code_that_a_container_may_run_but_that_is_not_copied_is_a_warning(
    stack: Stack, options: TgiOptions, arguments: dict[str, Any], warned: bool
) -> None:
    one = endpoint(stack, staged(stack, **arguments), options=options)
    found = [each for each in warnings_of(one) if "codeNotStaged" in each]
    assert [each.partition(" [ack")[0] for each in found] == [
        (
            "trust_remote_code runs the code of the model's repository, which is not copied with the weights. If the"
            " model needs it, copy it: Model.staged(…, trust_remote_code=True)."
        )
    ] * warned


def nagged(app: App, variant: str) -> App:
    stack = Stack(app, "Stack", env=Environment(account="123456789012", region="eu-west-1"))
    key = kms.Key.from_key_arn(stack, "Key", KEY_ARN) if variant == "key" else None
    policy = RemovalPolicy.DESTROY if variant == "deletes" else RemovalPolicy.RETAIN
    model = staged(stack, bucket=bucket_of(stack), token=token_of(stack), removal_policy=policy, encryption_key=key)
    endpoint(stack, model)
    return app


@pytest.mark.parametrize("variant", ["kept", "deletes", "key"])
def test_there_is_no_open_finding(app: App, variant: str) -> None:
    assert findings(nagged(app, variant)) == set()


@pytest.mark.parametrize("variant", ["kept", "deletes", "key"])
def test_every_acknowledgment_has_a_finding(app: App, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder.given = {}
    monkeypatch.setattr(Validations, "of", Recorder)
    assert_acknowledgments_are_needed(nagged(app, variant))
