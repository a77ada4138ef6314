"""Links into the AWS console, for every partition with a public console."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from aws_cdk import Aws, CfnCondition, CfnMapping, Fn, Token

if TYPE_CHECKING:
    from aws_cdk import ICfnConditionExpression, Stack

# The isolated partitions (aws-iso…) have no public console, so their stacks get no links.
_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-eusc": "console.amazonaws-eusc.eu",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}

# Partitions other than aws, by the prefix of their Regions.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}


class Console:
    """The console of a stack's Region, which may be known only at deployment.

    Args:
        stack: The stack whose resources are linked.

    Attributes:
        region: The Region.
        condition: The condition under which the links exist. None: always.
    """

    def __init__(self, stack: Stack) -> None:
        self.region = stack.region
        self.condition: CfnCondition | None = None
        if _is_unresolved(self.region):
            hosts = CfnMapping(
                stack, "ConsoleHosts", mapping={partition: {"Host": host} for partition, host in _HOSTS.items()}
            )
            self._host: str | None = hosts.find_in_map(_partition_parameter(), "Host")
            self.condition = CfnCondition(stack, "HasConsole", expression=_has_console())
        else:
            self._host = _HOSTS.get(_partition(self.region))

    def endpoint(self, name: str) -> str | None:
        """The page of a SageMaker endpoint. None: the Region's partition has no public console."""
        return self._link("sagemaker/home", f"/endpoints/{name}")

    def endpoint_logs(self, name: str) -> str | None:
        """The log group of the endpoint's containers. None: the Region's partition has no public console."""
        # The console takes the slashes of a log group's name percent-encoded twice, with $ for %.
        return self._link(
            "cloudwatch/home", f"logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FEndpoints$252F{name}"
        )

    def rest_api(self, rest_api_id: str) -> str | None:
        """The page of a REST API's resources. None: the Region's partition has no public console."""
        return self._link(f"apigateway/main/apis/{rest_api_id}/resources")

    def _link(self, page: str, fragment: str | None = None) -> str | None:
        if self._host is None:
            return None
        end = f"#{fragment}" if fragment else ""
        return f"https://{self.region}.{self._host}/{page}?region={self.region}{end}"


# These are the same for every stack. Cached, as each is a message to the CDK's process.
@cache
def _partition_parameter() -> str:
    return Aws.PARTITION


@cache
def _is_unresolved(region: str) -> bool:
    return Token.is_unresolved(region)


@cache
def _has_console() -> ICfnConditionExpression:
    """Whether the partition has a public console; the same for every stack."""
    return Fn.condition_or(*(Fn.condition_equals(_partition_parameter(), known) for known in _HOSTS))


def _partition(region: str) -> str:
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")
