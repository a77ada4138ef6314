"""Who may do what in AWS from GitHub Actions: an OIDC provider and two roles, without a stored key.

An administrator deploys this stack once in each account and Region, before the first workflow runs; no workflow deploys
it. Context values (`-c key=value`, or in cdk.json):

- `repository`: as GitHub puts it into the subject of its tokens, which the repository's settings show under Actions,
  OIDC. Repositories created or renamed since 15 July 2026 have `owner@owner-id/name@repository-id`, older ones
  `owner/name`.
- `environments`: the GitHub environments, separated by commas, whose jobs may deploy to this account.
- `provider`: `existing` if the account has GitHub's OIDC provider, as it can have only one. Default: `new`.
"""

from __future__ import annotations

import re

from aws_cdk import App, CfnOutput, Duration, Stack, Tags
from aws_cdk import aws_iam as iam
from constructs import Construct

ISSUER = "token.actions.githubusercontent.com"
STACK = "ChatService"
"""The stack that the workflows deploy."""

QUALIFIER = "hnb659fds"
"""Of the CDK's bootstrap. Another one is given to `cdk bootstrap --qualifier`."""

_REPOSITORY = re.compile(r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?")
_ENVIRONMENT = re.compile(r"[\w.-]+( [\w.-]+)*")


class GitHubAccess(Stack):
    """The provider, a role that deploys, and one that compares.

    Args:
        scope: The app.
        id: The stack's name.
        repository: The repository, as in the subject of its tokens.
        environments: The environments whose jobs may deploy.
        new_provider: Whether to create the OIDC provider.
    """

    def __init__(
        self, scope: Construct, id: str, *, repository: str, environments: list[str], new_provider: bool
    ) -> None:
        super().__init__(scope, id)
        self._provider = self._create_provider() if new_provider else self._existing_provider()
        deploy = self._add_role(
            "Deploy",
            "Deploys from the environments of a repository",
            subjects=[f"repo:{repository}:environment:{environment}" for environment in environments],
        )
        deploy.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[self._bootstrap_role(name) for name in ("deploy", "file-publishing")],
            )
        )
        deploy.add_to_policy(self._read_workflow_key())
        # Jobs of pull requests run workflows that their authors may have changed: this role cannot change anything, and
        # reads nothing but the template.
        compare = self._add_role(
            "Compare",
            "Compares pull requests of a repository with what is deployed",
            subjects=[f"repo:{repository}:pull_request"],
        )
        compare.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
                resources=[self.format_arn(service="cloudformation", resource="stack", resource_name=f"{STACK}/*")],
            )
        )

    def _create_provider(self) -> str:
        # IAM does not check thumbprints of GitHub's issuer, and asks for none.
        provider = iam.OidcProviderNative(self, "Provider", url=f"https://{ISSUER}", client_ids=["sts.amazonaws.com"])
        return provider.oidc_provider_arn

    def _existing_provider(self) -> str:
        return self.format_arn(service="iam", region="", resource="oidc-provider", resource_name=ISSUER)

    def _add_role(self, name: str, description: str, *, subjects: list[str]) -> iam.Role:
        conditions = {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": subjects}}
        role = iam.Role(
            self,
            name,
            description=description,
            assumed_by=iam.WebIdentityPrincipal(self._provider, conditions),
            # A large model takes longer than an hour if it waits for instances.
            max_session_duration=Duration.hours(4 if name == "Deploy" else 1),
        )
        CfnOutput(self, f"{name}RoleArn", value=role.role_arn)
        return role

    def _bootstrap_role(self, name: str) -> str:
        role = f"cdk-{QUALIFIER}-{name}-role-{self.account}-{self.region}"
        return self.format_arn(service="iam", region="", resource="role", resource_name=role)

    def _read_workflow_key(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["secretsmanager:GetSecretValue"],
            resources=[self.format_arn(service="secretsmanager", resource="secret:*")],
            conditions={"StringEquals": {"aws:ResourceTag/read-by": "github-actions"}},
        )


def read_context(app: App) -> tuple[str, list[str], bool]:
    """The repository, the environments, and whether the provider is new.

    Raises:
        SystemExit: A value is missing, or is not what GitHub has.
    """
    context = {key: str(app.node.try_get_context(key) or "") for key in ("repository", "environments", "provider")}
    repository, provider = context["repository"], context["provider"] or "new"
    environments = [each.strip() for each in context["environments"].split(",") if each.strip()]
    problems = []
    if not _REPOSITORY.fullmatch(repository):
        problems.append(f"repository={repository}: must be owner/name or owner@id/name@id, with no wildcard.")
    if not environments or not all(map(_ENVIRONMENT.fullmatch, environments)):
        problems.append(f"environments={context['environments']}: must be names of environments, separated by commas.")
    if provider not in ("new", "existing"):
        problems.append(f"provider={provider}: must be new or existing.")
    if problems:
        raise SystemExit("\n".join(problems))
    return repository, environments, provider == "new"


app = App()
repository, environments, new_provider = read_context(app)
access = GitHubAccess(app, "GitHubAccess", repository=repository, environments=environments, new_provider=new_provider)
Tags.of(access).add("purpose", "deployments from GitHub Actions")
app.synth()
