"""Where network interfaces are in a VPC: the checks of its subnets and security groups, whatever service has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from constructs_lib._arguments import SECURITY_GROUP, VPC, subnet_problems
from constructs_lib._security_groups import foreign_group_problems
from constructs_lib._subnets import network_access
from constructs_lib.planning.validation.problem import Described, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk import aws_ec2 as ec2

    from constructs_lib.planning.network import NetworkAccess

# The same for both services: botocore 1.44.5, sagemaker 2017-07-24 and lambda 2015-03-31, VpcConfig.
_MAX_SUBNETS = 16
_MAX_SECURITY_GROUPS = 5

_ERROR_NAME = re.compile(r"^\w+: ")  # the CDK's name of an error, before its text


@dataclass(frozen=True, slots=True)
class _Selected:
    """What a selection of subnets gives.

    Args:
        subnets: The subnets.
        is_pending: Whether the CDK has not looked the VPC up yet; the subnets are made up then.
        error: Why the CDK cannot select. Default: it can.
    """

    subnets: Sequence[ec2.ISubnet] = ()
    is_pending: bool = False
    error: str = ""


class VpcPlace:
    """Where a service creates network interfaces.

    Args:
        service: The service, as its limits are named.
        vpc: The VPC; None for the service's own.
        subnets: Which of its subnets; None selects the private ones.
        security_groups: The security groups of the interfaces; None creates one.
    """

    def __init__(
        self,
        service: str,
        vpc: ec2.IVpc | None,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
    ) -> None:
        self._service = service
        self._vpc = vpc
        self._subnets = subnets
        self._security_groups = security_groups

    @property
    def vpc(self) -> ec2.IVpc | None:
        """The VPC; None for the service's own."""
        return self._vpc

    @property
    def selected(self) -> Sequence[ec2.ISubnet]:
        """The subnets; made up if the CDK has not looked the VPC up yet."""
        return self._selected.subnets

    def validate(self) -> list[Problem]:
        """Problems of the arguments, each by itself and together."""
        if self._vpc is None:
            return [*self._type_problems, *self._requirement_problems()]
        return self._type_problems or [*self._selection_problems(), *self._group_problems(self._vpc)]

    def access(self) -> NetworkAccess | None:
        """What the subnets reach. None: there is no VPC, it is not looked up yet, or `validate` reports problems."""
        if self._vpc is None or self._type_problems or self._selected.is_pending or self._selected.error:
            return None
        return network_access(self._vpc, self._selected.subnets)

    @cached_property
    def _type_problems(self) -> list[Problem]:
        return [
            *VPC.problems("vpc", self._vpc),
            *subnet_problems(self._subnets),
            *SECURITY_GROUP.list_problems("security_groups", self._security_groups),
        ]

    def _requirement_problems(self) -> Iterator[Problem]:
        given = {"vpc_subnets": self._subnets, "security_groups": self._security_groups}
        for keyword, value in given.items():
            if value is not None:
                yield Problem(keyword, value, "requires vpc", f"Set vpc as well, or remove {keyword}.")

    def _selection_problems(self) -> Iterator[Problem]:
        selected = self._selected
        if selected.error:
            fix = "Select by subnet_type or subnet_group_name what the VPC has, or give subnets=[…]."
            yield Problem("vpc_subnets", self._subnets, f"cannot be selected: {selected.error}", fix)
        elif not 1 <= len(selected.subnets) <= _MAX_SUBNETS:
            yield Problem(
                "vpc_subnets",
                Described(f"{len(selected.subnets)} subnets"),
                f"must be 1 to {_MAX_SUBNETS} subnets, {self._service}'s limit",
                "Select others of its subnets.",
            )

    def _group_problems(self, vpc: ec2.IVpc) -> Iterator[Problem]:
        groups = self._security_groups
        if groups is None:
            return
        if not 1 <= len(groups) <= _MAX_SECURITY_GROUPS:
            yield Problem(
                keyword="security_groups",
                value=f"{len(groups)} groups",
                message=f"must have 1 to {_MAX_SECURITY_GROUPS} groups, {self._service}'s limit",
                fix="Merge their rules, or remove it for a new group without inbound rules.",
            )
        yield from foreign_group_problems(groups, vpc)

    @cached_property
    def _selected(self) -> _Selected:
        """The subnets; the CDK rejects a selection that is empty or contradictory."""
        try:
            return _select(self._vpc, self._subnets) if self._vpc else _Selected()
        except RuntimeError as error:
            words = str(error).strip().splitlines()[0].rstrip(".:")
            return _Selected(error=_ERROR_NAME.sub("", words))


def _select(vpc: ec2.IVpc, selection: ec2.SubnetSelection | None) -> _Selected:
    if selection is None:
        found = vpc.select_subnets()
    elif selection.subnets and not (selection.availability_zones or selection.one_per_az or selection.subnet_filters):
        # select_subnets also reads their Availability Zones, which imported subnets do not have.
        return _Selected(selection.subnets)
    else:
        found = vpc.select_subnets(
            availability_zones=selection.availability_zones,
            one_per_az=selection.one_per_az,
            subnet_filters=selection.subnet_filters,
            subnet_group_name=selection.subnet_group_name,
            subnets=selection.subnets,
            subnet_type=selection.subnet_type,
        )
    return _Selected(found.subnets, is_pending=bool(found.is_pending_lookup))
