from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Aspects, CfnParameter, NestedStack, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs_lib import ConfigurationError, IamNames
from constructs_lib.planning.iam_names import MAX_NAME, MAX_PREFIX, iam_name
from tests.constructs_lib.rendered import Json, only, resources, template_of

if TYPE_CHECKING:
    from collections.abc import Callable

MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
ROLE = "AWS::IAM::Role"
POLICY = "AWS::IAM::Policy"
STACK_ID = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
STACK_DIGEST = {"Fn::Select": [0, {"Fn::Split": ["-", STACK_ID]}]}


def role(scope: Stack, id: str = "Job", **arguments: Any) -> iam.Role:
    return iam.Role(scope, id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), **arguments)


def known_part(name: object) -> str:
    """What synth knows of a name; the rest is from the stack's id."""
    match name:
        case {"Fn::Join": ["-", [str(known), digest]]} if digest == STACK_DIGEST:
            return known
    raise AssertionError(name)


def names(template: Json) -> dict[str, str]:
    return {key: known_part(one["Properties"]["RoleName"]) for key, one in resources(template, ROLE).items()}


def test_a_role_has_the_path_the_prefix_and_its_place_in_its_name(stack: Stack) -> None:
    role(stack)
    Aspects.of(stack).add(IamNames(path="/team/", prefix="team-"))
    properties = only(template_of(stack), ROLE)["Properties"]
    assert properties["Path"] == "/team/"
    assert re.fullmatch(r"team-Team-Job-[0-9a-f]{8}", known_part(properties["RoleName"]))


def test_a_path_alone_leaves_the_name_to_cloudformation_and_a_prefix_alone_the_path(app: App) -> None:
    path, prefix = Stack(app, "Path"), Stack(app, "Prefix")
    for stack, aspect in ((path, IamNames(path="/team/")), (prefix, IamNames(prefix="team-"))):
        role(stack)
        Aspects.of(stack).add(aspect)
    assert only(template_of(path), ROLE)["Properties"].keys() & {"Path", "RoleName"} == {"Path"}
    assert only(template_of(prefix), ROLE)["Properties"].keys() & {"Path", "RoleName"} == {"RoleName"}


def test_every_kind_of_role_is_named_and_no_two_have_one_name(app: App) -> None:
    stack = Stack(app, "Team")
    trust = {"Version": "2012-10-17", "Statement": []}
    nested = NestedStack(stack, "Nested")
    role(nested)
    role(stack)
    iam.CfnRole(stack, "L1", assume_role_policy_document=trust)
    Aspects.of(app).add(IamNames(path="/team/", prefix="team-"))
    inner = json.loads(Path(app.synth().directory, nested.template_file).read_text())
    found = [*names(template_of(stack)).values(), *names(inner).values()]
    assert len(found) == 3
    assert len(set(found)) == 3


def test_the_role_of_a_custom_resource_of_the_cdk_is_named_too(stack: Stack) -> None:
    s3.Bucket(stack, "Emptied", auto_delete_objects=True, removal_policy=RemovalPolicy.DESTROY)
    Aspects.of(stack).add(IamNames(path="/team/", prefix="team-"))
    properties = only(template_of(stack), ROLE)["Properties"]
    assert properties["Path"] == "/team/"
    assert known_part(properties["RoleName"]).startswith("team-Team-Custom-S3AutoDeleteObjects")


def test_managed_policies_are_named_also_those_that_the_cdk_adds_at_the_end(stack: Stack) -> None:
    iam.ManagedPolicy(stack, "Extra", statements=[iam.PolicyStatement(actions=["s3:GetObject"], resources=["a"])])
    large = role(stack)
    for number in range(200):
        resource = f"arn:aws:s3:::{'x' * 60}{number}"
        large.add_to_policy(iam.PolicyStatement(actions=[f"s3:GetObject{number}"], resources=[resource]))
    Aspects.of(stack).add(IamNames(path="/team/", prefix="team-"))
    found = resources(template_of(stack), MANAGED_POLICY)
    assert len(found) > 1
    assert {one["Properties"]["Path"] for one in found.values()} == {"/team/"}
    assert len({known_part(one["Properties"]["ManagedPolicyName"]) for one in found.values()}) == len(found)


