"""The account's setting that lets API Gateway write logs at all: one per account and Region."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._nag import acknowledge, wildcard_finding
from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.nag_findings import ACCOUNT_LOG_ROLE_REASON

# What the managed policy AmazonAPIGatewayPushToCloudWatchLogs allows, here without its reach into other Regions
# and accounts.
_ACTIONS = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
]


def account_log_role(scope: Construct) -> apigateway.CfnAccount:
    """Set the role with which API Gateway writes logs in this account and Region.

    Both the setting and its role stay when the stack goes: other APIs of the account log with them by then, and
    CloudFormation does not put an earlier setting back.
    """
    groups = environment_of(scope).arn("logs", "*")
    role = iam.CfnRole(
        scope,
        "AccountLogRole",
        description="API Gateway writes the logs of this account's REST APIs",
        assume_role_policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "apigateway.amazonaws.com"},
                }
            ],
        },
        # In the role itself: API Gateway tries the role out when it is set.
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="WriteLogs",
                policy_document={
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": _ACTIONS,
                            "Resource": groups,
                        }
                    ],
                },
            )
        ],
    )
    account = apigateway.CfnAccount(scope, "Account", cloud_watch_role_arn=role.attr_arn)
    for resource in (role, account):
        resource.apply_removal_policy(RemovalPolicy.RETAIN)
    acknowledge(role, {wildcard_finding(role, groups): ACCOUNT_LOG_ROLE_REASON})
    return account
