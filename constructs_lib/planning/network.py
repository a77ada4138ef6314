"""Where the network interfaces of an endpoint in a VPC are, and what they reach from there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class SubnetKind(StrEnum):
    """What a subnet's route table leads to."""

    PRIVATE = "private"
    """The internet, through a NAT gateway or something like it."""
    ISOLATED = "isolated"
    """Nothing outside the VPC."""
    PUBLIC = "public"
    """An internet gateway, which serves only interfaces with a public address; SageMaker's and Lambda's have none."""
    UNKNOWN = "unknown"
    """It is not known at synth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAccess:
    """The subnets of an endpoint or a function, any of which may get an instance or an invocation.

    Args:
        subnets: The kind of each.
        has_s3_endpoint: Whether their VPC has an endpoint for S3; None if that is not known at synth.
    """

    subnets: tuple[SubnetKind, ...]
    has_s3_endpoint: bool | None

    @property
    def egress(self) -> bool | None:
        """Whether every subnet reaches the internet; None if that is not known at synth.

        Source: SageMaker Developer Guide, "Give SageMaker AI Hosted Endpoints Access to Resources in Your Amazon VPC",
        and Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC": the interfaces get
        private addresses only, so a subnet needs a route to a NAT gateway.
        """
        if any(kind in (SubnetKind.ISOLATED, SubnetKind.PUBLIC) for kind in self.subnets):
            return False
        return None if SubnetKind.UNKNOWN in self.subnets else True

    @property
    def s3_access(self) -> bool | None:
        """Whether every subnet reaches S3, through an endpoint or the internet; None if that is not known at synth."""
        if self.has_s3_endpoint or self.egress:
            return True
        return False if self.egress is False and self.has_s3_endpoint is False else None

    @property
    def description(self) -> str:
        """The subnets without internet access, such as `1 public and 2 isolated subnets`."""
        kinds = (SubnetKind.PUBLIC, SubnetKind.ISOLATED)
        counts = [(self.subnets.count(kind), kind) for kind in kinds if kind in self.subnets]
        total = sum(count for count, _ in counts)
        return f"{' and '.join(f'{count} {kind}' for count, kind in counts)} subnet{'' if total == 1 else 's'}"


_CUT_OFF = re.compile(r"cn-.*|.*-iso[a-z]?-.*")  # Regions of aws-cn, and of aws-iso and its like


def why_no_hub(region: str) -> str | None:
    """Why the Hugging Face hub cannot be reached from a Region, as a clause; None if it can."""
    if not _CUT_OFF.fullmatch(region):
        return None
    return "the hub is usually blocked" if region.startswith("cn-") else "there is no internet"
