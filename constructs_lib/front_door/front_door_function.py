"""The function of a front door, and how its other resources refer to it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_lambda as lambda_

from constructs_lib._stack_env import PSEUDO, environment_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_logs as logs
    from constructs import Construct

# By how the CDK names it, which it alone can tell.
_DAYS: dict[logs.RetentionDays, float | None] = {}


class FrontDoorFunction:
    """An L1 function with its role and its log group. What is read from the CDK is cached: each is a message.

    Args:
        scope: The front door.
        resource: The function.
        role: Its role.
        log_group: Its log group.
        log_retention: How long that keeps an event.
        variables: The function's environment variables.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        resource: lambda_.CfnFunction,
        role: iam.Role,
        log_group: logs.LogGroup,
        log_retention: logs.RetentionDays,
        variables: Mapping[str, str],
    ) -> None:
        self.resource, self.role = resource, role
        self._scope, self._environment = scope, environment_of(scope)
        self._log_group, self._log_retention = log_group, log_retention
        self._variables = dict(variables)

    @cached_property
    def construct(self) -> lambda_.IFunction:
        """The function as an L2 construct, which is only created if somebody reads it."""
        return lambda_.Function.from_function_attributes(
            self._scope,
            "FunctionReference",
            function_arn=self.arn,
            role=self.role,
            architecture=lambda_.Architecture.ARM_64,
            same_environment=True,
        )

    def add_environment(self, variables: Mapping[str, str]) -> None:
        """Give the function more environment variables.

        Args:
            variables: Their values by their names.
        """
        self._variables |= variables
        self.resource.environment = lambda_.CfnFunction.EnvironmentProperty(variables=self._variables)

    @cached_property
    def arn(self) -> str:
        """The ARN, as a token."""
        return self.resource.attr_arn

    @cached_property
    def name(self) -> str:
        """The name, as a token."""
        return self.resource.ref

    @cached_property
    def name_reference(self) -> dict[str, Any]:
        """The name, as templates refer to it."""
        return {"Ref": self._logical_id}

    @cached_property
    def arn_reference(self) -> dict[str, Any]:
        """The ARN, as templates refer to it."""
        return {"Fn::GetAtt": [self._logical_id, "Arn"]}

    @cached_property
    def log_group_name(self) -> str:
        """Name of the log group, as a token."""
        return self._log_group.log_group_name

    @cached_property
    def log_retention_days(self) -> float | None:
        """How long the log keeps an event. None: for ever."""
        if self._log_retention not in _DAYS:
            group: Any = self._log_group.node.default_child
            _DAYS[self._log_retention] = group.retention_in_days
        return _DAYS[self._log_retention]

    def invocation_uri(self, *, streaming: bool) -> dict[str, Any]:
        """The URI with which an integration of API Gateway invokes the function, as templates have it.

        An API has it in every operation. The tokens of a string would be resolved in each of them, three times.

        Args:
            streaming: Whether by Lambda's InvokeWithResponseStream, which API Gateway requires for responseTransferMode
                STREAM.
        """
        version, action = (
            ("2021-11-15", "response-streaming-invocations") if streaming else ("2015-03-31", "invocations")
        )
        here = self._environment
        partition = _plain(here.partition, PSEUDO.partition, "AWS::Partition")
        region = _plain(here.region, PSEUDO.region, "AWS::Region")
        arn = f"${{{self._logical_id}.Arn}}"
        return {"Fn::Sub": f"arn:{partition}:apigateway:{region}:lambda:path/{version}/functions/{arn}/{action}"}

    @cached_property
    def _logical_id(self) -> str:
        # A token: the id can still be overridden.
        return self.resource.logical_id


def _plain(value: str, token: str, name: str) -> str:
    """A value as Fn::Sub has it: text, or a reference if it is the token of that pseudo parameter."""
    return f"${{{name}}}" if value == token else value
