"""The stack with GitHub's roles: whom they trust, what they may do, and which repositories are refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.lint_templates import lint_template
from tests.github_actions.workflows import EXAMPLE, ROOT

CONTEXT = {"repository": "octo-org@123456/octo-repo@789012", "environments": "staging, production", "provider": "new"}
ISSUER = "token.actions.githubusercontent.com"
ACCOUNT = "arn:{AWS::Partition}:iam::{AWS::AccountId}"
HERE = "{AWS::Region}:{AWS::AccountId}"


def synthesize(folder: Path, **context: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(CONTEXT | context)}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "app.py"]
    return subprocess.run(command, cwd=EXAMPLE / "access", env=environment, capture_output=True, text=True)


def template(folder: Path, **context: str) -> dict[str, Any]:
    outcome = synthesize(folder, **context)
    assert outcome.returncode == 0, outcome.stderr
    found: dict[str, Any] = json.loads((folder / "GitHubAccess.template.json").read_text(encoding="utf-8"))
    return found


def text(value: Any) -> str:
    """A string with its references in braces."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"{{{value['Ref']}}}"
    return "".join(map(text, value["Fn::Join"][1]))


def of_type(resources: dict[str, Any], resource_type: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == resource_type}


def policy(resources: dict[str, Any], role: str) -> list[tuple[Any, list[str], Any]]:
    """Actions, resources and conditions of what a role may do."""
    found = [
        each
        for each in of_type(resources, "AWS::IAM::Policy").values()
        if any(one["Ref"].startswith(role) for one in each["Roles"])
    ]
    (only,) = found
    return [
        (
            each["Action"],
            [text(one) for one in (each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]])],
            each.get("Condition"),
        )
        for each in only["PolicyDocument"]["Statement"]
    ]


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = template(tmp_path_factory.mktemp("access"))["Resources"]
    return found


def trust(resources: dict[str, Any], role: str) -> dict[str, Any]:
    (found,) = (each for name, each in of_type(resources, "AWS::IAM::Role").items() if name.startswith(role))
    (statement,) = found["AssumeRolePolicyDocument"]["Statement"]
    result: dict[str, Any] = statement
    return result


def test_each_role_trusts_one_kind_of_job_of_one_repository(resources: dict[str, Any]) -> None:
    repository = "repo:octo-org@123456/octo-repo@789012"
    subjects = {
        "Deploy": [f"{repository}:environment:staging", f"{repository}:environment:production"],
        "Compare": [f"{repository}:pull_request"],
    }
    for role, expected in subjects.items():
        statement = trust(resources, role)
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Condition"] == {
            "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": expected}
        }


def test_the_deploying_role_may_only_assume_two_roles_of_the_bootstrap_and_read_one_key(
    resources: dict[str, Any],
) -> None:
    roles = [f"{ACCOUNT}:role/cdk-hnb659fds-{name}-role-{{AWS::AccountId}}-{{AWS::Region}}" for name in _BOOTSTRAP]
    tagged = {"StringEquals": {"aws:ResourceTag/read-by": "github-actions"}}
    assert policy(resources, "Deploy") == [
        ("sts:AssumeRole", roles, None),
        ("secretsmanager:GetSecretValue", [f"arn:{{AWS::Partition}}:secretsmanager:{HERE}:secret:*"], tagged),
    ]


_BOOTSTRAP = ("deploy", "file-publishing")


def test_the_comparing_role_may_only_read_the_template_of_the_stack(resources: dict[str, Any]) -> None:
    stack = f"arn:{{AWS::Partition}}:cloudformation:{HERE}:stack/ChatService/*"
    actions = ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"]
    assert policy(resources, "Compare") == [(actions, [stack], None)]


def test_no_role_has_a_managed_policy(resources: dict[str, Any]) -> None:
    roles = of_type(resources, "AWS::IAM::Role")
    assert len(roles) == 2
    assert [name for name, each in roles.items() if "ManagedPolicyArns" in each or "Policies" in each] == []


def test_an_account_that_has_the_provider_gets_no_second_one(tmp_path: Path) -> None:
    found = template(tmp_path, provider="existing")["Resources"]
    assert of_type(found, "AWS::IAM::OIDCProvider") == {}
    assert text(trust(found, "Deploy")["Principal"]["Federated"]) == f"{ACCOUNT}:oidc-provider/{ISSUER}"


def test_cloudformation_takes_the_template(tmp_path: Path) -> None:
    found = lint_template(json.dumps(template(tmp_path)), ["us-east-1", "eu-central-1"])
    assert [f"{each.rule.id} {each.path}: {each.message}" for each in found] == []


def test_a_repository_from_before_the_ids_is_one_too(tmp_path: Path) -> None:
    found = template(tmp_path, repository="octo-org/octo.repo_2")["Resources"]
    (subject,) = trust(found, "Compare")["Condition"]["StringEquals"][f"{ISSUER}:sub"]
    assert subject == "repo:octo-org/octo.repo_2:pull_request"


@pytest.mark.parametrize(
    "repository", ["", "octo-org", "octo-org/*", "*/*", "octo-org/a/b", "octo-org/repo:ref", "octo org/repo", "a/b\n"]
)
def test_a_repository_that_would_match_others_is_refused(repository: str, tmp_path: Path) -> None:
    outcome = synthesize(tmp_path, repository=repository)
    assert outcome.returncode == 1
    message = f"repository={repository}: must be owner/name or owner@id/name@id, with no wildcard.\n"
    assert outcome.stderr == message


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    outcome = synthesize(tmp_path, repository="", environments="prod*", provider="both")
    assert outcome.stderr.splitlines() == [
        "repository=: must be owner/name or owner@id/name@id, with no wildcard.",
        "environments=prod*: must be names of environments, separated by commas.",
        "provider=both: must be new or existing.",
    ]
