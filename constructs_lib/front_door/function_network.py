"""The network interfaces of a front door's functions in a VPC, and the endpoints of the services that they call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Annotations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib._protection import UNPROTECTED, FunctionProtection
from constructs_lib._subnets import services_in
from constructs_lib._vpc_place import VpcPlace
from constructs_lib.front_door.access.base import AccessMethod
from constructs_lib.front_door.function_reach import (
    DYNAMODB,
    LAMBDA,
    SAGEMAKER,
    FunctionReach,
    reach_problems,
    reach_warnings,
)
from constructs_lib.front_door.models_file import other_region
from constructs_lib.front_door.routed_models import all_endpoints, mirrors_of
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk import CfnResource

    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.front_door.arguments import FrontDoorArguments
    from constructs_lib.planning.network import NetworkAccess
    from constructs_lib.planning.validation.problem import PlanWarning

_HTTPS = 443


class FunctionNetwork(VpcPlace):
    """Where the functions get their network interfaces, and how they reach what they call.

    Args:
        vpc: The VPC; None for functions outside any VPC.
        subnets: Which of its subnets; None selects the private ones.
        security_groups: Their security groups; None creates one that lets nothing in, and out to port 443 alone.
        service_endpoints: Whether to create the VPC endpoints that this app does not have yet.
    """

    def __init__(
        self,
        vpc: ec2.IVpc | None,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
        *,
        service_endpoints: bool,
    ) -> None:
        super().__init__("Lambda", vpc, subnets, security_groups)
        self._service_endpoints = service_endpoints

    def validate(self) -> list[Problem]:
        """Problems of the arguments, each by itself and together."""
        found = super().validate()
        if wrong := problem("service_endpoints", self._service_endpoints, Boolean()):
            found = [*found, wrong]
        elif self._service_endpoints and self.vpc is None:
            fix = "Set vpc as well, or remove service_endpoints."
            found = [*found, Problem("service_endpoints", True, "requires vpc", fix)]
        return found

    def reach_problems(self, arguments: FrontDoorArguments, here: StackEnvironment) -> Iterator[Problem]:
        """What the functions cannot reach.

        Args:
            arguments: The arguments of the front door, whose models have no problem.
            here: The environment of its stack.
        """
        if not self.validate() and (reach := self._reach(arguments, here)):
            yield from reach_problems(reach)

    def reach_warnings(self, arguments: FrontDoorArguments, here: StackEnvironment) -> Iterator[PlanWarning]:
        """What the functions may not reach, by the VPC endpoints that exist before `bind`.

        Args:
            arguments: The arguments of the front door, without problems.
            here: The environment of its stack.
        """
        if reach := self._reach(arguments, here):
            yield from reach_warnings(reach)

    def table_problems(self) -> Iterator[Problem]:
        """What keeps the functions from DynamoDB, which counts what consumers use."""
        vpc, access = self.vpc, self.access()
        if vpc is None or access is None:
            return
        present = services_in(vpc)
        if self._service_endpoints:
            if access.egress or DYNAMODB in present or _route_tables(self.selected):
                return
            yield Problem(
                "service_endpoints",
                True,
                "cannot lead to DynamoDB, as the CDK does not know the route tables of the subnets",
                "Import the VPC with its route tables, or remove service_endpoints and add the gateway endpoint there.",
            )
        else:
            yield from reach_problems(_table_reach(vpc, access, present))

    def lead_to_table(self, scope: Construct, function: CfnResource) -> None:
        """Create the gateway endpoint of DynamoDB, which costs nothing, if it is asked for.

        Args:
            scope: The front door.
            function: Its function, which is told of the table once the endpoint is there.
        """
        vpc, access = self.vpc, self.access()
        if vpc is None:
            return
        present, tables = services_in(vpc), _route_tables(self.selected)
        if self._service_endpoints and DYNAMODB not in present:
            if not tables:  # the subnets have another way out, as `table_problems` has found
                return
            endpoint = ec2.CfnVPCEndpoint(
                scope,
                "LimitsEndpoint",
                vpc_id=vpc.vpc_id,
                service_name=ec2.GatewayVpcEndpointAwsService.DYNAMODB.name,
                vpc_endpoint_type="Gateway",
                route_table_ids=tables,
            )
            function.node.add_dependency(endpoint)
        elif access is not None:
            for warning in reach_warnings(_table_reach(vpc, access, present)):
                Annotations.of(scope).add_warning_v2(warning.id, warning.message)

    def bind(self, scope: Construct, arguments: FrontDoorArguments) -> FunctionProtection:
        """Create a security group if none is given, and the VPC endpoints if they are asked for.

        Args:
            scope: The front door.
            arguments: Its arguments.

        Returns:
            The network of the functions, without anything else that protects them.
        """
        vpc = self.vpc
        if vpc is None:
            return UNPROTECTED
        scope = Construct(scope, "Network")
        groups = self._security_groups or [_function_group(scope, vpc)]
        added: list[ec2.CfnVPCEndpoint] = []
        if self._service_endpoints:
            present = services_in(vpc)
            missing = [service for service in _called(arguments) if service not in present]
            added = _add_endpoints(scope, vpc, self.selected, groups, missing) if missing else []
        return FunctionProtection(subnets=self.selected, security_groups=groups, waits_for=added)

    def _reach(self, arguments: FrontDoorArguments, here: StackEnvironment) -> FunctionReach | None:
        """What the functions call, and what leads there. None: without a VPC, or if it is not looked up yet."""
        access, vpc = self.access(), self.vpc
        if access is None or vpc is None:
            return None
        called, method = _called(arguments), arguments.access
        endpoints = all_endpoints(arguments.models.values())
        regions = [region for endpoint in endpoints if (region := other_region(endpoint, here))]
        return FunctionReach(
            access=access,
            called=called,
            endpoints=frozenset(called) if self._service_endpoints else services_in(vpc),
            knows_endpoints=isinstance(vpc, ec2.Vpc),
            other_regions=tuple(dict.fromkeys(regions)),
            issuer=method.display_name if isinstance(method, AccessMethod) and method.fetches_keys else None,
        )


def _called(arguments: FrontDoorArguments) -> tuple[str, ...]:
    """The services that the functions call, as VPC endpoints name them."""
    return (*SAGEMAKER, LAMBDA) if mirrors_of(arguments.models) else SAGEMAKER


def _table_reach(vpc: ec2.IVpc, access: NetworkAccess, present: frozenset[str]) -> FunctionReach:
    knows = isinstance(vpc, ec2.Vpc)
    return FunctionReach(access=access, called=(DYNAMODB,), endpoints=present, knows_endpoints=knows)


def _route_tables(subnets: Sequence[ec2.ISubnet]) -> list[str]:
    """The route tables of subnets, each once; none if the CDK does not know all of them."""
    try:
        return list(dict.fromkeys(subnet.route_table.route_table_id for subnet in subnets))
    except RuntimeError:  # a subnet is imported without it
        return []


def _function_group(scope: Construct, vpc: ec2.IVpc) -> ec2.ISecurityGroup:
    group = ec2.SecurityGroup(
        scope,
        "SecurityGroup",
        vpc=vpc,
        description="Functions of a front door: nothing in, HTTPS out",
        allow_all_outbound=False,
    )
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS), "HTTPS to what the functions call")
    return group


def _add_endpoints(
    scope: Construct,
    vpc: ec2.IVpc,
    subnets: Sequence[ec2.ISubnet],
    groups: Sequence[ec2.ISecurityGroup],
    services: Sequence[str],
) -> list[ec2.CfnVPCEndpoint]:
    """Interface endpoints with private DNS, which the whole VPC then uses, so its addresses are let in as well."""
    own = ec2.SecurityGroup(
        scope,
        "EndpointSecurityGroup",
        vpc=vpc,
        description="VPC endpoints of a front door: HTTPS in, nothing out",
        allow_all_outbound=False,
    )
    for group in groups:
        own.add_ingress_rule(group, ec2.Port.tcp(_HTTPS), "HTTPS from the functions")
    if (addresses := _addresses(vpc)) is not None:
        own.add_ingress_rule(ec2.Peer.ipv4(addresses), ec2.Port.tcp(_HTTPS), "HTTPS from the VPC")
    placed = [subnet.subnet_id for subnet in _one_per_zone(subnets)]
    return [
        ec2.CfnVPCEndpoint(
            scope,
            # Of the service, so that another one changes no endpoint.
            "".join(part.title() for part in service.split(".")),
            vpc_id=vpc.vpc_id,
            service_name=ec2.InterfaceVpcEndpointAwsService(service).name,
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=placed,
            security_group_ids=[own.security_group_id],
        )
        for service in services
    ]


def _addresses(vpc: ec2.IVpc) -> str | None:
    """The addresses of a VPC; None if it is imported without them."""
    resource = vpc.node.default_child
    if isinstance(resource, ec2.CfnVPC) and resource.cidr_block is not None:
        # As they are written, which tools that check the template can read.
        return resource.cidr_block
    try:
        return vpc.vpc_cidr_block
    except RuntimeError:  # the CDK was not told
        return None


def _one_per_zone(subnets: Sequence[ec2.ISubnet]) -> list[ec2.ISubnet]:
    """The first subnet of each Availability Zone, of which an endpoint takes one; an imported one may not say its."""
    found: dict[str, ec2.ISubnet] = {}
    for subnet in subnets:
        try:
            zone = subnet.availability_zone
        except RuntimeError:  # the CDK knows the id alone
            zone = subnet.subnet_id
        found.setdefault(zone, subnet)
    return list(found.values())
