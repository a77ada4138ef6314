"""What the functions of a front door must reach from their subnets. Pure Python: no aws_cdk here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib.planning.network import SubnetKind
from constructs_lib.planning.validation.problem import Described, PlanWarning, Problem

if TYPE_CHECKING:
    from constructs_lib.planning.network import NetworkAccess

SAGEMAKER = ("sagemaker.api", "sagemaker.runtime")
"""What every front door calls: the endpoints, and the description of each for `GET /health`."""

DYNAMODB = "dynamodb"
"""What a front door calls whose consumers have limits on tokens or streams."""

LAMBDA = "lambda"
"""What a front door with a Mirror calls to hand the copies over."""

_KNOWN_BETTER = (
    "If they have a way out that the CDK does not know, such as a transit gateway, select them by id:"
    " SubnetSelection(subnets=[Subnet.from_subnet_id(…)])."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReach:
    """What is called from some subnets, and what leads there.

    The functions' logs and traces are not among it: Lambda sends them, and not through the VPC.

    Args:
        access: The subnets.
        called: The services that the functions call, as VPC endpoints name them.
        endpoints: The services for which this app has endpoints in the VPC.
        knows_endpoints: Whether the VPC has no others.
        other_regions: The Regions of endpoints that are called elsewhere.
        issuer: The access method whose function fetches keys of an issuer. None: no function does.
    """

    access: NetworkAccess
    called: tuple[str, ...]
    endpoints: frozenset[str]
    knows_endpoints: bool
    other_regions: tuple[str, ...] = ()
    issuer: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The services that are called and have no endpoint that this app knows."""
        return tuple(service for service in self.called if service not in self.endpoints)


def reach_problems(reach: FunctionReach) -> Iterator[Problem]:
    """What cannot be reached."""
    if reach.access.egress is not False:
        return
    subnets, why = Described(reach.access.description), _why(reach.access)
    if reach.missing and reach.knows_endpoints:
        yield Problem(
            "vpc_subnets",
            subnets,
            f"cannot reach the internet{why}, and their VPC has no endpoint for {_list(reach.missing)}, which the"
            " functions call",
            "Pass service_endpoints=True, call vpc.add_interface_endpoint(…) before you create the front door, or"
            f" select private subnets with a route to a NAT gateway. {_KNOWN_BETTER}",
        )
    if reach.other_regions:
        yield Problem(
            "vpc_subnets",
            subnets,
            f"cannot reach the internet{why}, and a VPC endpoint leads to its own Region only, but there are model"
            f" endpoints in {_list(reach.other_regions)}",
            f"Select private subnets with a route to a NAT gateway, or leave these endpoints out. {_KNOWN_BETTER}",
        )
    if reach.issuer is not None:
        yield Problem(
            "vpc_subnets",
            subnets,
            f"cannot reach the internet{why}, and {reach.issuer} fetches the issuer's keys from there",
            'Give the keys as a file, Access.jwt(…, jwks="keys.json"), or select private subnets with a route to a NAT'
            f" gateway. {_KNOWN_BETTER}",
        )


def reach_warnings(reach: FunctionReach) -> Iterator[PlanWarning]:
    """What may not be reached."""
    egress = reach.access.egress
    if egress:
        return
    unknown = [] if egress is False and reach.knows_endpoints else [*reach.missing]
    if egress is None:
        unknown += [*reach.other_regions, *([] if reach.issuer is None else ["the issuer of the tokens"])]
    if unknown:
        yield PlanWarning(
            "tgi-endpoint:functionRouteUnknown",
            f"The functions of this front door call {_list(unknown)}, and whether their subnets reach that is not known"
            " at synth. Each subnet needs a route to a NAT gateway, or their VPC an interface endpoint for each service"
            " with private DNS; service_endpoints=True creates these.",
        )


def _why(access: NetworkAccess) -> str:
    return " (Lambda's network interfaces have no public address)" if SubnetKind.PUBLIC in access.subnets else ""


def _list(names: tuple[str, ...] | list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
