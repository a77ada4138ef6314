"""What an endpoint in a VPC reaches from its subnets."""

import pytest

from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.network import NetworkAccess, SubnetKind
from constructs_lib.planning.validation.unknown import UNKNOWN

PRIVATE, ISOLATED, PUBLIC, SOME = SubnetKind.PRIVATE, SubnetKind.ISOLATED, SubnetKind.PUBLIC, SubnetKind.UNKNOWN
OWN_WEIGHTS = ModelChoice(source="s3")
NO_INTERNET = ", and the container downloads this model from the Hugging Face hub. "
NO_S3 = ", and their VPC has no endpoint for it, so SageMaker cannot read the weights. "
NO_ADDRESS = " (SageMaker's network interfaces have no public address)"
BY_ID = (
    " If they have a way out that the CDK does not know, such as a transit gateway, select them by id:"
    " SubnetSelection(subnets=[Subnet.from_subnet_id(…)])."
)
FOR_HUB = (
    "Select private subnets with a route to a NAT gateway, copy the weights to S3 and use Model.from_s3, or set"
    f" HF_ENDPOINT or HTTPS_PROXY in environment to a mirror or proxy in the VPC.{BY_ID}"
)
FOR_S3 = (
    'Call vpc.add_gateway_endpoint("S3", service=GatewayVpcEndpointAwsService.S3) before you create the model endpoint,'
    f" or select private subnets with a route to a NAT gateway.{BY_ID}"
)


def access(*subnets, s3=None):
    return NetworkAccess(subnets=subnets, has_s3_endpoint=s3)


@pytest.mark.parametrize(
    ("subnets", "egress"),
    [
        ((PRIVATE, PRIVATE), True),
        ((PRIVATE, ISOLATED), False),
        ((PRIVATE, PUBLIC), False),
        ((PRIVATE, SOME), None),
        ((ISOLATED, SOME), False),
    ],
)
def test_an_instance_may_be_placed_in_any_of_the_subnets(subnets, egress):
    assert access(*subnets).egress is egress


@pytest.mark.parametrize(
    ("subnets", "s3", "reaches"),
    [
        ((PRIVATE,), None, True),
        ((ISOLATED,), True, True),
        ((ISOLATED,), False, False),
        ((ISOLATED,), None, None),
        ((SOME,), False, None),
        ((SOME,), True, True),
    ],
)
def test_s3_is_reached_through_an_endpoint_or_the_internet(subnets, s3, reaches):
    assert access(*subnets, s3=s3).s3_access is reaches


@pytest.mark.parametrize(
    ("subnets", "words"),
    [
        ((ISOLATED,), "(1 isolated subnet): cannot reach the internet"),
        ((PUBLIC, PUBLIC), f"(2 public subnets): cannot reach the internet{NO_ADDRESS}"),
        ((PRIVATE, PUBLIC, ISOLATED), f"(1 public and 1 isolated subnets): cannot reach the internet{NO_ADDRESS}"),
    ],
)
def test_a_model_of_the_hub_in_subnets_without_internet_is_a_problem(subnets, words, refusals):
    assert refusals(network=access(*subnets)) == [f"vpc_subnets={words}{NO_INTERNET}{FOR_HUB}"]


def test_weights_in_s3_without_a_route_to_s3_are_a_problem(refusals):
    isolated = f"vpc_subnets=(2 isolated subnets): cannot reach S3{NO_S3}{FOR_S3}"
    assert refusals(model=OWN_WEIGHTS, network=access(ISOLATED, ISOLATED, s3=False)) == [isolated]
    public = f"vpc_subnets=(1 public subnet): cannot reach S3{NO_ADDRESS}{NO_S3}{FOR_S3}"
    assert refusals(model=OWN_WEIGHTS, network=access(PUBLIC, s3=False)) == [public]


@pytest.mark.parametrize("network", [None, access(PRIVATE), access(ISOLATED, s3=True)])
def test_weights_in_s3_that_are_reached_are_neither_problem_nor_warning(network, planning):
    plan = planning(model=OWN_WEIGHTS, network=network)
    assert plan.problems == ()
    assert not [warning for warning in plan.warnings if "Route" in warning.id]


@pytest.mark.parametrize("variable", ["HF_ENDPOINT", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("value", ["https://hub.example.com", UNKNOWN])
def test_a_mirror_or_proxy_replaces_the_route_to_the_internet(variable, value, planning):
    for subnet in (ISOLATED, SOME):
        plan = planning(network=access(subnet), environment={variable: value})
        assert plan.problems == ()
        assert "tgi-endpoint:internetRouteUnknown" not in [warning.id for warning in plan.warnings]


def test_a_mirror_of_the_hub_does_not_replace_the_route_to_s3(refusals):
    network = access(ISOLATED, s3=False)
    assert refusals(model=OWN_WEIGHTS, network=network, environment={"HF_ENDPOINT": "https://hub.example.com"})


def test_network_isolation_is_reported_once_not_as_a_missing_route_too(refusals):
    (only,) = refusals(network=access(ISOLATED), network_isolation=True)
    assert only.startswith("network_isolation=True: cuts the container off from the Hugging Face hub")


def test_subnets_that_are_not_known_are_a_warning_that_can_be_acknowledged(planning):
    (warning,) = planning(network=access(SOME)).warnings
    assert warning.id == "tgi-endpoint:internetRouteUnknown"
    assert warning.message == (
        "The container downloads this model from the Hugging Face hub when it starts, and whether its subnets reach the"
        " internet is not known at synth. Each of them needs a route to a NAT gateway: SageMaker's network interfaces"
        " have no public address. Without one, use Model.from_s3, or set HF_ENDPOINT in environment to a mirror."
    )


@pytest.mark.parametrize("network", [access(SOME), access(SOME, s3=False), access(ISOLATED, s3=None)])
def test_an_s3_endpoint_that_is_not_known_is_a_warning_that_can_be_acknowledged(network, planning):
    plan = planning(model=OWN_WEIGHTS, network=network)
    assert plan.problems == ()
    (warning,) = [warning for warning in plan.warnings if "Route" in warning.id]
    assert warning.id == "tgi-endpoint:s3RouteUnknown"
    assert warning.message == (
        "SageMaker reads the weights from S3 through the endpoint's subnets, and whether these reach S3 is not known at"
        " synth. Their VPC needs a gateway or interface endpoint for S3, or they need a route to a NAT gateway."
    )


@pytest.mark.parametrize("network", [None, access(PRIVATE)])
def test_a_model_of_the_hub_with_a_route_to_it_has_no_warning(network, warnings):
    assert warnings(network=network) == []
