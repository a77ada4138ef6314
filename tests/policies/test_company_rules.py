"""Every stack in a company that prescribes a permissions boundary, a path, a prefix of names, and tags."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Aspects, Tags
from aws_cdk import aws_iam as iam
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from constructs_lib import IamNames
from scripts.every_stack import ROOT, every_stack
from tests.constructs_lib.rendered import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.every_stack import Template

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("every_stack")]

OWNER = {"Key": "owner", "Value": "platform"}
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"

# Types whose tags the CDK does not render although CloudFormation takes them: none of them costs anything.
UNTAGGED = {"AWS::Logs::QueryDefinition", "AWS::SNS::Subscription"}


@pytest.fixture(scope="module")
def prescribed() -> Mapping[str, Template]:
    """Every stack, as the company wants it."""

    def prescribe(app: App) -> None:
        for number, stack in enumerate(app.node.children):
            boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, f"Boundary{number}", BOUNDARY)
            iam.PermissionsBoundary.of(stack).apply(boundary)
        Aspects.of(app).add(IamNames(path="/platform/", prefix="platform-"))
        Tags.of(app).add(OWNER["Key"], OWNER["Value"])

    return every_stack(prescribe)


def each_resource(templates: Mapping[str, Template]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Where each resource is, its type and its properties."""
    for name, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            yield f"{name}/{logical_id}", resource["Type"], resource.get("Properties", {})


def is_taggable(resource_type: str) -> bool:
    """Whether CloudFormation takes tags for a type; a custom resource has none."""
    if resource_type.startswith("Custom::"):
        return False
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return "Tags" in schema["properties"] and schema.get("tagging", {}).get("taggable", True)


def test_every_role_has_the_boundary(prescribed: Mapping[str, Template]) -> None:
    found = [(where, one) for where, kind, one in each_resource(prescribed) if kind == "AWS::IAM::Role"]
    assert len(found) > 150
    for where, properties in found:
        assert properties.get("PermissionsBoundary") == BOUNDARY, where


def test_every_role_and_managed_policy_has_the_path_and_a_name_with_the_prefix_that_is_no_others(
    prescribed: Mapping[str, Template],
) -> None:
    names: dict[str, str] = {}
    for where, kind, properties in each_resource(prescribed):
        if kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
            assert properties["Path"] == "/platform/", where
            known, digest = properties["RoleName" if kind == "AWS::IAM::Role" else "ManagedPolicyName"]["Fn::Join"][1]
            assert re.fullmatch(r"platform-[\w+=,.@-]+-[0-9a-f]{8}", known), where
            assert len(known) + len("-01234567") <= 64, where
            assert "AWS::StackId" in str(digest), where
            assert known not in names, (where, names[known])
            names[known] = where
    assert len(names) > 150


def test_every_resource_that_takes_tags_has_the_tag(prescribed: Mapping[str, Template]) -> None:
    tagged, untagged = set(), set()
    for where, kind, properties in each_resource(prescribed):
        if not is_taggable(kind) or kind in UNTAGGED:
            untagged.add(kind)
            continue
        tags = properties.get("Tags")
        given = (
            tags if isinstance(tags, list) else [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        )
        assert OWNER in given, where
        tagged.add(kind)
    assert len(tagged) > 20
    assert not tagged & untagged
    assert untagged >= UNTAGGED, "a type that is not in any stack"
    assert {kind for kind in untagged if not kind.startswith("Custom::")} == set(documented_as_untagged())


def documented_as_untagged() -> Iterator[str]:
    """The types without tags in docs/how-to/company_rules.md; one without a service is of the last one."""
    text_ = Path(ROOT, "docs", "how-to", "company_rules.md").read_text(encoding="utf-8")
    (paragraph,) = re.findall(r"^No tags,.*?\n\n", text_, re.MULTILINE | re.DOTALL)
    service = ""
    for name in re.findall(r"`([^`]+)`", paragraph):
        service = name.rpartition("::")[0] or service
        yield f"{service}::{name.rpartition('::')[2]}"


def test_what_refers_to_a_role_refers_to_it_by_cloudformation_and_not_by_its_name(
    prescribed: Mapping[str, Template],
) -> None:
    for where, kind, properties in each_resource(prescribed):
        if kind not in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
            assert "platform-" not in text(str(properties).replace(str(OWNER), "")), where