def test_a_name_and_a_path_of_ones_own_stay(stack: Stack) -> None:
    role(stack, "Named", role_name="mine")
    role(stack, "Placed", path="/mine/")
    Aspects.of(stack).add(IamNames(path="/team/", prefix="team-"))
    found = {key[:5]: one["Properties"] for key, one in resources(template_of(stack), ROLE).items()}
    assert found["Named"]["RoleName"] == "mine"
    assert "Path" not in found["Named"]
    assert found["Place"]["Path"] == "/mine/"


def policy_of(role_of: Callable[[Stack], iam.IRole], names: IamNames | None) -> str:
    """Logical id of the policy of a role."""
    stack = Stack(App(), "Team")
    statement = iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"])
    iam.Policy(stack, "Policy", statements=[statement]).attach_to_role(role_of(stack))
    if names:
        Aspects.of(stack).add(names)
    (logical_id,) = resources(template_of(stack), POLICY)
    return logical_id


def test_a_policy_is_another_one_when_its_role_is_so_that_the_old_role_keeps_the_old_one() -> None:
    given = [None, IamNames(prefix="one-"), IamNames(prefix="two-"), IamNames(prefix="two-", path="/team/")]
    assert len({policy_of(role, each) for each in given}) == 4


@pytest.mark.parametrize(
    "role_of",
    [
        lambda stack: iam.Role.from_role_arn(stack, "Central", "arn:aws:iam::123456789012:role/central"),
        lambda stack: role(stack, role_name="mine"),
    ],
    ids=["imported", "named"],
)
def test_a_policy_of_a_role_that_stays_is_the_same_as_the_old_one_would_take_it_away(
    role_of: Callable[[Stack], iam.IRole],
) -> None:
    assert policy_of(role_of, None) == policy_of(role_of, IamNames(prefix="team-"))


def test_names_are_short_enough_differ_and_stay() -> None:
    place, prefix = "Team/" + "Very/Deep/" * 30 + "Resource", "p" * MAX_PREFIX
    name = iam_name(place, path="/team/", prefix=prefix)
    assert len(f"{name}-01234567") <= MAX_NAME
    assert name == iam_name(place, path="/team/", prefix=prefix)
    others = [
        iam_name(place.replace("Team", "Other"), path="/team/", prefix=prefix),
        iam_name(place, path="/other/", prefix=prefix),
        iam_name(place, path="/team/", prefix=f"{prefix[:-1]}q"),
    ]
    assert len({name, *others}) == 4
    assert re.fullmatch(r"[\w+=,.@-]+", iam_name("Tëam (1)/Rôle", path="/", prefix="team-"), re.ASCII)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "path=None: requires a path, a prefix, or both. Give path='/team/' or prefix='team-'."),
        (
            {"path": "team"},
            "between them, up to 512 in all. Write '/team/', as in arn:aws:iam::123456789012:role/team/name.",
        ),
        (
            {"prefix": "team/"},
            "prefix='team/': must have 1 to 32 characters: letters, digits and _+=,.@-. Write 'team-'.",
        ),
        ({"prefix": "x" * 33}, f"prefix='{'x' * 33}': must have 1 to 32 characters: letters, digits and _+=,.@-."),
        ({"path": f"/{'x' * 511}/"}, "up to 512 in all"),
        ({"path": 7}, "path=7: must begin and end with a slash"),
    ],
)
def test_what_iam_would_refuse_is_an_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        IamNames(**arguments)
    assert message in str(error.value)


def test_a_prefix_that_only_the_deployment_knows_is_an_error_and_both_problems_come_together(stack: Stack) -> None:
    prefix = CfnParameter(stack, "Prefix").value_as_string
    with pytest.raises(ConfigurationError) as error:
        IamNames(path="team", prefix=prefix)
    assert [problem.keyword for problem in error.value.problems] == ["path", "prefix"]
    assert "must be known at synth, because names have a limited length. Write it as text." in str(error.value)
