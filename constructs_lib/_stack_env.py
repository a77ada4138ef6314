"""Where a construct will be deployed. Cached, as each read from the CDK is a message to another process."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from aws_cdk import Aws, NestedStack, Stack

from constructs_lib._tokens import is_token

if TYPE_CHECKING:
    from constructs import IConstruct, Node


class PseudoParameters:
    """What CloudFormation knows about a stack when it deploys it: tokens, the same for every stack."""

    @cached_property
    def partition(self) -> str:
        """The parameter AWS::Partition."""
        return Aws.PARTITION

    @cached_property
    def region(self) -> str:
        """The parameter AWS::Region."""
        return Aws.REGION

    @cached_property
    def account(self) -> str:
        """The parameter AWS::AccountId."""
        return Aws.ACCOUNT_ID

    @cached_property
    def url_suffix(self) -> str:
        """The parameter AWS::URLSuffix."""
        return Aws.URL_SUFFIX


PSEUDO: Final = PseudoParameters()


class StackEnvironment:
    """Partition, account, Region and other attributes of a stack; tokens if only the deployment knows them.

    Args:
        stack: The stack.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @cached_property
    def partition(self) -> str:
        """`aws`, in most Regions."""
        return PSEUDO.partition if is_token(self.region) else self.stack.partition

    @cached_property
    def region(self) -> str:
        """The Region."""
        return self.stack.region

    @cached_property
    def account(self) -> str:
        """The account's id."""
        return self.stack.account

    @cached_property
    def url_suffix(self) -> str:
        """`amazonaws.com`, in most Regions: a token in every stack."""
        return PSEUDO.url_suffix

    @cached_property
    def stack_name(self) -> str:
        """The stack's name."""
        return self.stack.stack_name

    @cached_property
    def path(self) -> str:
        """Path of the stack, with the name of the outermost stack in place of that one's path."""
        # No other stack has one around it.
        around = self.stack.nested_stack_parent if isinstance(self.stack, NestedStack) else None
        return self.stack_name if around is None else _path_in(environment_of(around), self.stack)

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """The ARN of a resource in this environment.

        Args:
            service: The service as ARNs name it, such as `logs`.
            resource: Everything after the account, such as `log-group:<name>`.
            region: Default: the stack's Region.
            account: Default: the stack's account.
        """
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"


@cache
def node_of(construct: IConstruct) -> Node:
    """The construct's node, which is always the same."""
    return construct.node


def unique_path(construct: IConstruct) -> str:
    """Path of a construct from its stack's name on: unique in an account and Region, as stack names are.

    The path in the tree is not: one app may be deployed twice, each time with another `stack_name`.
    """
    here = environment_of(construct)
    return here.path if construct is here.stack else _path_in(here, construct)


def _path_in(around: StackEnvironment, construct: IConstruct) -> str:
    """The same for a construct below a stack.

    Args:
        around: The stack.
        construct: The construct, which may be a nested stack.
    """
    return f"{around.path}{construct.node.path.removeprefix(around.stack.node.path)}"


# Leaks nothing: jsii never releases an object either.
_ENVIRONMENTS: dict[object, StackEnvironment] = {}


def environment_of(construct: IConstruct) -> StackEnvironment:
    """The environment of the construct's stack.

    Raises:
        RuntimeError: The construct is not in a stack.
    """
    if construct not in _ENVIRONMENTS:
        stack = construct if isinstance(construct, Stack) else Stack.of(construct)
        _ENVIRONMENTS[construct] = _ENVIRONMENTS.setdefault(stack, StackEnvironment(stack))
    return _ENVIRONMENTS[construct]


def share_environment(construct: IConstruct, scope: IConstruct) -> None:
    """Say that a construct is in the stack of its scope, which would otherwise be asked of the CDK.

    Args:
        construct: The construct; no stack.
        scope: Its scope, or another construct of the same stack.
    """
    _ENVIRONMENTS[construct] = environment_of(scope)
