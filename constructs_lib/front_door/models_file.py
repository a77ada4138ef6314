"""What the function knows of its models: a file in a layer. Pure Python: no aws_cdk here.

The file has what synth knows. In place of a value that only the deployment knows it has `{"deployed": n}`, which stands
for the n-th of the values in the variable `DEPLOYED_VALUES`. An entry is that of an endpoint, or of a routed model:

    {"split": [{"weight": 95, "to": <endpoint or fallback>}, …]}
    {"fallback": [<endpoint>, …]}
    {"mirror": {"primary": <endpoint, split or fallback>, "to": <endpoint>, "percent": 5}}

whose endpoints have a name, `target`, and their Region with its URLs if it is another one. Under a name that stands for
a model, or how such names begin and a star, there is `{"alias": "<the model's name>"}`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.front_door.deployed_values import TOKEN, RenderedFile, render_file
from constructs_lib.front_door.routed_models import Fallback, Mirror, Split, target_name
from constructs_lib.planning.serving_limits import ServingFacts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.routed_models import RoutedModel
    from constructs_lib.planning.scaling.wake import WakeFacts

MODELS_PATH = "front_door/models.json"
"""Path of the file in its layer."""

OPENAPI_PATH = "front_door/openapi.json"
"""Path of the API's description in the same layer, where the function looks for it."""


def render_models(
    models: Mapping[str, RoutedModel],
    here: StackEnvironment,
    *,
    aliases: Mapping[str, str] | None = None,
    counting: Collection[str] | None = None,
) -> RenderedFile:
    """The file, and what it leaves to the deployment: the same whatever aliases there are.

    Args:
        models: The endpoints, or what chooses among several, by the names of their models.
        here: The environment of the front door's stack.
        aliases: The names that stand for models. Default: none.
        counting: The models whose tokens clients may count. Default: none.
    """
    entries: dict[str, object] = {name: _model(model, here) for name, model in models.items()}
    for name in counting or ():
        entries[name] = _counting(entries[name])
    return render_file(entries | {alias: {"alias": name} for alias, name in (aliases or {}).items()})


def regional_urls(region: str, url_suffix: str) -> tuple[str, str]:
    """The URLs of SageMaker Runtime and of SageMaker's own API in a Region."""
    domain = f"{region}.{url_suffix}"
    return f"https://runtime.sagemaker.{domain}", f"https://api.sagemaker.{domain}"


def other_region(endpoint: Any, here: StackEnvironment) -> str | None:
    """The Region of an endpoint if synth knows that it is, or may be, another one than the front door's."""
    region = getattr(getattr(endpoint, "env", None), "region", None)
    return region if isinstance(region, str) and region != here.region and not TOKEN.search(region) else None


def _counting(value: Any) -> Any:
    """The entry with the fact that tokens are counted, at each of its endpoints."""
    if isinstance(value, list):
        return [_counting(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "endpoint_name" in value:
        return {**value, "counts_tokens": True}
    return {name: _counting(each) for name, each in value.items()}


def _model(model: RoutedModel, here: StackEnvironment) -> dict[str, Any]:
    return _route(model, here) if isinstance(model, Split | Fallback | Mirror) else _entry(model)


def _route(model: RoutedModel, here: StackEnvironment) -> dict[str, Any]:
    if isinstance(model, Mirror):
        copied = {"primary": _route(model.primary, here), "to": _route(model.to, here)}
        return {"mirror": {**copied, "percent": _number(model.percent)}}
    if isinstance(model, Split):
        choices = [{"weight": _number(weight), "to": _route(to, here)} for to, weight in model.weights.items()]
        return {"split": choices}
    if isinstance(model, Fallback):
        return {"fallback": [_route(endpoint, here) for endpoint in model.endpoints]}
    entry = {"target": target_name(model), **_entry(model)}
    if (region := other_region(model, here)) is None:
        return entry
    runtime, api = regional_urls(region, here.url_suffix)
    return {**entry, "region": region, "runtime_url": runtime, "sagemaker_url": api}


def _number(value: float) -> float:
    """The number as it is written without a fraction if it has none: 95.0 is no other weight than 95."""
    return int(value) if value == int(value) else value


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
