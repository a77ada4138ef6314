"""The account's CloudWatch role, without which API Gateway writes no logs: one per account and Region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib._functions import policy_document
from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import ACCOUNT_LOGS, INLINE_POLICIES
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib._stack_env import StackEnvironment

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

# What sets the role, by stack. Leaks nothing: jsii never releases an object either.
_ACCOUNTS: dict[StackEnvironment, apigateway.CfnAccount] = {}


def account_of(environment: StackEnvironment) -> apigateway.CfnAccount | None:
    """What sets the role in a stack already; None if nothing does so far.

    Args:
        environment: The environment of the stack.
    """
    return _ACCOUNTS.get(environment)


def log_role_problems(environment: StackEnvironment, cloud_watch_role: object) -> Iterator[Problem]:
    """The problem of a front door that sets the role although another one of its stack does.

    Args:
        environment: The environment of the stack.
        cloud_watch_role: The argument, whatever its type is.
    """
    account = account_of(environment)
    if cloud_watch_role is True and account is not None:
        yield Problem(
            "cloud_watch_role",
            True,
            f"is one setting for the account and Region, which {account.node.path} in this stack makes already",
            "Pass cloud_watch_role=False to this front door.",
        )


def set_account_log_role(
    scope: Construct, environment: StackEnvironment, *, after: apigateway.CfnRestApi
) -> apigateway.CfnAccount:
    """Set the role that API Gateway writes logs with in this account and Region.

    The setting and its role are retained when the stack is deleted: other APIs of the account may log with them by
    then, and CloudFormation does not restore an earlier setting.

    Args:
        scope: The scope of both.
        environment: The environment of its stack.
        after: The API that the setting waits for.
    """
    groups = environment.arn("logs", "*")
    role = iam.CfnRole(
        scope,
        "AccountLogRole",
        description="Assumed by API Gateway to write the logs of this account's REST APIs",
        assume_role_policy_document=policy_document(
            {"Action": "sts:AssumeRole", "Principal": {"Service": "apigateway.amazonaws.com"}}
        ),
        # Inline: API Gateway tests the role when it is set.
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="WriteLogs",
                policy_document=policy_document({"Action": _ACTIONS, "Resource": groups}),
            )
        ],
    )
    account = apigateway.CfnAccount(scope, "Account", cloud_watch_role_arn=role)
    # API Gateway assumes the role when the setting is made, and rejects it ("does not have required permissions") until
    # IAM has spread a new role: aws/aws-cdk issue 2194. The role is created at the start of the deployment and the API
    # near its end, after the function and its role, so waiting for the API gives IAM that time. The API waits for
    # nothing that waits for the setting, as only the stage does. The CDK's own RestApi has the same order.
    account.add_resource_dependency(after)
    for resource in (role, account):
        resource.apply_removal_policy(RemovalPolicy.RETAIN)
    _ACCOUNTS[environment] = account
    acknowledge(role, INLINE_POLICIES, ACCOUNT_LOGS.at(environment.stack, groups))
    return account
