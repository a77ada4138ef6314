"""Every finding of cdk-nag's rule packs that is acknowledged instead of met, by resource, each with its reason.

This file is for auditors as well: `docs/acknowledgements.md` is generated from it. The constructs apply an entry to the
one resource that it is about; templates carry it as metadata. What is not listed here is met, or is reported.
"""

from __future__ import annotations

from constructs_lib._nag import Acknowledged, Pack, Rule, Wildcard

_AWS_SOLUTIONS = (Pack.AWS_SOLUTIONS,)
_SERVERLESS = (Pack.SERVERLESS,)
_NIST_HIPAA = (Pack.NIST, Pack.HIPAA)
_HIPAA_PCI = (Pack.HIPAA, Pack.PCI)
_STRICT = (Pack.NIST, Pack.HIPAA, Pack.PCI)
_ALL_WITH_QUEUES = (Pack.SERVERLESS, Pack.NIST, Pack.HIPAA)

# --- Every role ------------------------------------------------------------------------------------------------------

INLINE_POLICIES = Acknowledged(
    "Every role of this library and of its stacks",
    (
        Rule(
            "IAMNoInlinePolicy",
            _STRICT,
            "Each policy is for one role, names what that role is for, and is deleted with it. A managed policy could"
            " be attached to other principals, and would need rights to create policies in the deployment.",
        ),
    ),
)

# --- The API of a front door -----------------------------------------------------------------------------------------

REST_API = Acknowledged(
    "The REST API of a front door",
    (
        Rule(
            "APIG2",
            _AWS_SOLUTIONS,
            "The function validates every request and answers in the protocol of its client (OpenAI's or TGI's)."
            " API Gateway's own validation has one response for all routes, which half of the clients could not read.",
        ),
    ),
)

STAGE = Acknowledged(
    "The stage of a front door",
    (
        Rule(
            "APIGWCacheEnabledAndEncrypted",
            _STRICT,
            "Answers are generated anew, most of them as streams, which API Gateway does not cache. A cache would keep"
            " prompts and answers.",
        ),
        Rule(
            "APIGWSSLEnabled",
            _STRICT,
            "API Gateway presents a client certificate to HTTP integrations alone. This stage has only Lambda"
            " integrations, which are invoked with IAM's permissions.",
        ),
    ),
)

STAGE_WITHOUT_EXECUTION_LOGS = Acknowledged(
    "The stage of a front door without `execution_logging`",
    (
        Rule(
            "APIG6",
            _AWS_SOLUTIONS,
            "Execution logs can quote requests, and prompts are never logged here. The access log has the status, the"
            " error and the integration's message of every request.",
        ),
    ),
)

STAGE_WITHOUT_WEB_ACL = Acknowledged(
    "The stage of a front door without `web_acl`",
    (
        Rule(
            "APIG3",
            _AWS_SOLUTIONS,
            "The gateway checks access, rate and burst of every request. A web ACL is billed separately and its rules"
            " are the account's choice; FrontDoor(web_acl=…) associates one with the stage.",
        ),
    ),
)

MANAGED_WEB_ACL = Acknowledged(
    "The web ACL of `WebAcl.managed()`",
    (
        Rule(
            "WAFv2LoggingEnabled",
            _STRICT,
            "The log of a web ACL has the headers of requests and quotes what a rule matched, and neither keys nor"
            " prompts are logged here. Its metrics count what each rule does; WebAcl.from_web_acl takes one that logs.",
        ),
    ),
)

ACCOUNT_LOGS = Wildcard(
    "The account's role for API Gateway's logs",
    "One role per account and Region writes the logs of every REST API there, into log groups that do not exist yet.",
)

# --- The functions of a front door -----------------------------------------------------------------------------------

API_FUNCTION = Acknowledged(
    "The function of a front door, and the function that authorizes its callers",
    (
        Rule(
            "LambdaDLQ",
            _ALL_WITH_QUEUES,
            "API Gateway invokes this function synchronously: the caller gets the error, and there is no asynchronous"
            " event for a dead-letter queue.",
        ),
    ),
)

_TRACES = "xray:PutTraceSegments and xray:PutTelemetryRecords have no resource types, so IAM requires the resource *."

FUNCTION_TRACES = Wildcard("The role of such a function: traces", _TRACES)

AUTHORIZER_ROLE = Acknowledged(
    "The role of an access method's function, which has its policy in itself: traces",
    (Rule("LambdaStarPermissions", (Pack.SERVERLESS,), _TRACES),),
)

NEW_INTERFACE = Wildcard(
    "The role of a function in a VPC: creating its network interface",
    "A network interface gets its id when it is created; subnets and security groups are named, in whatever account"
    " they are shared from.",
)

