"""The hardened stack of Llama and the one that it needs: what they have, and what they must not have."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment

from stacks.hardened import ADDRESSES, LLAMA_REVISION, HardenedBaseStack, HardenedLlamaTgiStack
from tests.constructs_lib.rendered import properties, resources, statements
from tests.stacks.test_app import built, findings

Json = dict[str, Any]


@pytest.fixture(scope="module")
def templates() -> tuple[Json, Json]:
    """The templates of the base stack and of Llama's."""
    app = App()
    env = Environment(account="111122223333", region="eu-west-1")
    base = HardenedBaseStack(app, env=env)
    HardenedLlamaTgiStack(app, base=base, hf_token_secret="hugging-face-token", env=env)
    assembly = app.synth(skip_validation=True)
    first, second = (
        assembly.get_stack_by_name(name).template for name in ("HardenedBaseStack", "HardenedLlamaTgiStack")
    )
    return first, second


def test_nothing_leads_out_of_the_vpc(templates: tuple[Json, Json]) -> None:
    base, _ = templates
    kinds = {one["Type"] for one in base["Resources"].values()}
    assert kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"} == set()
    assert properties(base, "AWS::EC2::VPC")["CidrBlock"] == ADDRESSES
    assert len(resources(base, "AWS::EC2::VPCEndpoint")) == 4
    assert len(resources(base, "AWS::EC2::FlowLog")) == 1


def test_the_key_rotates_and_encrypts_every_log(templates: tuple[Json, Json]) -> None:
    assert properties(templates[0], "AWS::KMS::Key")["EnableKeyRotation"] is True
    groups = [one for template in templates for one in resources(template, "AWS::Logs::LogGroup").values()]
    assert len(groups) == 8
    assert all(one["Properties"].get("KmsKeyId") for one in groups)
    assert {one["Properties"]["RetentionInDays"] for one in groups} == {365}


def test_buckets_are_reached_by_tls_and_by_this_account_alone(templates: tuple[Json, Json]) -> None:
    base, _ = templates
    policies = resources(base, "AWS::S3::BucketPolicy").values()
    assert len(policies) == len(resources(base, "AWS::S3::Bucket")) == 2
    for policy in policies:
        denied = [
            one["Condition"] for one in policy["Properties"]["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"
        ]
        assert denied == [
            {"Bool": {"aws:SecureTransport": "false"}},
            {"NumericLessThan": {"s3:TlsVersion": 1.2}},
            {
                "StringNotEquals": {"aws:PrincipalAccount": "111122223333"},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        ]


def test_the_container_is_cut_off_and_reads_staged_weights(templates: tuple[Json, Json]) -> None:
    _, llama = templates
    model = properties(llama, "AWS::SageMaker::Model")
    assert model["EnableNetworkIsolation"] is True
    assert len(model["VpcConfig"]["Subnets"]) == 2
    assert "HF_TOKEN" not in str(model)
    assert LLAMA_REVISION in str(model["PrimaryContainer"]["ModelDataSource"])


def test_no_role_may_do_what_only_some_callers_need(templates: tuple[Json, Json]) -> None:
    for template in templates:
        allowed = [one for one in statements(template) if one["Effect"] == "Allow"]
        assert not [one for one in allowed if "*" in str(one["Action"])]
        assert all(
            "ManagedPolicyArns" not in one["Properties"] for one in resources(template, "AWS::IAM::Role").values()
        )


@pytest.mark.parametrize("env", [Environment(), Environment(account="111122223333", region="eu-west-1")])
def test_cdk_nag_has_no_open_finding_about_the_hardened_stacks(env: Environment) -> None:
    assert findings(built(env, nag="off", hardened="on", stacks="HardenedLlamaTgiStack")) == set()


@pytest.mark.parametrize("references", ["strong", "weak"])
def test_cdk_nag_has_none_either_once_the_stacks_are_connected(references: str) -> None:
    context = {"@aws-cdk/core:defaultCrossStackReferences": references}
    app = built(nag="off", hardened="on", stacks="HardenedLlamaTgiStack", **context)
    app.synth()
    assert findings(app) == set()


def test_the_app_has_them_when_they_are_asked_for() -> None:
    names = {child.node.id for child in built(nag="off", hardened="on", stacks="HardenedLlamaTgiStack").node.children}
    assert {"HardenedBaseStack", "HardenedLlamaTgiStack"} <= names
    with pytest.raises(SystemExit, match="Hardened stacks require -c hardened=on"):
        built(nag="off", stacks="HardenedLlamaTgiStack")
