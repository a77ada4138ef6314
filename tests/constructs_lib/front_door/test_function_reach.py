"""What the functions of a front door reach from their subnets: the rules by themselves."""

from typing import Any

import pytest

from constructs_lib.front_door.function_reach import FunctionReach, reach_problems, reach_warnings
from constructs_lib.planning.network import NetworkAccess, SubnetKind

PRIVATE, ISOLATED, PUBLIC, UNKNOWN = SubnetKind.PRIVATE, SubnetKind.ISOLATED, SubnetKind.PUBLIC, SubnetKind.UNKNOWN
RUNTIME, API = "sagemaker.runtime", "sagemaker.api"


def reach(*subnets: SubnetKind, **facts: Any) -> FunctionReach:
    arguments: dict[str, Any] = {"called": (API, RUNTIME), "endpoints": frozenset(), "knows_endpoints": True}
    return FunctionReach(access=NetworkAccess(subnets=subnets, has_s3_endpoint=None), **{**arguments, **facts})


def outcome(facts: FunctionReach) -> list[str]:
    """The messages of the problems, and the ids of the warnings."""
    return [*(found.message for found in reach_problems(facts)), *(found.id for found in reach_warnings(facts))]


def test_private_subnets_reach_everything() -> None:
    everything = reach(PRIVATE, PRIVATE, other_regions=("us-east-1",), issuer="Access.jwt(…)")
    assert outcome(everything) == []


def test_isolated_subnets_need_an_endpoint_for_each_service_that_is_called() -> None:
    (found,) = reach_problems(reach(ISOLATED, ISOLATED))
    assert str(found) == (
        "vpc_subnets=(2 isolated subnets): cannot reach the internet, and their VPC has no endpoint for sagemaker.api"
        " and sagemaker.runtime, which the functions call. Pass service_endpoints=True, call"
        " vpc.add_interface_endpoint(…) before you create the front door, or select private subnets with a route to a"
        " NAT gateway. If they have a way out that the CDK does not know, such as a transit gateway, select them by id:"
        " SubnetSelection(subnets=[Subnet.from_subnet_id(…)])."
    )
    assert outcome(reach(ISOLATED, endpoints=frozenset({API, RUNTIME, "s3"}))) == []
    (missing,) = outcome(reach(ISOLATED, endpoints=frozenset({API})))
    assert "no endpoint for sagemaker.runtime, which" in missing


def test_public_subnets_are_no_way_out_for_a_function() -> None:
    (found,) = outcome(reach(PUBLIC))
    assert found.startswith("cannot reach the internet (Lambda's network interfaces have no public address), and")


def test_endpoints_of_a_vpc_that_others_created_are_not_known() -> None:
    imported = reach(ISOLATED, knows_endpoints=False, endpoints=frozenset({API}))
    assert list(reach_problems(imported)) == []
    (warning,) = reach_warnings(imported)
    assert warning.id == "tgi-endpoint:functionRouteUnknown"
    assert warning.message.startswith("The functions of this front door call sagemaker.runtime, and whether")


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({}, "sagemaker.api and sagemaker.runtime,"),
        ({"endpoints": frozenset({API, RUNTIME}), "other_regions": ("us-east-1",)}, "us-east-1,"),
        ({"endpoints": frozenset({API, RUNTIME}), "issuer": "Access.jwt(…)"}, "the issuer of the tokens,"),
    ],
)
def test_what_subnets_of_an_unknown_kind_may_not_reach_is_a_warning(facts: dict[str, Any], named: str) -> None:
    (warning,) = reach_warnings(reach(UNKNOWN, **facts))
    assert f"call {named}" in warning.message
    assert list(reach_problems(reach(UNKNOWN, **facts))) == []


def test_an_endpoint_in_another_region_needs_the_internet() -> None:
    both = frozenset({API, RUNTIME})
    (found,) = outcome(reach(ISOLATED, endpoints=both, other_regions=("us-east-1", "eu-north-1")))
    assert "there are model endpoints in us-east-1 and eu-north-1" in found


def test_keys_that_are_fetched_need_the_internet_and_the_fix_is_a_file() -> None:
    (found,) = reach_problems(reach(ISOLATED, endpoints=frozenset({API, RUNTIME}), issuer="Access.jwt(…)"))
    assert "and Access.jwt(…) fetches the issuer's keys from there" in found.message
    assert found.fix.startswith('Give the keys as a file, Access.jwt(…, jwks="keys.json"), or')