MANAGED_INTERFACES = Wildcard(
    "The role of a function in a VPC: managing its network interfaces",
    "Lambda tests a role for a VPC without naming a network interface, and rejects one that may manage only some. The"
    " code of the function is denied all of it.",
)

_LOST_COPY = (
    "A copy that is lost changes nothing for its client and is not sent again; whatever kept it would keep prompts."
)

MIRROR_FUNCTION = Acknowledged(
    "The function that sends a Mirror's copies",
    (
        Rule("LambdaDLQ", _ALL_WITH_QUEUES, _LOST_COPY),
        Rule(
            "LambdaTracing",
            _SERVERLESS,
            "The log line of a copy has its times; traces would need a permission on all resources.",
        ),
    ),
)

MIRROR_EVENTS = Acknowledged(
    "What Lambda does with the events of that function",
    (Rule("LambdaAsyncFailureDestination", _SERVERLESS, _LOST_COPY),),
)

SMOKE_TEST = Acknowledged(
    "The function of the smoke test",
    (
        Rule(
            "LambdaDLQ",
            _ALL_WITH_QUEUES,
            "CloudFormation waits for the function's answer and not for its invocation: an event that is lost ends as a"
            " failed deployment after ServiceTimeout.",
        ),
        Rule(
            "LambdaTracing",
            _SERVERLESS,
            "It runs once in a deployment and logs what it met; traces would need a permission on all resources.",
        ),
        Rule(
            "LambdaConcurrency",
            _NIST_HIPAA,
            "CloudFormation invokes it once in a deployment. A reservation would keep its concurrency from the"
            " account's other functions at all times.",
        ),
        Rule(
            "LambdaInsideVPC",
            _STRICT,
            "It calls Lambda and CloudFormation, and answers CloudFormation at an address of S3: a VPC would need"
            " further endpoints for deployments alone. What it invokes stays in the VPC.",
        ),
    ),
)

# --- Consumers of a front door ---------------------------------------------------------------------------------------

CONSUMER_SECRET = Acknowledged(
    "The secret with a consumer's API key",
    (
        Rule(
            "SMG4",
            _AWS_SOLUTIONS,
            "The secret is the value of an API key, which API Gateway does not read again: a rotation in place would"
            " change nothing but the secret. Keys are rotated by a second one (`keys` of add_consumer).",
        ),
        Rule(
            "SecretsManagerRotationEnabled",
            _NIST_HIPAA,
            "The secret is the value of an API key, which API Gateway does not read again: a rotation in place would"
            " change nothing but the secret. Keys are rotated by a second one (`keys` of add_consumer).",
        ),
    ),
)

LIMITS_TABLE = Acknowledged(
    "The table of what consumers use",
    (
        Rule(
            "DynamoDBInBackupPlan",
            _NIST_HIPAA,
            "It has counters, most of which a new minute or day makes worthless, and is restored to any second of the"
            " last 35 days. A plan of AWS Backup would keep counters that no longer limit anybody.",
        ),
    ),
)

# --- Endpoints -------------------------------------------------------------------------------------------------------

LOCAL_STORAGE = Acknowledged(
    "The EndpointConfig of an endpoint on instances with local NVMe storage",
    (
        Rule(
            "SageMakerEndpointConfigurationKMSKeyConfigured",
            _STRICT,
            "A key of the EndpointConfig does not encrypt local NVMe storage, which is all that these"
            " instances have. A hardware module of the instance encrypts it.",
        ),
    ),
)

ENDPOINT_LOGS = Wildcard(
    "The role of an endpoint: its logs",
    "SageMaker creates the endpoint's log group and streams under names that are not known before.",
)

ENDPOINT_METRICS = Wildcard(
    "The role of an endpoint: its metrics",
    "cloudwatch:PutMetricData has no resource type; a condition narrows it to one namespace.",
)

IMAGE_TOKEN = Wildcard(
    "The role of an endpoint: the token for its image",
    "ecr:GetAuthorizationToken has no resource type; the statement for pulling names the repository.",
)

MODEL_FOLDER = Wildcard(
    "The role of an endpoint: its weights in S3",
    "The model consists of every object under its prefix.",
)

ENDPOINT_INTERFACES = Wildcard(
    "The role of an endpoint in a VPC: network interfaces",
    "SageMaker rejects a role whose permissions for network interfaces are narrowed.",
)

CAPTURE_FOLDER = Wildcard(
    "The role of an endpoint with data capture: what is captured",
    "SageMaker names what it captures by endpoint, variant and time.",
)

REQUEST_FOLDER = Wildcard(
    "The role of an asynchronous endpoint: requests",
    "A client names the objects in which its requests are.",
)

ANSWER_FOLDERS = Wildcard(
    "The role of an asynchronous endpoint: answers",
    "SageMaker names the objects into which it writes answers.",
)

ASYNC_FOLDERS = Wildcard(
    "Whoever may invoke an asynchronous endpoint (`grant_invoke_async`)",
    "Requests and answers of asynchronous inference are objects in folders of their own.",
)

