"""The account's CloudWatch role, without which API Gateway writes no logs: one per account and Region."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._nag import acknowledge, wildcard_finding
from constructs_lib._stack_env import environment_of

# The actions of the managed policy AmazonAPIGatewayPushToCloudWatchLogs, which allows them in every Region and account.
_ACTIONS = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
]

_WILDCARD_REASON = (
    "One role per account and Region writes the logs of every REST API there, into log groups that do not exist yet."
)


def set_account_log_role(scope: Construct) -> apigateway.CfnAccount:
    """Set the role that API Gateway writes logs with in this account and Region.

    The setting and its role are retained when the stack is deleted: other APIs of the account may log with them by
    then, and CloudFormation does not restore an earlier setting.
    """
    groups = environment_of(scope).arn("logs", "*")
    role = iam.CfnRole(
        scope,
        "AccountLogRole",
        description="Assumed by API Gateway to write the logs of this account's REST APIs",
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
        # Inline: API Gateway tests the role when it is set.
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
    acknowledge(role, {wildcard_finding(role, groups): _WILDCARD_REASON})
    return account
