"""The table and the keys of consumers in a front door with a key and a VPC of the caller's."""

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from tests.constructs_lib.front_door.doubles import (
    flat,
    make_front_door,
    of_type,
    only,
    properties,
    statements,
    template,
    warnings,
)

ISOLATED, EGRESS = ec2.SubnetType.PRIVATE_ISOLATED, ec2.SubnetType.PRIVATE_WITH_EGRESS
SUBNETS = {"isolated_subnet_ids": ["subnet-1"], "isolated_subnet_route_table_ids": ["rtb-1"]}


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack", env=Environment(account="111122223333", region="eu-west-1"))


def own_vpc(stack: Stack, kind: ec2.SubnetType = ISOLATED) -> ec2.Vpc:
    public = [ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)] if kind is EGRESS else []
    own = ec2.SubnetConfiguration(name="Own", subnet_type=kind)
    return ec2.Vpc(stack, "Vpc", max_azs=2, subnet_configuration=[*public, own])


def imported_vpc(stack: Stack, **arguments: Any) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"], **arguments)


def test_the_key_of_the_front_door_encrypts_table_and_secrets_and_the_function_may_decrypt_through_dynamodb(
    stack: Stack,
) -> None:
    front_door = make_front_door(stack, encryption_key=kms.Key(stack, "Key", enable_key_rotation=True))
    front_door.add_consumer("team-a", tokens_per_day=9000, keys=("2026-11",))
    rendered = template(front_door)
    key = {"Fn::GetAtt": ["Key961B73FD", "Arn"]}
    assert only(rendered, "DynamoDB::Table")["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": key,
    }
    assert only(rendered, "SecretsManager::Secret")["KmsKeyId"] == key
    (granted,) = (each for each in statements(rendered) if "dynamodb" in str(each.get("Condition")))
    assert granted["Action"] == "kms:Decrypt"
    assert granted["Resource"] == key
    assert flat(granted["Condition"]["StringEquals"]["kms:ViaService"]) == ("dynamodb.eu-west-1.<AWS::URLSuffix>")


def test_a_service_that_may_read_a_key_may_decrypt_its_secret(stack: Stack) -> None:
    front_door = make_front_door(stack, encryption_key=kms.Key(stack, "Key", enable_key_rotation=True))
    role = iam.Role(stack, "Service", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    front_door.add_consumer("team-a", keys=("2026-11",)).grant_read_keys(role)
    rendered = template(front_door)
    (policy,) = (
        each for name, each in of_type(rendered, "IAM::Policy").items() if name.startswith("ServiceDefaultPolicy")
    )
    read, decrypted = policy["Properties"]["PolicyDocument"]["Statement"]
    assert read["Action"] == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    assert (decrypted["Action"], flat(decrypted["Resource"])) == ("kms:Decrypt", "<Key961B73FD.Arn>")
    assert flat(decrypted["Condition"]["StringEquals"]["kms:ViaService"]) == (
        "secretsmanager.eu-west-1.<AWS::URLSuffix>"
    )
    assert "Service" not in str(only(rendered, "KMS::Key")["KeyPolicy"]["Statement"][0])


def test_the_endpoint_for_the_table_is_created_with_the_others_and_the_function_waits_for_it(stack: Stack) -> None:
    front_door = make_front_door(stack, vpc=own_vpc(stack), service_endpoints=True)
    for name in ("team-a", "team-b"):
        front_door.add_consumer(name, tokens_per_day=9000)
    rendered = template(front_door)
    ((name, endpoint),) = (
        (name, each)
        for name, each in of_type(rendered, "EC2::VPCEndpoint").items()
        if each["Properties"]["VpcEndpointType"] == "Gateway"
    )
    assert flat(endpoint["Properties"]["ServiceName"]) == "com.amazonaws.<AWS::Region>.dynamodb"
    assert endpoint["Properties"]["RouteTableIds"] == [{"Ref": table} for table in of_type(rendered, "EC2::RouteTable")]
    (function,) = (
        each
        for each in of_type(rendered, "Lambda::Function").values()
        if each["Properties"]["Handler"].startswith("front_door")
    )
    assert name in function["DependsOn"]


def test_an_endpoint_for_the_table_that_is_there_is_used(stack: Stack) -> None:
    vpc = own_vpc(stack)
    vpc.add_gateway_endpoint("Tables", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    front_door = make_front_door(stack, vpc=vpc, service_endpoints=True)
    front_door.add_consumer("team-a", tokens_per_day=9000)
    kinds = [each["VpcEndpointType"] for each in properties(template(front_door), "EC2::VPCEndpoint")]
    assert kinds.count("Gateway") == 1


def test_without_a_consumer_with_limits_there_is_no_endpoint_for_tables(stack: Stack) -> None:
    front_door = make_front_door(stack, vpc=own_vpc(stack), service_endpoints=True)
    front_door.add_consumer("team-a", models=["llama"])
    assert "dynamodb" not in str(template(front_door))


def test_subnets_with_egress_need_no_endpoint(stack: Stack) -> None:
    front_door = make_front_door(stack, vpc=own_vpc(stack, EGRESS))
    front_door.add_consumer("team-a", tokens_per_day=9000)
    assert warnings(front_door) == []


def test_subnets_with_another_way_out_get_no_endpoint_if_their_route_tables_are_not_known(stack: Stack) -> None:
    vpc = imported_vpc(stack, private_subnet_ids=["subnet-1"])
    front_door = make_front_door(stack, vpc=vpc, service_endpoints=True)
    front_door.add_consumer("team-a", tokens_per_day=9000)
    kinds = {each["VpcEndpointType"] for each in properties(template(front_door), "EC2::VPCEndpoint")}
    assert kinds == {"Interface"}
