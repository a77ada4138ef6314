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

API = {
    "AwsSolutions-APIG2": "The request validator is in the API's document (x-amazon-apigateway-request-validators), "
    "where the rule does not look: every operation with a body has it. No parameter is required.",
}

_NO_EXECUTION_LOG = {
    "AwsSolutions-APIG6": "Execution logs may quote the body that the request validator refused, and prompts are never "
    "logged here. The access log has the status, the error and the integration's message of every request.",
}

STAGE_WITH_WEB_ACL = _NO_EXECUTION_LOG

STAGE = _NO_EXECUTION_LOG | {
    "AwsSolutions-APIG3": "The gateway checks access, rate, burst and body of every request. A web ACL is billed by "
    "itself and its rules are the account's choice; FrontDoor(web_acl=…) associates one with the stage.",
}

ACCOUNT_LOG_ROLE_REASON = (
    "One role per account and Region writes the logs of every REST API there, into groups that do not exist yet."
)
