"""What the policy of a caller's key must allow, so that AWS's services can encrypt with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import resolved
from constructs_lib.planning.validation.problem import PlanWarning, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_kms as kms
    from constructs import IConstruct

# The guide writes them with wildcards, which also match what only asymmetric keys have.
_LOG_ACTIONS = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


def key_problems(keyword: str, key: object) -> Iterator[Problem]:
    """The problem of an alias, which log groups do not take.

    Args:
        keyword: The argument.
        key: A key of aws_kms.
    """
    arn = getattr(key, "key_arn", None)
    if isinstance(arn, str) and ":alias/" in arn:
        fix = 'Give aws_kms.Key.from_key_arn(self, "Key", "<its ARN>"), or Key.from_lookup(…, alias_name=…).'
        yield Problem(keyword, key, "is an alias, and CloudWatch Logs takes the ARN of a key", fix)


def allow_services(scope: IConstruct, key: kms.IKey) -> Iterator[PlanWarning]:
    """Let CloudWatch Logs use a key, which is all that the key's policy must say beyond the default.

    Lambda, DynamoDB and SQS use it for the principals that call them, whom the default policy lets IAM decide about.

    Args:
        scope: A construct of the stack whose log groups have it.
        key: The key.

    Returns:
        The warning about a key whose policy the app cannot change.
    """
    statement = _logs_statement(scope)
    added = key.add_to_resource_policy(iam.PolicyStatement.from_json(statement), allow_no_op=True)
    if not added.statement_added:
        text = json.dumps(resolved(environment_of(scope).stack, {**statement, "Resource": "*"}), sort_keys=True)
        yield PlanWarning(
            "tgi-endpoint:keyPolicyUnknown",
            "encryption_key is not created by this app, which cannot change its policy. Without this statement"
            f" CloudWatch Logs refuses to create the log groups: {text} Lambda, DynamoDB and SQS need a policy that"
            " leaves the rest to IAM, as the default policy of a key does.",
        )


def _logs_statement(scope: IConstruct) -> dict[str, Any]:
    """The statement of CloudWatch Logs' guide, "Encrypt log data in CloudWatch Logs using AWS KMS".

    It names no log group: their names are made of the key's users, which refer to the key.
    """
    here = environment_of(scope)
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{here.region}.{here.url_suffix}"},
        "Action": _LOG_ACTIONS,
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": here.arn("logs", "log-group:*")}},
    }
