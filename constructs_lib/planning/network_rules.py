"""Checks that an endpoint in a VPC reaches what its weights come from."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.network import NetworkAccess, SubnetKind
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.problem import Described, PlanWarning, Problem

# Each of them names another way to the hub. huggingface_hub reads the first; the rest are the proxies that its HTTP
# library (requests) reads.
_OTHER_WAYS = frozenset({"HF_ENDPOINT", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"})

_KNOWN_BETTER = (
    "If they have a way out that the CDK does not know, such as a transit gateway, select them by id:"
    " SubnetSelection(subnets=[Subnet.from_subnet_id(…)])."
)


def network_problems(request: EndpointRequest) -> Iterator[Problem]:
    """What the chosen subnets cut the endpoint off from."""
    access: object = request.network
    if not isinstance(access, NetworkAccess):
        return
    public = SubnetKind.PUBLIC in access.subnets
    why = " (SageMaker's network interfaces have no public address)" if public else ""
    if access.egress is False and _needs_hub(request):
        yield Problem(
            "vpc_subnets",
            Described(access.description),
            f"cannot reach the internet{why}, and the container downloads this model from the Hugging Face hub",
            "Select private subnets with a route to a NAT gateway, copy the weights to S3 and use Model.from_s3, or set"
            f" HF_ENDPOINT or HTTPS_PROXY in environment to a mirror or proxy in the VPC. {_KNOWN_BETTER}",
        )
    if access.s3_access is False and request.model.source == "s3":
        yield Problem(
            "vpc_subnets",
            Described(access.description),
            f"cannot reach S3{why}, and their VPC has no endpoint for it, so SageMaker cannot read the weights",
            'Call vpc.add_gateway_endpoint("S3", service=GatewayVpcEndpointAwsService.S3) before you create the model'
            f" endpoint, or select private subnets with a route to a NAT gateway. {_KNOWN_BETTER}",
        )


def network_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    """What the chosen subnets may cut the endpoint off from."""
    access: object = request.network
    if not isinstance(access, NetworkAccess):
        return
    if access.egress is None and _needs_hub(request):
        yield PlanWarning(
            "tgi-endpoint:internetRouteUnknown",
            "The container downloads this model from the Hugging Face hub when it starts, and whether its subnets reach"
            " the internet is not known at synth. Each of them needs a route to a NAT gateway: SageMaker's network"
            " interfaces have no public address. Without one, use Model.from_s3, or set HF_ENDPOINT in environment to"
            " a mirror.",
        )
    if access.s3_access is None and request.model.source == "s3":
        yield PlanWarning(
            "tgi-endpoint:s3RouteUnknown",
            "SageMaker reads the weights from S3 through the endpoint's subnets, and whether these reach S3 is not"
            " known at synth. Their VPC needs a gateway or interface endpoint for S3, or they need a route to a NAT"
            " gateway.",
        )


def _needs_hub(request: EndpointRequest) -> bool:
    # With network isolation there is no way at all, which is a problem of its own.
    is_isolated = request.network_isolation is True
    return request.model.source == "hub" and not is_isolated and not _OTHER_WAYS & request.environment.keys()
