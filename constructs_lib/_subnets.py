"""What subnets reach, as far as this app knows their VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from constructs_lib._tokens import is_token
from constructs_lib._vpc_endpoints import service_of
from constructs_lib.planning.network import NetworkAccess, SubnetKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Node

_EVERYWHERE = "0.0.0.0/0"


def network_access(vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet]) -> NetworkAccess:
    """What subnets reach, by the constructs that exist so far.

    A VPC of this app says what its subnets are, and one that was looked up or imported with literal ids says it too:
    the CDK has asked the account, or the caller has named them so. Ids that only the deployment knows, and subnets that
    are not among the VPC's, may be anything.

    Args:
        vpc: Their VPC.
        subnets: The subnets.
    """
    kinds = _kinds_by_path(vpc)
    if isinstance(vpc, ec2.Vpc):
        known = [_own_kind(vpc, subnet, kinds.get(subnet.node.path, SubnetKind.UNKNOWN)) for subnet in subnets]
    else:
        known = [
            SubnetKind.UNKNOWN if _is_late(subnet.subnet_id) else kinds.get(subnet.node.path, SubnetKind.UNKNOWN)
            for subnet in subnets
        ]
    is_private = all(kind is SubnetKind.PRIVATE for kind in known)
    return NetworkAccess(subnets=tuple(known), has_s3_endpoint=None if is_private else _has_s3_endpoint(vpc))


def _kinds_by_path(vpc: ec2.IVpc) -> dict[str, SubnetKind]:
    groups = (
        (SubnetKind.PRIVATE, vpc.private_subnets),
        (SubnetKind.ISOLATED, vpc.isolated_subnets),
        (SubnetKind.PUBLIC, vpc.public_subnets),
    )
    return {subnet.node.path: kind for kind, subnets in groups for subnet in subnets}


def _is_late(subnet_id: str) -> bool:
    """Whether only the deployment knows the id; it may be the only item of a list that is a token as a whole."""
    return is_token(subnet_id) or is_token([subnet_id])


def _own_kind(vpc: ec2.Vpc, subnet: ec2.ISubnet, kind: SubnetKind) -> SubnetKind:
    """The kind of a subnet, by its default route if that says more than the type that its VPC was created with.

    A subnet that is isolated by its type can have a route through a transit gateway. One with egress by its type has no
    route in a VPC without NAT gateways, but may still get one.
    """
    if kind not in (SubnetKind.PRIVATE, SubnetKind.ISOLATED):
        return kind
    table = subnet.route_table.route_table_id
    if _has_default_route(subnet.node, table) or _has_default_route(vpc.node.root.node, table):
        return SubnetKind.PRIVATE
    return SubnetKind.ISOLATED if kind is SubnetKind.ISOLATED else SubnetKind.UNKNOWN


def _has_default_route(node: Node, table_id: str) -> bool:
    """Whether a route below a node connects a route table with everything."""
    return any(
        isinstance(route, ec2.CfnRoute)
        and route.destination_cidr_block == _EVERYWHERE
        and route.route_table_id == table_id
        for route in node.find_all()
    )


def services_in(vpc: ec2.IVpc) -> frozenset[str]:
    """The services that this app creates endpoints for in a VPC, as `service_of` names them.

    Args:
        vpc: The VPC.
    """
    found = (
        service_of(endpoint)
        for endpoint in vpc.node.root.node.find_all()
        if isinstance(endpoint, ec2.CfnVPCEndpoint) and endpoint.vpc_id == vpc.vpc_id
    )
    return frozenset(service for service in found if service is not None)


def _has_s3_endpoint(vpc: ec2.IVpc) -> bool | None:
    """Whether this app creates an endpoint for S3 in the VPC; None if others may have created one."""
    return True if "s3" in services_in(vpc) else False if isinstance(vpc, ec2.Vpc) else None
