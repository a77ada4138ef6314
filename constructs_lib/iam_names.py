"""Roles and policies with a path and names as a company prescribes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Acknowledgment, Aws, CfnResource, Fn, IAspect, Validations
from aws_cdk import aws_iam as iam

from constructs_lib._stack_env import environment_of, unique_path
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.errors import ConfigurationError
from constructs_lib.planning.iam_names import iam_name, name_problems, names_digest

if TYPE_CHECKING:
    from constructs import IConstruct

_ROLE = "AWS::IAM::Role"
_PROJECT = "AWS::CodeBuild::Project"
_DEFAULT_PATH = "/"


@jsii.implements(IAspect)
class IamNames:
    """Gives every IAM role and managed policy of a scope a path, and a name that begins with a prefix.

    `Aspects.of(app).add(IamNames(path="/team/", prefix="team-"))`. It is for accounts where deployments may create
    roles only below a path or with a prefix. What has a name already keeps it and its path. A permissions boundary is
    the CDK's own: `aws_iam.PermissionsBoundary.of(app).apply(policy)`.

    A name is `<prefix><where it is in its stack>-<digest>-<digest>`, at most 64 characters. The last part is of the id
    that CloudFormation gives the stack, so that one app can be deployed several times in an account, in other Regions
    too. A name stays the same in every update.

    CloudFormation replaces what gets another path or name. Added to a stack that is deployed, or changed, this replaces
    the stack's roles, and with them the SageMaker Models and EndpointConfigs: endpoints are updated in place, with new
    instances beside the old ones. The old roles keep their inline policies until then, as those are replaced too. What
    others have granted to an old role by its ARN, such as in the policy of a bucket or a key of theirs, the new role
    does not have.

    Args:
        path: The path, such as `/team/`. Default: none is prescribed.
        prefix: How names begin, 1 to 32 characters. Default: CloudFormation chooses the names.

    Raises:
        ConfigurationError: Path or prefix is not what IAM accepts, or there is neither.
    """

    def __init__(self, *, path: str | None = None, prefix: str | None = None) -> None:
        if problems := list(name_problems(hide_token(path), hide_token(prefix))):
            raise ConfigurationError("IamNames", problems)
        self._path, self._prefix = path, prefix
        self._seen: set[IConstruct] = set()
        self._named: set[tuple[str, str]] = set()

    def visit(self, node: IConstruct) -> None:
        """Name what is in a scope. The CDK calls it for the scope first, and then for each construct in it.

        Args:
            node: The scope, or a construct in it.
        """
        if node not in self._seen:
            # All roles before the first policy, which has to know whether its roles are named here.
            for each in node.node.find_all():
                self._seen.add(each)
                self._name(each)
        if isinstance(node, iam.CfnPolicy):
            self._replace_with_its_roles(node)

    def _name(self, node: IConstruct) -> None:
        if isinstance(node, iam.CfnRole):
            if _is_unset(node, node.role_name):
                node.path = node.path or self._path
                node.role_name = self._name_of(node, node.path)
                self._named.add((environment_of(node).path, self._logical_id(node)))
        elif isinstance(node, iam.CfnManagedPolicy):
            if _is_unset(node, node.managed_policy_name):
                node.path = self._path if node.path in (None, _DEFAULT_PATH) else node.path
                node.managed_policy_name = self._name_of(node, node.path)
        elif isinstance(node, CfnResource) and node.cfn_resource_type == _ROLE:
            # The role of a custom resource of the CDK's own, which has neither.
            self._override(node)
        elif isinstance(node, CfnResource) and node.cfn_resource_type == _PROJECT:
            _acknowledge_role(node)

    def _override(self, node: CfnResource) -> None:
        if self._path is not None:
            node.add_property_override("Path", self._path)
        if self._prefix is not None:
            node.add_property_override("RoleName", self._name_of(node, self._path))

    def _name_of(self, node: CfnResource, path: str | None) -> str | None:
        if self._prefix is None:
            return None
        known = iam_name(unique_path(node), path=path or _DEFAULT_PATH, prefix=self._prefix)
        return Fn.join("-", [known, _stack_digest()])

    def _replace_with_its_roles(self, policy: iam.CfnPolicy) -> None:
        """Replace an inline policy when its roles are replaced, so that the old ones keep theirs to their end.

        CloudFormation would move it to the new roles while functions and instances still have the old ones.
        """
        here = environment_of(policy)
        roles: list[Any] = here.stack.resolve(policy.roles) or []
        if roles and all(isinstance(one, dict) and (here.path, one.get("Ref")) in self._named for one in roles):
            digest = names_digest(path=self._path or _DEFAULT_PATH, prefix=self._prefix or "")
            policy.override_logical_id(f"{self._logical_id(policy)}{digest}")

    @staticmethod
    def _logical_id(node: CfnResource) -> str:
        logical_id: str = environment_of(node).stack.resolve(node.logical_id)
        return logical_id


def _acknowledge_role(project: CfnResource) -> None:
    """Let a project have a role with a path, which the CDK's own check of templates takes for an error."""
    reason = "The project names its role by the ARN, which has the path. The rule is about the role's name alone."
    Validations.of(project).acknowledge(Acknowledgment(id="CloudFormation-Validate::E3050", reason=reason))


def _is_unset(node: CfnResource, name: str | None) -> bool:
    """Whether CloudFormation chooses a name: the CDK's L2 constructs have a token of nothing then."""
    return name is None or (is_token(name) and environment_of(node).stack.resolve(name) is None)


def _stack_digest() -> str:
    """Eight characters of the id that ends the stack's ARN."""
    return Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID))))
