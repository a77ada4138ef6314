"""What the function knows of its models: a file in a layer. Pure Python: no aws_cdk here.

The file has what synth knows. In place of a value that only the deployment knows it has `{"deployed": n}`, which stands
for the n-th of the values in the variable `DEPLOYED_VALUES`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from constructs_lib.planning.serving_limits import ServingFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.planning.scaling.wake import WakeFacts

MODELS_PATH = "front_door/models.json"
"""Path of the file in its layer."""

OPENAPI_PATH = "front_door/openapi.json"
"""Path of the API's description in the same layer, where the function looks for it."""

# How the CDK writes a value that is known only at deployment, within a string.
TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")


@dataclass(frozen=True, slots=True)
class RenderedModels:
    """The models as the function reads them.

    Attributes:
        text: The content of the file.
        deployed_values: The values that only the deployment knows, each with a token, in the order in which the file
            numbers them.
    """

    text: str
    deployed_values: tuple[str, ...]


def render_models(models: Mapping[str, IModelEndpoint]) -> RenderedModels:
    """The file, and what it leaves to the deployment.

    Args:
        models: The endpoints by the names of their models.
    """
    numbers: dict[str, int] = {}

    def known(value: object) -> object:
        if isinstance(value, dict):
            return {name: known(each) for name, each in value.items()}
        if isinstance(value, str) and TOKEN.search(value):
            return {"deployed": numbers.setdefault(value, len(numbers))}
        return value

    entries = {
        name: {member: known(value) for member, value in _entry(endpoint).items()} for name, endpoint in models.items()
    }
    return RenderedModels(json.dumps(entries, separators=(",", ":")), tuple(numbers))


def _entry(endpoint: IModelEndpoint) -> dict[str, Any]:
    # Endpoints of others need not have what is looked up here.
    facts = getattr(endpoint, "serving", None) or ServingFacts()
    wake: WakeFacts | None = getattr(endpoint, "wake", None)
    waking = {
        "inference_component": getattr(endpoint, "inference_component_name", None),
        "wake_seconds": wake and wake.seconds,
        "hours": wake and wake.hours and wake.hours.to_json(),
    }
    # Each adapter with its inference component; none for those of the container itself.
    adapters = {**dict.fromkeys(facts.adapters or ()), **getattr(endpoint, "adapter_components", {})}
    optional = waking | asdict(facts) | {"adapters": adapters or None}
    return {
        "endpoint_name": endpoint.endpoint_name,
        "engine": endpoint.engine,
        "model_id": endpoint.model_id,
        "max_body_bytes": endpoint.max_body_bytes,
        **{name: fact for name, fact in optional.items() if fact is not None},
    }
