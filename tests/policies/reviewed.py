"""What policies of this repository may say although a rule of `test_statements` forbids it, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

_REGION, _ACCOUNT = "(<AWS::Region>|[a-z0-9-]+)", r"(<AWS::AccountId>|\d{12})"
_LOGS_HERE = f"arn:<AWS::Partition>:logs:{_REGION}:{_ACCOUNT}:"
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")


@dataclass(frozen=True)
class ReviewedResource:
    """A wildcard in a resource of an action that takes the name of one.

    Args:
        actions: The actions.
        pattern: Regular expression of the resource, with references as `<Ref>`.
        reason: Why it has to be one.
        where: Regular expression of the stack and logical id that may have it.
        condition: The key of a condition that narrows it. Default: none does.
    """

    actions: tuple[str, ...]
    pattern: str
    reason: str
    where: str = ".*"
    condition: str | None = None


RESOURCES = (
    ReviewedResource(
        (
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ),
        r"(arn:<AWS::Partition>:s3:::[a-z0-9.-]+|<\w+\.\w*Arn\w*>|<\w+:ExportsOutputFnGetAtt\w+Arn\w+>)/[^*]+/\*",
        "The objects below one folder of one bucket: weights have many files, and callers and SageMaker name requests, "
        "answers and captured requests.",
    ),
    ReviewedResource(
        ("secretsmanager:GetSecretValue",),
        r"arn:<AWS::Partition>:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^*?]+-\?{6}",
        "Secrets Manager ends the ARN of a secret with six characters, which the name alone does not tell.",
        where=r".*StagedWeights\w+ProjectRole\w+",
    ),
    ReviewedResource(
        ("secretsmanager:GetSecretValue",),
        r"arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:\*",
        "The name of the secret is CloudFormation's and does not exist yet; the condition names its tag.",
        condition="aws:ResourceTag/read-by",
        where=r"GitHubAccess/Deploy\w+",
    ),
    ReviewedResource(
        ("cloudformation:DescribeStacks", "cloudformation:GetTemplate"),
        r"arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/ChatService/\*",
        "The ARN of one stack: CloudFormation ends it with an id that a new stack of this name has anew.",
        where=r"GitHubAccess/Compare\w+",
    ),
    ReviewedResource(
        _LOGS,
        rf"{_LOGS_HERE}log-group:/aws/sagemaker/(Endpoints|InferenceComponents)/[^*]+:\*",
        "The log streams of one log group: its ARN ends so.",
    ),
    ReviewedResource(
        _LOGS,
        rf"{_LOGS_HERE}log-group:/aws/sagemaker/Endpoints/\*",
        "CloudFormation names the endpoint after it has created the role. With endpoint_name it is one log group.",
    ),
    ReviewedResource(
        (*_LOGS, "logs:FilterLogEvents", "logs:GetLogEvents"),
        rf"{_LOGS_HERE}\*",
        "One role writes the logs of every REST API of account and Region, into log groups that API Gateway and "
        "the owners of those APIs name (API Gateway guide, Set up CloudWatch logging for REST APIs).",
        where=r".*AccountLogRole\w+",
    ),
    ReviewedResource(
        ("cloudwatch:PutMetricData",),
        r"\*",
        "Metrics have no ARN; the condition names their namespace.",
        condition="cloudwatch:namespace",
    ),
    ReviewedResource(
        (
            "ec2:CreateNetworkInterface",
            "ec2:CreateNetworkInterfacePermission",
            "ec2:DeleteNetworkInterface",
            "ec2:DeleteNetworkInterfacePermission",
        ),
        r"\*",
        "SageMaker refuses a role that may do this for some interfaces only (SageMaker guide, How to use SageMaker AI "
        "execution roles, CreateModel API).",
        where=r".*/\w+(?<!FunctionRole)Policy\w{8}",
    ),
    ReviewedResource(
        ("ec2:AssignPrivateIpAddresses", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses"),
        r"\*",
        "Lambda refuses a role that may do this for some interfaces only (Lambda guide, Giving Lambda functions access "
        "to resources in an Amazon VPC).",
        where=r".*FunctionRole(DefaultPolicy)?\w{8}",
    ),
    ReviewedResource(
        ("ec2:CreateNetworkInterface",),
        rf"arn:<AWS::Partition>:ec2:{_REGION}:({_ACCOUNT}:network-interface/\*|\*:(subnet|security-group)/[^*]+)",
        "Interfaces that Lambda creates have no names before. A subnet that is shared with this account is another's.",
        where=r".*FunctionRole(DefaultPolicy)?\w{8}",
    ),
    ReviewedResource(
        ("secretsmanager:GetSecretValue",),
        rf"arn:<AWS::Partition>:secretsmanager:{_REGION}:{_ACCOUNT}:secret:[^*?]+-\?{{6}}",
        "The six characters that Secrets Manager adds to the name of a secret (Secrets Manager guide, Secret ARNs).",
    ),
)

ACTIONS = {
    ("AWS::KMS::Key", "kms:*"): "The account's own principals, so that the key never gets out of control (KMS guide, "
    "Default key policy).",
    (
        "AWS::KMS::Key",
        "kms:GenerateDataKey*",
    ): "What the SNS guide wants for services that publish to an encrypted topic "
    "(Managing Amazon SNS encryption keys and costs).",
}
"""Wildcards in actions, by the type of the resource that has the policy."""

CONDITIONED = {
    "sagemaker.amazonaws.com": "SageMaker guide, Cross-service confused deputy prevention",
    "sns.amazonaws.com": "SNS guide, Subscribing an Amazon SQS queue to an Amazon SNS topic",
    "cloudwatch.amazonaws.com": "SNS guide, Example cases for Amazon SNS access control",
    "ecs-tasks.amazonaws.com": "ECS guide, Amazon ECS task IAM role",
    "vpc-flow-logs.amazonaws.com": "VPC guide, IAM role for publishing flow logs to CloudWatch Logs",
    "logging.s3.amazonaws.com": "S3 guide, Enabling Amazon S3 server access logging",
    "codebuild.amazonaws.com": "CodeBuild guide, Cross-service confused deputy prevention",
    "events.amazonaws.com": "EventBridge guide, Using resource-based policies for Amazon EventBridge (queues)",
    "logs": "CloudWatch Logs guide, Encrypt log data in CloudWatch Logs using AWS Key Management Service",
    "apigateway.amazonaws.com": "Lambda guide, Working with resource-based policies (permissions of functions)",
}
"""Services whose guide has a condition for the statements that trust them, and where it has it."""

UNCONDITIONED = {
    ("AWS::IAM::Role", "lambda.amazonaws.com"): "Lambda's guide has no condition for execution roles (Defining Lambda "
    "function permissions with an execution role).",
    (
        "AWS::IAM::Role",
        "apigateway.amazonaws.com",
    ): "API Gateway's guide has no condition for the role that writes logs, and "
    "tries the role when the account is set (Set up CloudWatch logging for REST APIs).",
    ("AWS::SNS::TopicPolicy", "events.amazonaws.com"): "EventBridge sends nothing that a topic's policy could compare "
    "(EventBridge guide, Using resource-based policies for Amazon EventBridge).",
    ("AWS::KMS::Key", "events.amazonaws.com"): "As for the topic that the key encrypts (SNS guide, Managing Amazon SNS "
    "encryption keys and costs).",
    ("AWS::KMS::Key", "cloudwatch.amazonaws.com"): "No guide says what CloudWatch sends when a topic's key is used.",
}
"""Trusts without a condition, by the type of the resource that has the policy."""

EVERYBODY = {
    "AWS::ApiGateway::RestApi": "The API's own access method tells callers apart; a second statement denies those "
    "from other VPC endpoints.",
    "AWS::ApiGateway::DomainNameV2": "As for the API behind the domain.",
}
"""Policies that allow something to everybody."""
