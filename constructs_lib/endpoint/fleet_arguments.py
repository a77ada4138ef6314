"""The arguments of a fleet, what is wrong with them, and their plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from constructs_lib._arguments import is_reserved_id, model_name_problems, type_name
from constructs_lib._tokens import hide_token, hide_tokens_of_request
from constructs_lib.endpoint.arguments import EndpointArguments
from constructs_lib.endpoint.fleet_member import PlannedModel
from constructs_lib.endpoint.fleet_model import FleetModel
from constructs_lib.endpoint.rollout import rollout_request
from constructs_lib.planning.fleet_plan import FleetPlan, FleetRequest, plan_fleet, problems_of_models
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import Duration, Size
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from constructs_lib.endpoint.network import Network
    from constructs_lib.endpoint.sagemaker_model import Hosting
    from constructs_lib.planning.hardware.instance_types import InstanceType
    from constructs_lib.planning.request import EndpointRequest
    from constructs_lib.planning.scaling.capacity_reservation import CapacityReservation
    from constructs_lib.planning.scaling.routing import Routing

_VARIANT = "AllTraffic"


@dataclass(frozen=True, kw_only=True)
class PlannedFleet:
    """A fleet's plan, and what it was made from; at least one model.

    Args:
        plan: The plan.
        asked: What it was made from.
        models: The models.
    """

    plan: FleetPlan
    asked: FleetRequest
    models: Mapping[str, PlannedModel]

    @property
    def first(self) -> PlannedModel:
        """The first model: what it says of the endpoint all others say as well."""
        return next(iter(self.models.values()))

    @property
    def hosting(self) -> Hosting:
        """What the endpoint needs besides its plan."""
        return self.first.arguments.hosting()


@dataclass(frozen=True, kw_only=True)
class FleetArguments:
    """The arguments of a fleet with their defaults; `ModelFleet` describes them.

    The arguments of `vpc`, `vpc_subnets` and `security_groups` are in `network`.
    """

    models: Mapping[str, FleetModel]
    instance_type: InstanceType
    instances: tuple[int, int]
    volume_size: Size | None
    volume_key: kms.IKey | None
    network: Network
    network_isolation: bool
    inference_ami_version: str | None
    routing: Routing
    capacity_reservation: CapacityReservation | None
    instance_provision_timeout: Duration | None
    detailed_observability: bool | None
    endpoint_name: str | None
    role: iam.IRole | None
    tags: Mapping[str, str] | None

    def planned(self, scope: Construct) -> tuple[PlannedFleet | None, list[Problem]]:
        """The plan, and all problems; without a model there is no plan.

        Args:
            scope: The scope of the fleet.
        """
        problems = list(self._model_problems())
        models = {name: one for name, one in self._given().items() if isinstance(one, FleetModel)}
        if not models:
            return None, problems
        arguments = {name: self._of_one(model) for name, model in models.items()}
        requests = {name: self._request(scope, models[name], one) for name, one in arguments.items()}
        asked = FleetRequest(
            models={name: hide_tokens_of_request(one) for name, one in requests.items()},
            copies={name: _hide(model.range_of_copies) for name, model in models.items()},
            instances=_hide(self.instances),
            go_to_zero=frozenset(name for name, model in models.items() if model.scale_to_zero is not None),
            rollouts={name: asked for name, model in models.items() if (asked := rollout_request(model.rollout))},
            is_reserved=self.capacity_reservation is not None,
        )
        plan = plan_fleet(asked)
        others = {
            name: [*one.problems(scope), *models[name].problems(asked.models[name], plan.models[name])]
            for name, one in arguments.items()
        }
        problems += [*plan.problems, *problems_of_models(others)]
        planned = {
            name: PlannedModel(
                model=models[name],
                arguments=arguments[name],
                request=requests[name],
                asked=asked.models[name],
                plan=plan.models[name],
            )
            for name in models
        }
        if not problems:
            problems += problems_of_models({name: list(one.rollout_problems()) for name, one in planned.items()})
        return PlannedFleet(plan=plan, asked=asked, models=planned), problems

    def _given(self) -> Mapping[str, object]:
        models: object = self.models
        return models if isinstance(models, Mapping) else {}

    def _model_problems(self) -> Iterator[Problem]:
        models: object = self.models
        if not isinstance(models, Mapping):
            message = f"must be a mapping of name to FleetModel, not {type_name(models)}"
            yield Problem("models", models, message, 'Write {"chat": FleetModel(model=…)}.')
        elif not models:
            yield Problem("models", models, "must have at least one model", 'Write {"chat": FleetModel(model=…)}.')
        for name, model in self._given().items():
            yield from model_name_problems(name)
            if is_reserved_id(name):
                yield Problem("models", name, "is a name that the CDK has for itself", "Rename it.")
            if not isinstance(model, FleetModel):
                message = f"must be a FleetModel, not {type_name(model)}"
                yield Problem(f"models[{name!r}]", model, message, "Write FleetModel(model=…).")

    def _of_one(self, model: FleetModel) -> EndpointArguments:
        """The arguments of an endpoint for one model alone."""
        most = self.instances[-1] if isinstance(self.instances, tuple | list) and self.instances else 1
        return EndpointArguments(
            model=model.model,
            instance_type=self.instance_type,
            image=model.container_image,
            options=model.engine.options_type() if model.options is None else model.options,
            instance_count=most,
            environment=model.environment,
            startup_timeout=model.startup_timeout,
            model_download_timeout=model.model_download_timeout,
            volume_size=self.volume_size,
            volume_key=self.volume_key,
            network=self.network,
            network_isolation=self.network_isolation,
            inference_ami_version=self.inference_ami_version,
            routing=self.routing,
            capacity_reservation=self.capacity_reservation,
            instance_provision_timeout=self.instance_provision_timeout,
            scale_to_zero=model.scale_to_zero,
            replace_on_instance_type_change=False,
            rollout=model.rollout,
            data_capture=None,
            detailed_observability=self.detailed_observability,
            variant_name=_VARIANT,
            endpoint_name=self.endpoint_name,
            role=self.role,
            tags=self.tags,
        )

    def _request(self, scope: Construct, model: FleetModel, arguments: EndpointArguments) -> EndpointRequest:
        """What that endpoint would be asked for, on the one instance type that the caller of a fleet has to name."""
        instance: Any = self.instance_type
        asked = arguments.request(scope, model.engine)
        return replace(asked, instance=instance, cheapest=None, pools=None, instance_count=1)


def _hide(value: object) -> object:
    """The value with tokens hidden, also those in a tuple."""
    if isinstance(value, tuple | list):
        return tuple(hide_token(one) for one in value)
    return hide_token(value)
