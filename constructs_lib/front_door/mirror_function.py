"""The second function of a front door with a Mirror: it sends the copies, and nobody waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import INLINE_POLICIES, MIRROR_EVENTS, MIRROR_FUNCTION
from constructs_lib.front_door.mirror_arguments import DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from constructs_lib._protection import FunctionProtection
    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.arguments import FrontDoorArguments
    from constructs_lib.front_door.front_door_function import FrontDoorFunction

SCOPE = "Mirror"
"""Id of the construct below the front door."""

MAX_EVENT_AGE_SECONDS = 60
"""How long a copy may wait for the function: the shortest time that Lambda takes. What is older is dropped, so that the
copies come as fast as the requests do, or not at all."""

# What the second function has of the first one's variables: nobody calls it who could have a key, wait or read a page.
_VARIABLES = (
    "MODELS_FILE",
    "DEPLOYED_VALUES",
    "FRONT_DOOR",
    "DEFAULT_MAX_TOKENS",
    "SAGEMAKER_RUNTIME_URL",
    "SAGEMAKER_URL",
)


class MirrorFunction(Construct):
    """The function with its role, its log and what Lambda does with its events.

    Args:
        scope: The front door.
        function: Its first function, whose code it shares.
        layer: The layer with the models, which it shares, too.
        endpoints: What the copies are sent to.
        arguments: The arguments of the front door.
        protection: How both functions are protected.
        variables: The environment variables of the first function.

    Attributes:
        name: The function's name.
        arn: The function's ARN.
        log_group: Name of its log group.
        resource: Its resource.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        function: FrontDoorFunction,
        layer: lambda_.CfnLayerVersion,
        endpoints: Iterable[IModelEndpoint],
        arguments: FrontDoorArguments,
        protection: FunctionProtection,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, SCOPE)
        first = function.resource
        logs_ = logs.CfnLogGroup(
            self, "Logs", retention_in_days=function.log_retention_days, kms_key_id=protection.key_arn
        )
        # As the log of the first function: for troubleshooting what is deployed.
        logs_.apply_removal_policy(RemovalPolicy.DESTROY)
        role = self._add_role(logs_, endpoints, protection)
        concurrency, timeout = arguments.mirror_concurrency, arguments.mirror_timeout
        own = {name: value for name, value in variables.items() if name in _VARIABLES}
        self.resource = lambda_.CfnFunction(
            self,
            "Function",
            architectures=first.architectures,
            code=first.code,
            handler=first.handler,
            runtime=first.runtime,
            description="Sends copies of the requests of a front door to SageMaker endpoints",
            environment=lambda_.CfnFunction.EnvironmentProperty(variables={**own, "MIRROR": "on"}),
            layers=[layer],
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=logs_.ref),
            memory_size=arguments.memory_size,
            reserved_concurrent_executions=DEFAULT_CONCURRENCY if concurrency is None else concurrency,
            role=role.role_arn,
            timeout=DEFAULT_TIMEOUT_SECONDS if timeout is None else timeout.to_seconds(),
            **protection.function_properties(),
        )
        self.resource.node.add_dependency(role)
        for needed in protection.waits_for:
            self.resource.add_resource_dependency(needed)
        acknowledge(self.resource, MIRROR_FUNCTION)
        self.name, self.arn, self.log_group = self.resource.ref, self.resource.attr_arn, logs_.ref
        events = lambda_.CfnEventInvokeConfig(
            self,
            "Events",
            function_name=self.name,
            qualifier="$LATEST",
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=MAX_EVENT_AGE_SECONDS,
        )
        acknowledge(events, MIRROR_EVENTS)

    def _add_role(
        self, logs_: logs.CfnLogGroup, endpoints: Iterable[IModelEndpoint], protection: FunctionProtection
    ) -> iam.Role:
        """A role that may call what the copies are sent to, and nothing else of the front door."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[logs_.attr_arn])
        )
        for statement in protection.role_statements(self):
            role.add_to_policy(iam.PolicyStatement.from_json(statement))
        acknowledge(role, INLINE_POLICIES, *protection.role_acknowledged(self))
        for endpoint in endpoints:
            endpoint.grant_invoke(role)
        return role
