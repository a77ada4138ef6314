"""What TgiEndpoint knows at synth about the subnets and security groups that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint
from tests.constructs_lib.rendered import MODEL, properties, template_of

if TYPE_CHECKING:
    from collections.abc import Callable

HUB = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
PRIVATE, ISOLATED, PUBLIC = (
    ec2.SubnetType.PRIVATE_WITH_EGRESS,
    ec2.SubnetType.PRIVATE_ISOLATED,
    ec2.SubnetType.PUBLIC,
)
HERE = Environment(account="123456789012", region="eu-west-1")
# What the CDK writes into cdk.context.json for Vpc.from_lookup.
LOOKUP = "vpc-provider:account=123456789012:filter.vpc-id=vpc-1:region=eu-west-1:returnAsymmetricSubnets=true"


def created(stack: Stack, *types: ec2.SubnetType, id: str = "Vpc", **arguments: Any) -> ec2.Vpc:
    groups = [ec2.SubnetConfiguration(name=each.name.title().replace("_", ""), subnet_type=each) for each in types]
    return ec2.Vpc(stack, id, max_azs=2, subnet_configuration=groups, **arguments)


def imported(stack: Stack, id: str = "Vpc", vpc_id: str = "vpc-1", **subnets: Any) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(stack, id, vpc_id=vpc_id, availability_zones=["eu-west-1a"], **subnets)


def selection(**arguments: Any) -> ec2.SubnetSelection:
    return ec2.SubnetSelection(**arguments)


def weights(stack: Stack) -> Model:
    return Model.from_s3(s3.Bucket.from_bucket_name(stack, "Weights", "team-weights"), "qwen", model_id=HUB.model_id)


def outcome(stack: Stack, vpc: ec2.IVpc, model: Model = HUB, **arguments: Any) -> list[str]:
    """The keywords of the problems, or else the ids of the warnings about routes."""
    try:
        endpoint = TgiEndpoint(stack, "Llm", model=model, instance_type=InstanceType.G6E_XLARGE, vpc=vpc, **arguments)
    except ConfigurationError as error:
        return [f"{problem.keyword}={problem.value}" for problem in error.problems]
    warnings = [str(entry.data) for entry in endpoint.node.metadata if entry.type == "aws:cdk:warning"]
    return [text.partition("[ack: ")[2].rstrip("]") for text in warnings if "Route" in text]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda stack: created(stack, PUBLIC, PRIVATE), []),
        (lambda stack: created(stack, PUBLIC, ISOLATED), ["vpc_subnets=(2 isolated subnets)"]),
        (lambda stack: created(stack, PUBLIC), ["vpc_subnets=(2 public subnets)"]),
        (lambda stack: created(stack, PRIVATE, nat_gateways=0), ["tgi-endpoint:internetRouteUnknown"]),
        (lambda stack: imported(stack, private_subnet_ids=["subnet-1"]), []),
        (lambda stack: imported(stack, isolated_subnet_ids=["subnet-1"]), ["vpc_subnets=(1 isolated subnet)"]),
        (lambda stack: imported(stack, public_subnet_ids=["subnet-1"]), ["vpc_subnets=(1 public subnet)"]),
        (
            lambda stack: imported(stack, private_subnet_ids=[Fn.import_value("Subnet")]),
            ["tgi-endpoint:internetRouteUnknown"],
        ),
        (
            lambda stack: imported(stack, isolated_subnet_ids=Fn.split(",", Fn.import_value("Subnets"))),
            ["tgi-endpoint:internetRouteUnknown"],
        ),
    ],
)
def test_a_model_of_the_hub_needs_subnets_with_internet(
    stack: Stack, make: Callable[[Stack], ec2.IVpc], expected: list[str]
) -> None:
    assert outcome(stack, make(stack)) == expected


@pytest.mark.parametrize(
    ("subnet_type", "expected"),
    [
        (None, []),
        (PRIVATE, []),
        (ISOLATED, ["vpc_subnets=(1 isolated subnet)"]),
        (PUBLIC, ["vpc_subnets=(1 public subnet)"]),
    ],
)
def test_a_vpc_that_was_looked_up_knows_its_subnets(
    app: App, subnet_type: ec2.SubnetType | None, expected: list[str]
) -> None:
    groups = [
        {"name": kind, "type": kind, "subnets": [{"subnetId": f"subnet-{kind}", "availabilityZone": "eu-west-1a"}]}
        for kind in ("Public", "Private", "Isolated")
    ]
    app.node.set_context(LOOKUP, {"vpcId": "vpc-1", "availabilityZones": [], "subnetGroups": groups})
    stack = Stack(app, "Team", env=HERE)
    vpc = ec2.Vpc.from_lookup(stack, "Vpc", vpc_id="vpc-1")
    assert outcome(stack, vpc, vpc_subnets=subnet_type and selection(subnet_type=subnet_type)) == expected


def test_nothing_is_said_before_a_vpc_is_looked_up(stack: Stack) -> None:
    vpc = ec2.Vpc.from_lookup(stack, "Vpc", vpc_id="vpc-1")
    assert outcome(stack, vpc, vpc_subnets=selection(subnet_type=ISOLATED)) == []


def test_every_selected_subnet_counts(stack: Stack) -> None:
    vpc = created(stack, PUBLIC, PRIVATE, ISOLATED)
    mixed = selection(subnets=[vpc.private_subnets[0], vpc.public_subnets[0], vpc.isolated_subnets[0]])
    assert outcome(stack, vpc, vpc_subnets=mixed) == ["vpc_subnets=(1 public and 1 isolated subnets)"]


def test_subnets_selected_by_id_may_be_anything(stack: Stack) -> None:
    vpc = imported(stack, isolated_subnet_ids=["subnet-1"])
    by_id = selection(subnets=[ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-1")])
    assert outcome(stack, vpc, vpc_subnets=by_id) == ["tgi-endpoint:internetRouteUnknown"]
    assert properties(template_of(stack), MODEL)["VpcConfig"]["Subnets"] == ["subnet-1"]


@pytest.mark.parametrize("own_stack", [False, True])
def test_isolated_subnets_with_a_default_route_reach_the_internet(app: App, stack: Stack, own_stack: bool) -> None:
    vpc = created(stack, ISOLATED)
    scope = Stack(app, "Routes", env=HERE) if own_stack else stack
    for index, subnet in enumerate(vpc.isolated_subnets):
        ec2.CfnRoute(
            scope,
            f"Route{index}",
            route_table_id=subnet.route_table.route_table_id,
            destination_cidr_block="0.0.0.0/0",
            transit_gateway_id="tgw-1",
        )
    assert outcome(stack, vpc) == []


def test_a_route_to_one_network_is_no_route_to_the_internet(stack: Stack) -> None:
    vpc = created(stack, ISOLATED)
    for subnet in vpc.isolated_subnets:
        assert isinstance(subnet, ec2.Subnet)
        subnet.add_route(
            "Office",
            router_id="tgw-1",
            router_type=ec2.RouterType.TRANSIT_GATEWAY,
            destination_cidr_block="10.0.0.0/8",
        )
    assert outcome(stack, vpc) == ["vpc_subnets=(2 isolated subnets)"]


@pytest.mark.parametrize("is_interface", [False, True])
def test_weights_in_s3_need_an_s3_endpoint_in_isolated_subnets(stack: Stack, is_interface: bool) -> None:
    vpc = created(stack, ISOLATED)
    # Neither another service's endpoint nor another VPC's counts.
    vpc.add_gateway_endpoint("Dynamo", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    created(stack, ISOLATED, id="Other").add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    assert outcome(stack, vpc, weights(stack)) == ["vpc_subnets=(2 isolated subnets)"]
    if is_interface:
        vpc.add_interface_endpoint("S3", service=ec2.InterfaceVpcEndpointAwsService.S3)
    else:
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    assert outcome(stack, vpc, Model.from_s3(s3.Bucket.from_bucket_name(stack, "B", "own-weights"), "")) == []


def test_whether_a_vpc_of_others_has_an_s3_endpoint_is_not_known(stack: Stack) -> None:
    vpc = imported(stack, isolated_subnet_ids=["subnet-1"])
    assert outcome(stack, vpc, weights(stack)) == ["tgi-endpoint:s3RouteUnknown"]


def test_an_s3_endpoint_of_this_app_in_a_vpc_of_others_is_known(stack: Stack) -> None:
    vpc = imported(stack, isolated_subnet_ids=["subnet-1"], isolated_subnet_route_table_ids=["rtb-1"])
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    assert outcome(stack, vpc, weights(stack)) == []


def rejection(stack: Stack, vpc: ec2.IVpc, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint(stack, "Llm", model=HUB, instance_type=InstanceType.G6E_XLARGE, vpc=vpc, **arguments)
    (problem,) = raised.value.problems
    return str(problem)


def test_a_selection_that_the_cdk_rejects_is_a_problem_like_all_others(stack: Stack) -> None:
    message = rejection(stack, created(stack, PUBLIC, PRIVATE), vpc_subnets=selection(subnet_group_name="Models"))
    assert message.startswith("vpc_subnets=")
    assert ": cannot be selected: There are no subnet groups with name 'Models' in this VPC." in message
    assert message.endswith(" Select by subnet_type or subnet_group_name what the VPC has, or give subnets=[…].")


def test_more_subnets_than_sagemaker_takes_are_a_problem(stack: Stack) -> None:
    vpc = imported(stack, private_subnet_ids=[f"subnet-{number}" for number in range(17)])
    assert rejection(stack, vpc) == (
        "vpc_subnets=(17 subnets): must be 1 to 16 subnets, SageMaker's limit. Select others of its subnets."
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda stack, name: created(stack, PUBLIC, PRIVATE, id=name),
        lambda stack, name: imported(stack, name, f"vpc-{name.lower()}", private_subnet_ids=["subnet-1"]),
    ],
)
def test_a_security_group_of_another_vpc_is_a_problem(stack: Stack, make: Callable[[Stack, str], ec2.IVpc]) -> None:
    vpc, other = make(stack, "Vpc"), make(stack, "Other")
    groups = [ec2.SecurityGroup(stack, "Right", vpc=vpc), ec2.SecurityGroup(stack, "Wrong", vpc=other)]
    assert rejection(stack, vpc, security_groups=groups) == (
        "security_groups[1]=(SecurityGroup Team/Wrong): is not a group of the VPC Team/Vpc."
        " Create it in that VPC, or remove it for a new group without inbound rules."
    )


def test_nothing_is_said_about_security_groups_whose_vpc_is_not_known(stack: Stack) -> None:
    vpc = imported(stack, vpc_id="vpc-1", private_subnet_ids=["subnet-1"])
    late = imported(stack, "Late", Fn.import_value("Vpc"), private_subnet_ids=["subnet-1"])
    groups = [
        ec2.SecurityGroup.from_security_group_id(stack, "Imported", "sg-1"),
        ec2.SecurityGroup(stack, "OfCreated", vpc=created(stack, PUBLIC, PRIVATE, id="New")),
        ec2.SecurityGroup(stack, "OfLate", vpc=late),
    ]
    assert outcome(stack, vpc, security_groups=groups) == []
