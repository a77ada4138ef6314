"""The job of a copy: a CodeBuild project that runs the copier, its role and its log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib._functions import policy_document
from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of
from constructs_lib.acknowledgements import COPIED_FOLDER, COPY_PROJECT, COPY_PROJECT_WITHOUT_KEY, INLINE_POLICIES

if TYPE_CHECKING:
    from aws_cdk import aws_s3_assets as assets
    from constructs import Construct

    from constructs_lib.endpoint.staging.settings import StagingSettings
    from constructs_lib.planning.staging import StagingPlan

IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:6.0"
"""Has Python from 3.10 on, with boto3.

Source: aws/aws-codebuild-docker-images, al/x86_64/standard/6.0/Dockerfile, 2026-11-29.
"""

_BUILD = json.dumps({"version": "0.2", "phases": {"build": {"commands": ["python3 -m weights_copier"]}}}, indent=1)


def add_project(
    scope: Construct, settings: StagingSettings, plan: StagingPlan, code: assets.Asset
) -> codebuild.CfnProject:
    """Render the project.

    Args:
        scope: The scope of nothing else that is called Project, ProjectRole or ProjectLogs.
        settings: What is copied.
        plan: The machine and the time limits.
        code: The copier, at the root of an archive.
    """
    # Kept when a failed deployment is rolled back: the reason that CloudFormation shows names it.
    log_group = logs.LogGroup(
        scope,
        "ProjectLogs",
        retention=settings.log_retention,
        encryption_key=settings.encryption_key,
        removal_policy=RemovalPolicy.RETAIN,
    )
    role = _add_role(scope, settings, code, log_group.log_group_arn)
    project = codebuild.CfnProject(
        scope,
        "Project",
        description=f"Copies {settings.files.repository} at {settings.files.revision} into a bucket",
        artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
        environment=codebuild.CfnProject.EnvironmentProperty(
            type="LINUX_CONTAINER",
            image=IMAGE,
            image_pull_credentials_type="CODEBUILD",
            compute_type=plan.compute_type,
            privileged_mode=False,
            environment_variables=[
                codebuild.CfnProject.EnvironmentVariableProperty(name=name, type="PLAINTEXT", value=value)
                # The job names its log when it fails.
                for name, value in (("STAGING_REQUEST", settings.request), ("LOG_GROUP", log_group.log_group_name))
            ],
        ),
        source=codebuild.CfnProject.SourceProperty(
            type="S3", location=f"{code.s3_bucket_name}/{code.s3_object_key}", build_spec=_BUILD
        ),
        logs_config=codebuild.CfnProject.LogsConfigProperty(
            cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                status="ENABLED", group_name=log_group.log_group_name
            )
        ),
        service_role=role.attr_arn,
        timeout_in_minutes=plan.build_minutes,
        queued_timeout_in_minutes=plan.queue_minutes,
        encryption_key=None if settings.encryption_key is None else settings.encryption_key.key_arn,
    )
    acknowledge(project, COPY_PROJECT, *(() if settings.encryption_key else (COPY_PROJECT_WITHOUT_KEY,)))
    return project


def _add_role(scope: Construct, settings: StagingSettings, code: assets.Asset, log_group_arn: str) -> iam.CfnRole:
    here, bucket = environment_of(scope), settings.bucket
    statements: list[dict[str, object]] = [
        {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": log_group_arn},
        {
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": f"arn:{here.partition}:s3:::{code.s3_bucket_name}/{code.s3_object_key}",
        },
        {
            "Action": ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
            "Resource": settings.object_arns,
        },
        {"Action": ["s3:ListBucket"], "Resource": bucket.bucket_arn, "Condition": settings.listed},
        # Without the condition, which is not documented for it.
        {"Action": ["s3:ListBucketMultipartUploads"], "Resource": bucket.bucket_arn},
        *settings.key_statements("kms:Decrypt", "kms:GenerateDataKey"),
        *settings.token_statements(),
    ]
    if settings.encryption_key is not None:
        actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
        statements.append({"Action": actions, "Resource": settings.encryption_key.key_arn})
    # As CodeBuild's guide says, "Cross-service confused deputy prevention"; the project refers to its role, so the role
    # cannot name the project.
    trust = {
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "codebuild.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": here.account},
            "ArnLike": {"aws:SourceArn": here.arn("codebuild", "project/*")},
        },
    }
    role = iam.CfnRole(
        scope,
        "ProjectRole",
        description="Assumed by CodeBuild to copy the weights of a model into a bucket",
        assume_role_policy_document=policy_document(trust),
        policies=[iam.CfnRole.PolicyProperty(policy_name="Copy", policy_document=policy_document(*statements))],
    )
    acknowledge(role, INLINE_POLICIES, COPIED_FOLDER.at(scope, settings.object_arns[0]))
    return role