# --- Staging weights -------------------------------------------------------------------------------------------------

COPY_PROJECT = Acknowledged(
    "The CodeBuild project that copies weights",
    (
        Rule(
            "CodeBuildProjectSourceRepoUrl",
            _HIPAA_PCI,
            "Its source is an archive in the bucket of the CDK's assets, which it reads with its role. There is no"
            " repository, and so no credential for one.",
        ),
    ),
)

COPY_PROJECT_WITHOUT_KEY = Acknowledged(
    "The CodeBuild project that copies weights, without `encryption_key`",
    (
        Rule(
            "CB4",
            _AWS_SOLUTIONS,
            "The project has no artifact, no cache and no report that the key would encrypt: it writes to the bucket of"
            " the weights, with the encryption of that bucket. encryption_key sets one.",
        ),
    ),
)

COPIED_FOLDER = Wildcard(
    "The role of that project: the weights",
    "The repository's own paths name the files of the model, under a prefix that has its commit.",
)

COPY_STARTER = Acknowledged(
    "The function that starts a copy",
    (
        Rule(
            "LambdaTracing",
            _SERVERLESS,
            "It runs a few times in a deployment and logs what it met; traces would need a permission on all"
            " resources.",
        ),
        Rule(
            "LambdaConcurrency",
            _NIST_HIPAA,
            "CloudFormation and one rule invoke it a few times in a deployment. A reservation would keep its"
            " concurrency from the account's other functions at all times.",
        ),
        Rule(
            "LambdaInsideVPC",
            _STRICT,
            "It calls CodeBuild, and answers CloudFormation at an address of S3: a VPC would need further endpoints for"
            " deployments alone. It handles neither weights nor prompts.",
        ),
    ),
)

DELETED_FOLDER = Wildcard(
    "The role of that function: weights that are deleted with the stack",
    "The manifest names the files that are deleted with the resource, under a prefix of their commit.",
)

LOST_EVENTS = Acknowledged(
    "The queue of events that the function did not take",
    (
        Rule(
            "SQSRedrivePolicy",
            _SERVERLESS,
            "It is the dead-letter queue of a function and of a rule; nothing receives from it.",
        ),
    ),
)

# --- Notifications ---------------------------------------------------------------------------------------------------

COMBINED_ALARM_PART = Acknowledged(
    "An alarm that is part of a composite alarm",
    (
        Rule(
            "CloudWatchAlarmAction",
            _NIST_HIPAA,
            "The composite alarm notifies when this alarm and the other one are on together. Alone, each would report"
            " what is too short to matter, or over already.",
        ),
    ),
)

_QUEUE_OF_RULE = "It is the dead-letter queue of a rule; people read it, and no program receives from it."

LOST_NOTIFICATIONS = Acknowledged(
    "The queue of state changes that the topic did not take",
    (
        Rule("SQS3", _AWS_SOLUTIONS, _QUEUE_OF_RULE),
        Rule("SQSRedrivePolicy", _SERVERLESS, _QUEUE_OF_RULE),
    ),
)

ALARM_MAIL = Acknowledged(
    "The address that gets a mail of each alarm",
    (
        Rule(
            "SNSRedrivePolicy",
            _SERVERLESS,
            "A mail that SNS cannot deliver is one about an alarm, whose state the console shows as well. Nobody would"
            " read a queue of them.",
        ),
    ),
)

# --- HardenedBaseStack -----------------------------------------------------------------------------------------------

BASE_VPC = Acknowledged(
    "The VPC of HardenedBaseStack",
    (
        Rule(
            "VPCDefaultSecurityGroupClosed",
            _STRICT,
            "CloudFormation cannot remove the rules of a default security group, and the CDK's function for that has a"
            " policy of AWS's. Nothing is in the group: every network interface of these stacks has another.",
        ),
    ),
)

WEIGHTS_BUCKET = Acknowledged(
    "The bucket for weights of HardenedBaseStack",
    (
        Rule(
            "S3BucketReplicationEnabled",
            _STRICT,
            "It has copies of public or licensed weights at commits that the stacks name. A deployment in any Region"
            " copies them again and checks their digests.",
        ),
    ),
)

REQUEST_LOG_BUCKET = Acknowledged(
    "The bucket of HardenedBaseStack for the log of requests to it",
    (
        Rule(
            "S3BucketReplicationEnabled",
            _STRICT,
            "It keeps versions of the log of requests for a year in the Region of what it is about. Where else to keep"
            " them is the account's choice, such as a trail of S3 data events for the organization.",
        ),
        Rule(
            "S3DefaultEncryptionKMS",
            _STRICT,
            "S3 delivers logs of requests only into buckets whose default encryption is S3's own keys.",
        ),
    ),
)
