"""What the endpoints of one model are together: what they lack of each other, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.front_door.routed_models import Mirror, endpoints_of, is_routed, target_name
from constructs_lib.planning import target_rules
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.target_rules import TargetFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.routed_models import RoutedModel
    from constructs_lib.planning.validation.problem import PlanWarning


def target_warnings(models: Mapping[str, RoutedModel]) -> Iterator[PlanWarning]:
    """What is risky about models that have several endpoints.

    Args:
        models: The models of a front door by their names, without problems.
    """
    for name, model in models.items():
        if is_routed(model):
            yield from target_rules.target_warnings(name, _facts(model))


def adapters_of(endpoint: IModelEndpoint) -> Sequence[str]:
    """The names of an endpoint's LoRA adapters."""
    # Endpoints of others need not have what is looked up here.
    facts = getattr(endpoint, "serving", None) or ServingFacts()
    return [*(facts.adapters or ()), *getattr(endpoint, "adapter_components", {})]


def _facts(model: RoutedModel) -> list[TargetFacts]:
    return [
        TargetFacts(
            name=target_name(endpoint),
            engine=endpoint.engine,
            facts=getattr(endpoint, "serving", None) or ServingFacts(),
            adapters=adapters_of(endpoint),
            is_mirror=isinstance(model, Mirror) and endpoint is model.to,
        )
        for endpoint in endpoints_of(model)
    ]
