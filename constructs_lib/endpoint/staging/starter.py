"""The function that starts a copy, ends it, and hears of one that died silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from constructs_lib._dead_letters import add_queue, take_from
from constructs_lib._functions import newest_python_name, policy_document
from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import COPY_STARTER, DELETED_FOLDER, INLINE_POLICIES, LOST_EVENTS

if TYPE_CHECKING:
    from aws_cdk import aws_s3_assets as assets
    from constructs import Construct

    from constructs_lib.endpoint.staging.settings import StagingSettings

FUNCTION_SECONDS = 180
"""Starting takes seconds; deleting the files of a large model takes longer."""

_ENDED_BADLY = ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"]


class Starter:
    """The function, and everything that has to exist before it may start a copy.

    Args:
        scope: The scope of its resources.
        settings: What is copied.
        project: What copies.
        code: The function's code, at the root of an archive.

    Attributes:
        arn: ARN of the function.
        resources: The resources; the custom resource depends on them.
    """

    def __init__(
        self, scope: Construct, settings: StagingSettings, project: codebuild.CfnProject, code: assets.Asset
    ) -> None:
        log_group = logs.LogGroup(
            scope,
            "StarterLogs",
            retention=settings.log_retention,
            encryption_key=settings.encryption_key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        queue = add_queue(scope, "LostEvents", LOST_EVENTS)
        role = _add_role(scope, settings, project, log_group.log_group_arn, queue.attr_arn)
        function = lambda_.CfnFunction(
            scope,
            "Starter",
            architectures=["arm64"],
            code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
            handler="staging_starter.handler.handler",
            description="Starts the copy of a model's weights, and reports one that died",
            timeout=FUNCTION_SECONDS,
            memory_size=256,
            role=role.attr_arn,
            runtime=newest_python_name(),
            dead_letter_config=lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=queue.attr_arn),
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=log_group.log_group_name),
        )
        acknowledge(function, COPY_STARTER)
        rule = events.CfnRule(
            scope,
            "Ended",
            description="Builds that copy a model's weights and end without success",
            event_pattern={
                "source": ["aws.codebuild"],
                "detail-type": ["CodeBuild Build State Change"],
                "detail": {"project-name": [project.ref], "build-status": _ENDED_BADLY},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Starter",
                    arn=function.attr_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.attr_arn),
                )
            ],
        )
        permission = lambda_.CfnPermission(
            scope,
            "EndedPermission",
            action="lambda:InvokeFunction",
            function_name=function.attr_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        policy = take_from(rule, scope, "LostEventsPolicy", queue)
        self.arn = function.attr_arn
        self.resources: tuple[CfnResource, ...] = (rule, permission, policy)


def _add_role(
    scope: Construct,
    settings: StagingSettings,
    project: codebuild.CfnProject,
    log_group_arn: str,
    queue_arn: str,
) -> iam.CfnRole:
    bucket, places = settings.bucket, settings.files.places
    builds = ["BatchGetBuilds", "ListBuildsForProject", "StartBuild", "StopBuild"]
    statements: list[dict[str, object]] = [
        {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": log_group_arn},
        {"Action": [f"codebuild:{action}" for action in builds], "Resource": project.attr_arn},
        {"Action": ["s3:GetObject"], "Resource": bucket.arn_for_objects(places.manifest)},
        {"Action": ["s3:ListBucket"], "Resource": bucket.bucket_arn, "Condition": settings.listed},
        {"Action": ["sqs:SendMessage"], "Resource": queue_arn},
        *settings.key_statements("kms:Decrypt"),
    ]
    folder = bucket.arn_for_objects(f"{places.folder}*")
    if settings.deletes:
        deleted = [folder, bucket.arn_for_objects(places.manifest)]
        statements.append({"Action": ["s3:DeleteObject"], "Resource": deleted})
    role = iam.CfnRole(
        scope,
        "StarterRole",
        description="Assumed by the function that starts the copy of a model's weights",
        assume_role_policy_document=policy_document(
            {"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ),
        policies=[iam.CfnRole.PolicyProperty(policy_name="Start", policy_document=policy_document(*statements))],
    )
    acknowledge(role, INLINE_POLICIES, *([DELETED_FOLDER.at(scope, folder)] if settings.deletes else []))
    return role
