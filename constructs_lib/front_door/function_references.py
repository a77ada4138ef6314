"""How other resources of a front door refer to its function. Cached: each read from the CDK is a message."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from constructs_lib._stack_env import PSEUDO, environment_of

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct


class FunctionReferences:
    """References to a function and to its log group, from resources of the same stack.

    Args:
        scope: The front door.
        function: Its function.
        log_group: The function's log group.
    """

    def __init__(self, scope: Construct, function: lambda_.Function, log_group: logs.LogGroup) -> None:
        self.function = function
        self._environment = environment_of(scope)
        self._log_group = log_group

    @cached_property
    def resource(self) -> lambda_.CfnFunction:
        """The L1 resource."""
        resource: Any = self.function.node.default_child
        return resource  # type: ignore[no-any-return]

    @cached_property
    def arn(self) -> str:
        """The ARN, as a token."""
        return self.function.function_arn

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
        group: Any = self._log_group.node.default_child
        days: float | None = group.retention_in_days
        return days

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
        before = ["arn:", partition, ":apigateway:", region, f":lambda:path/{version}/functions/"]
        return _joined(*before, self.arn_reference, f"/{action}")

    @cached_property
    def _logical_id(self) -> str:
        # A token: the id can still be overridden.
        return self.resource.logical_id


def _plain(value: str, token: str, name: str) -> str | dict[str, Any]:
    """A value as templates have it: text, or a reference if it is the token of that pseudo parameter."""
    return {"Ref": name} if value == token else value


def _joined(*parts: str | dict[str, Any]) -> dict[str, Any]:
    """Fn::Join as the CDK renders it: texts beside each other are one."""
    merged: list[str | dict[str, Any]] = []
    for part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return {"Fn::Join": ["", merged]}
