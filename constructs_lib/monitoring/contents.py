"""Finds out what a dashboard shows of constructs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, Node

from constructs_lib._stack_env import environment_of, unique_path
from constructs_lib._tokens import is_token
from constructs_lib.endpoint.interface import EndpointBase, EndpointResource
from constructs_lib.front_door.dimensions import FRONT_DOOR, MIRROR, MODEL, front_door_dimension
from constructs_lib.front_door.metrics import NAMESPACE
from constructs_lib.front_door.rest_api import STAGE_NAME
from constructs_lib.front_door.routed_models import all_endpoints, endpoints_of, has_fallback, is_routed, mirrors_of
from constructs_lib.planning.cost import describe_price
from constructs_lib.planning.monitoring.alarm import MONITORING
from constructs_lib.planning.monitoring.shown import Shown, ShownDoor, ShownInstances, ShownModel

if TYPE_CHECKING:
    from aws_cdk import Stack

    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.front_door import FrontDoor
    from constructs_lib.front_door.routed_models import RoutedModel
    from constructs_lib.planning.capacity import Capacity
    from constructs_lib.planning.hardware.instance_types import InstanceType


def describe(stack: Stack, *, doors: Sequence[FrontDoor], endpoints: Iterable[EndpointResource], runbook: str) -> Shown:
    """What a dashboard shows.

    Args:
        stack: The dashboard's stack.
        doors: The front doors.
        endpoints: The endpoints, besides those of the front doors.
        runbook: Where the runbook is.
    """
    labels = _labels(doors)
    of_doors = [
        one for door in doors for one in all_endpoints(door.models.values()) if isinstance(one, EndpointResource)
    ]
    drawn = list(dict.fromkeys([*of_doors, *endpoints]))
    named = {
        id(endpoint): target_label
        for (door, name), label in labels.items()
        for endpoint, target_label in _targets(door.models[name], label)
    }
    models = [part for one in drawn for part in _models(stack, one, named)]
    hosts = list(dict.fromkeys(_host(one) for one in drawn))
    watched = [*hosts, *drawn, *doors]
    return Shown(
        title=stack.node.path,
        runbook=runbook,
        doors=[_door(door, labels, is_alone=len(doors) == 1) for door in doors],
        models=models,
        instances=[part for host in hosts for part in _instances(stack, host, named)],
        alarms=list(dict.fromkeys(arn for one in watched for arn in _alarms(one))),
    )


def _labels(doors: Sequence[FrontDoor]) -> dict[tuple[FrontDoor, str], str]:
    """What each model of each front door is called: as clients call it, where that says which one it is."""
    count = Counter(name for door in doors for name in door.models)
    return {
        (door, name): name if count[name] == 1 else f"{door.node.id}/{name}" for door in doors for name in door.models
    }


def _door(door: FrontDoor, labels: Mapping[tuple[FrontDoor, str], str], *, is_alone: bool) -> ShownDoor:
    dimensions = {FRONT_DOOR: front_door_dimension(unique_path(door))}
    return ShownDoor(
        label="" if is_alone else door.node.id,
        namespace=NAMESPACE,
        dimensions=dimensions,
        models={labels[door, name]: {**dimensions, MODEL: name} for name in door.models},
        with_fallback=[labels[door, name] for name, model in door.models.items() if has_fallback(model)],
        mirrors={f"{labels[door, name]}, copies": {**dimensions, MIRROR: name} for name in mirrors_of(door.models)},
        api=(door.api_name, STAGE_NAME),
        function=door.function_resource.ref,
        log_group=door.log_group_name,
    )


def _targets(model: RoutedModel, label: str) -> Iterator[tuple[IModelEndpoint, str]]:
    """What each endpoint of a model is called."""
    for endpoint in endpoints_of(model):
        yield (
            endpoint,
            f"{label} at {Node.of(endpoint).id}" if is_routed(model) and isinstance(endpoint, Construct) else label,
        )


def _label(endpoint: Any, named: Mapping[int, str]) -> str:
    label = named.get(id(endpoint))
    return str(endpoint.node.id) if label is None else label


def _models(stack: Stack, endpoint: EndpointResource, named: Mapping[int, str]) -> Iterator[ShownModel]:
    """What answers the requests of an endpoint; of a fleet its models do."""
    label, place = _label(endpoint, named), _place(stack, endpoint)
    members = getattr(endpoint, "models", None)
    if isinstance(members, Mapping):
        for member in members.values():
            if id(member) not in named:
                yield from _models(stack, member, named)
        return
    for variant, suffix in _variants(endpoint):
        yield ShownModel(
            label=f"{label}{suffix}",
            endpoint=endpoint.endpoint_name,
            variant=variant.variant_name,
            component=endpoint.inference_component_name,
            held=getattr(variant, "held", None),
            is_async=not isinstance(endpoint, EndpointBase),
            place=place,
        )


def _variants(endpoint: Any) -> list[tuple[Any, str]]:
    """The variants that share the requests of an endpoint, each with the end of its label."""
    variants = list(getattr(endpoint, "variants", ()))
    return [(one, f" ({one.variant_name})") for one in variants] if len(variants) > 1 else [(endpoint, "")]


def _host(endpoint: EndpointResource) -> EndpointResource:
    """What runs the instances: the endpoint itself, or its fleet."""
    fleet = getattr(endpoint, "fleet", None)
    return fleet if isinstance(fleet, EndpointResource) else endpoint


def _instances(stack: Stack, host: EndpointResource, named: Mapping[int, str]) -> Iterator[ShownInstances]:
    label, place = _label(host, named), _place(stack, host)
    for variant, suffix in _variants(host):
        capacity: Capacity | None = getattr(variant, "capacity", None)
        types = () if capacity is None else capacity.instances
        yield ShownInstances(
            label=f"{label}{suffix}",
            endpoint=host.endpoint_name,
            variant=variant.variant_name,
            gpus=0 if types and not any(one.is_gpu for one in types) else _same(types, "accelerator_count"),
            cores=_same(types, "vcpu"),
            usd_per_hour=_same(types, "price_usd_per_hour"),
            least_usd=None if capacity is None else capacity.min_usd_per_hour,
            most_usd=None if capacity is None else capacity.max_usd_per_hour,
            price=None if capacity is None else describe_price(capacity, None, None, None),
            place=place,
        )


def _same(types: Sequence[InstanceType], attribute: str) -> Any:
    """What all instance types have in common; None if they differ, or if it is not known."""
    values = {getattr(one, attribute) for one in types}
    return values.pop() if len(values) == 1 else None


def _place(stack: Stack, endpoint: EndpointResource) -> dict[str, str]:
    """Account and Region of the endpoint's metrics, as far as they are known not to be the dashboard's."""
    here, there = environment_of(stack), endpoint.env
    pairs = (("accountId", here.account, there.account), ("region", here.region, there.region))
    return {name: theirs for name, ours, theirs in pairs if theirs != ours and not is_token(theirs)}


def _alarms(watched: Any) -> Iterator[str]:
    """The ARNs of the alarms that `monitor` has added to an endpoint or a front door."""
    scope = Node.of(watched).try_find_child(MONITORING)
    for alarm in scope.node.children if isinstance(scope, Construct) else ():
        if isinstance(alarm, cloudwatch.CfnAlarm | cloudwatch.CfnCompositeAlarm):
            yield alarm.attr_arn
