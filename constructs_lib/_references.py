"""Resources that a construct refers to: whether they are where AWS needs them, and whether the CDK can name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import IResource

    from constructs_lib._stack_env import StackEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred:
    """A kind of resource that a construct refers to.

    Args:
        noun: What it is called.
        rule: Why its account or Region must be that of the referring stack.
        fix: What to do if it is not.
        name: The argument that gives it a name of its own; None if it has none.
        attribute: What must be the same. Default: the Region.
    """

    noun: str
    rule: str
    fix: str
    name: str | None
    attribute: Literal["account", "region"] = "region"

    def problems(self, keyword: str, resource: IResource, here: StackEnvironment) -> Iterator[Problem]:
        """The problem of a resource, if any; what only the deployment knows is none.

        Args:
            keyword: The argument.
            resource: The resource, created by this app or imported.
            here: The environment of the referring stack.
        """
        wanted = getattr(here, self.attribute)
        given = wanted if is_token(wanted) else getattr(resource.env, self.attribute)
        if given != wanted and not is_token(given):
            which = "Region" if self.attribute == "region" else "account"
            yield Problem(keyword, given, f"is the {which} of the {self.noun}, but {self.rule}: {wanted}", self.fix)
        else:
            yield from name_problems(keyword, resource, here, noun=self.noun, name=self.name)


def name_problems(
    keyword: str, resource: IResource, here: StackEnvironment, *, noun: str, name: str | None
) -> Iterator[Problem]:
    """The problem of a resource whose name CloudFormation chooses in a stack of another account or Region.

    The CDK reports it, too, but at the end of synth and as a chain of "Resolution error".

    Args:
        keyword: The argument.
        resource: The resource; an imported one has a name.
        here: The environment of the referring stack.
        noun: What the resource is called.
        name: The argument that gives it a name of its own; None if it has none.
    """
    # First, as one message to the CDK's process or none: nearly everything is in the stack that refers to it.
    if environment_of(resource) is here:
        return
    # The CDK's own check; the interfaces of imported resources do not have it.
    if not is_token(getattr(resource, "_physical_name", "")):
        return
    there = environment_of(resource)
    # Between two Regions that are known, Stack(cross_region_references=True) passes names.
    is_one_region = there.region == here.region or not (is_token(there.region) or is_token(here.region))
    if there.account != here.account or not is_one_region:
        yield Problem(
            keyword,
            resource,
            f"is created by {there.stack.node.path}, which is for {_words(there)}, while this stack is for"
            f" {_words(here)}: the CDK passes generated names only between stacks of the same env",
            f"Give both stacks the same env{f', or set {name} of the {noun}' if name else ''}.",
        )


def _words(environment: StackEnvironment) -> str:
    account, region = environment.account, environment.region
    if is_token(account) and is_token(region):
        return "any account and Region"
    return (
        f"{'any account' if is_token(account) else f'account {account}'} in"
        f" {'any Region' if is_token(region) else region}"
    )
