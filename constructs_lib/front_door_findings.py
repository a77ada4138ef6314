"""The findings of cdk-nag that the front door accepts, each with its reason, acknowledged resource by resource."""

from __future__ import annotations

SYNCHRONOUS_FUNCTION = {
    "Serverless-LambdaDLQ": "API Gateway invokes this function synchronously: the caller gets the error, and there is "
    "no asynchronous event that a dead letter queue could keep.",
}

TRACED_ROLE = {
    "AwsSolutions-IAM5[Resource::*]": "xray:PutTraceSegments and xray:PutTelemetryRecords know no resource, so IAM "
    "takes only * for them.",
}

KEYED_METHOD = {
    "AwsSolutions-COG4": "Callers are programs that hold an API key: the authorizer and API Gateway's usage plan check "
    "it on every request, and there are no users for a Cognito pool to sign in.",
}

STAGE = {
    "AwsSolutions-APIG3": "Every route needs an API key, and rate, burst, quota and body are checked by the gateway. A "
    "web ACL is billed by itself and its rules are the account's choice; one can be associated with the stage.",
    "AwsSolutions-APIG6": "Execution logs may quote the body that the request validator refused, and prompts are never "
    "logged here. The access log has the status, the error and the integration's message of every request.",
}

ACCOUNT_LOG_ROLE_REASON = (
    "One role per account and Region writes the logs of every REST API there, into groups that do not exist yet."
)
