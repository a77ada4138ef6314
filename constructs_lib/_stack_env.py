"""Where a construct will be deployed, asked of the CDK once: each question is a message to another process."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from aws_cdk import Stack

if TYPE_CHECKING:
    from constructs import IConstruct


class StackEnvironment:
    """What a stack says of itself. Values that only the deployment knows are tokens.

    Args:
        stack: The stack.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @cached_property
    def partition(self) -> str:
        """`aws`, in most Regions."""
        return self.stack.partition

    @cached_property
    def region(self) -> str:
        """The Region."""
        return self.stack.region

    @cached_property
    def account(self) -> str:
        """The account's number."""
        return self.stack.account

    @cached_property
    def url_suffix(self) -> str:
        """`amazonaws.com`, in most Regions."""
        return self.stack.url_suffix

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """The ARN of something in this place.

        Args:
            service: As ARNs name it, such as `logs`.
            resource: Everything after the account, such as `log-group:<name>`.
            region: Default: this Region.
            account: Default: this account.
        """
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"


# What this keeps alive, jsii does as well: it never lets go of an object.
_ENVIRONMENTS: dict[object, StackEnvironment] = {}


def environment_of(construct: IConstruct) -> StackEnvironment:
    """The place of the construct's stack.

    Raises:
        RuntimeError: The construct is in no stack.
    """
    if construct not in _ENVIRONMENTS:
        stack = Stack.of(construct)
        _ENVIRONMENTS[construct] = _ENVIRONMENTS.setdefault(stack, StackEnvironment(stack))
    return _ENVIRONMENTS[construct]
