"""Causes that AWS names: in the reason of a failure, a stack's event, or a scaling activity.

Sources: the words of SageMaker, CloudFormation and Application Auto Scaling as public reports have them
(tests/field/cases/network.json, docs/operations.md, docs/aws-contract.md).
"""

from __future__ import annotations

from constructs_lib.planning.diagnosis.cause import Cause, Weight, patterns
from constructs_lib.planning.diagnosis.signals import Source

_AWS = frozenset((Source.STACK, Source.STATUS, Source.SCALING, Source.ACCESS))

ACCOUNT: tuple[Cause, ...] = (
    Cause(
        id="quota",
        title="The account may not run that many instances of the type",
        fix="Raise the quota in the Region; an update needs up to twice the instances.",
        patterns=patterns(
            r"account-level service limit|ResourceLimitExceeded|for endpoint usage['’] is \d+",
            r"service quota.{0,60}exceeded",
        ),
        weight=Weight.NAMED + 5,
        sources=_AWS,
        runbook="operations.md#quota-0",
    ),
    Cause(
        id="capacity",
        title="AWS has no instance of the type in the Region at the moment",
        fix="Give instance types by priority (instance_type=[…]), raise instance_provision_timeout, try another"
        " Region, or"
        " reserve capacity; then deploy again.",
        patterns=patterns(
            r"InsufficientInstanceCapacity|Insufficient capacity|Unable to provision requested ML compute capacity",
            r"CapacityError",
        ),
        weight=Weight.NAMED + 5,
        sources=_AWS,
        runbook="operations.md#insufficientinstancecapacity",
    ),
    Cause(
        id="weights-access",
        title="SageMaker could not read the weights in S3",
        fix="Check that the prefix has the files, that the bucket is in the endpoint's Region, and that the bucket's"
        " and its key's"
        " policy allow the endpoint's role; Model.from_s3 grants the role what it needs.",
        patterns=patterns(
            r"Could not access model data|Could not find model data|Failed to download model data",
            r"no objects? (?:found )?(?:below|at|under) s3://|bucket is in [a-z0-9-]+, the endpoint in",
            r"model data.{0,80}(?:does not exist|not found|denied)",
        ),
        sources=_AWS,
    ),
    Cause(
        id="download-timeout",
        title="SageMaker had not copied the weights from S3 in time",
        fix="Raise model_download_timeout (up to 1 hour); files that are not in an archive load faster.",
        # The words of SageMaker are not known here: anything that says so of model data.
        patterns=patterns(r"model (?:data|artifacts?)\b.{0,160}(?:timed? ?out|within \d+ (?:seconds|minutes))"),
        weight=Weight.NAMED + 2,
        sources=_AWS,
    ),
    Cause(
        id="s3-route",
        title="The endpoint's subnets do not reach S3",
        fix="Add a gateway endpoint for S3 to the VPC: vpc.add_gateway_endpoint('S3', service="
        "ec2.GatewayVpcEndpointAwsService.S3).",
        patterns=patterns(r"ensure that (?:an|the) S3 VPC endpoint exists|S3 VPC endpoint"),
        weight=Weight.NAMED + 3,
        sources=_AWS,
    ),
    Cause(
        id="role-trust",
        title="SageMaker may not assume the endpoint's role",
        fix="Let sagemaker.amazonaws.com assume the role: iam.Role(…,"
        " assumed_by=iam.ServicePrincipal('sagemaker.amazonaws.com'));"
        " without role= the construct makes one.",
        patterns=patterns(
            r"Could not assume role|(?:not|un)able to assume|allows? principal 'sagemaker\.amazonaws\.com'"
        ),
        sources=_AWS,
    ),
    Cause(
        id="image-access",
        title="SageMaker could not pull the image",
        fix="Leave image out: the construct names AWS's image of the Region. An image of your own has to be in ECR"
        " of the same"
        " Region, with the tag, and the role has to be allowed to pull it.",
        patterns=patterns(
            r"Requested image .{0,200}not found|image.{0,120}(?:does not exist|was not found)",
            r"cross.?region image pull|ECR image.{0,80}(?:not|denied)|not have permission to .{0,40}ecr:",
            r"Using non-ECR image|Failed to pull image|ImagePull",
        ),
        sources=_AWS,
    ),
    Cause(
        id="container-cannot-start",
        title="The container could not be started on the host: mostly the host's driver is older than the image's"
        " CUDA version",
        fix="Leave inference_ami_version out, and the plan chooses the machine image; an image of your own has to"
        " accept the"
        " argument `serve`.",
        patterns=patterns(r"CannotStartContainerError|docker run <?image>? serve"),
        weight=Weight.FAILED + 10,
        sources=_AWS,
    ),
    Cause(
        id="secret",
        title="The secret with the hub token cannot be read",
        fix="Create it in the same Region: aws secretsmanager create-secret --name hugging-face-token"
        " --secret-string hf_…; or"
        " name another one, -c hf_token_secret=….",
        patterns=patterns(
            r"can't find the specified secret|Secrets Manager.{0,80}(?:not find|ResourceNotFound|denied)",
            r"secret \S+ (?:does not exist|is to be deleted)",
        ),
        sources=_AWS,
    ),
    Cause(
        id="staging",
        title="The weights could not be copied to the bucket",
        fix="Read the log of the CodeBuild project that the stack has, change what it names, and deploy again; files"
        " that are"
        " there are kept. `tgi-endpoint stage` copies from here.",
        patterns=patterns(
            r"WaitCondition (?:timed out|received failed)|the hub does not accept the token|nothing was published",
            r"has no token of the hub",
        ),
        weight=Weight.FAILED,
        sources=frozenset((Source.STACK,)),
    ),
    Cause(
        id="component-room",
        title="An inference component finds no room on the endpoint's instances",
        fix="Lower the memory that it reserves, or add instances (max_instances).",
        patterns=patterns(
            r"not enough hardware resources on the instances|not enough (?:memory|accelerators?) .{0,60}component"
        ),
        sources=_AWS,
    ),
    Cause(
        id="zero-unsupported",
        title="The Region does not let endpoints scale to zero instances",
        fix="Use another Region, or leave scale_to_zero out.",
        patterns=patterns(r"Min instance count needs to be greater than 0"),
        sources=_AWS,
    ),
    Cause(
        id="scaled-type",
        title="The instance type of a variant that scales cannot be changed in place",
        fix="Deploy without auto_scale, change the type, and add it again; or set replace_on_instance_type_change.",
        patterns=patterns(r"(?:auto ?scaling|scaling polic).{0,120}instance type|DeregisterScalableTarget"),
        weight=Weight.FAILED,
        sources=_AWS,
        runbook="operations.md#the-endpoint-failed-or-was-rolled-back",
    ),
    Cause(
        id="endpoint-busy",
        title="The endpoint was being updated, so that it could not be changed",
        fix="Wait until it is InService, and deploy again.",
        patterns=patterns(r"Cannot update in-?progress endpoint|Cannot update endpoint .{0,80}(?:Updating|Creating)"),
        sources=_AWS,
        runbook="operations.md#the-endpoint-failed-or-was-rolled-back",
    ),
    Cause(
        id="name-taken",
        title="A resource of that name exists already",
        fix="Leave names out, so that CloudFormation chooses them; or import the resource.",
        patterns=patterns(r"Cannot create already existing|already exists"),
        weight=Weight.FAILED,
        sources=_AWS,
        runbook="operations.md#the-endpoint-failed-or-was-rolled-back",
    ),
    Cause(
        id="api-logs-role",
        title="The account's role for logs of API Gateway was not ready, or is missing",
        fix="Deploy again: IAM had not spread the role yet.",
        patterns=patterns(r"CloudWatch Logs role ARN must be set|The role ARN does not have required permissions"),
        sources=_AWS,
    ),
    Cause(
        id="denied",
        title="Whoever deployed, or a role of the stack, lacks a permission",
        fix="Allow the action that the line names.",
        patterns=patterns(r"is not authorized to perform|AccessDenied(?:Exception)?\b"),
        weight=Weight.FAILED,
        sources=frozenset((Source.STACK, Source.STATUS, Source.SCALING)),
    ),
    Cause(
        id="smoke-test",
        title="The model gave no token in the smoke test, so the deployment was rolled back",
        fix="The event names the likeliest causes; read the container's log. -c smoke_test=off leaves the test out.",
        patterns=patterns(r"Smoke test: "),
        weight=Weight.SUSPECTED,
        sources=frozenset((Source.STACK,)),
        runbook="how-to/updates.md#the-smoke-test",
    ),
    Cause(
        id="rollback-failed",
        title="The stack could not go back either, and takes no update",
        fix="Remove what the reason names, then: aws cloudformation continue-update-rollback --stack-name <stack>.",
        patterns=patterns(r"UPDATE_ROLLBACK_FAILED"),
        weight=Weight.SUSPECTED + 5,
        sources=frozenset((Source.STACK,)),
        runbook="operations.md#update_rollback_failed",
    ),
    Cause(
        id="rolled-back-by-alarm",
        title="An alarm rolled the update back",
        fix="Look at the alarm: aws cloudwatch describe-alarm-history --history-item-type StateUpdate.",
        patterns=patterns(r"alarm.{0,80}(?:roll(?:ed)?[- ]?back|ALARM state)|auto.?rollback"),
        weight=Weight.FAILED,
        sources=_AWS,
        runbook="operations.md#the-endpoint-failed-or-was-rolled-back",
    ),
    Cause(
        id="health-check",
        title="The container did not answer its health check in time",
        fix="The container's log says how far it got. If it was still loading, raise startup_timeout (up to 1 hour),"
        " or load from S3: Model.staged(…).",
        patterns=patterns(r"did not pass the ping health check"),
        weight=Weight.SYMPTOM,
        sources=_AWS,
    ),
)
