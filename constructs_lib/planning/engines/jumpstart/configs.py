"""The inference configurations of a specification: which one is taken, and what the model is with it.

As sagemaker-core 2.27.0 does it (`jumpstart/types.py`): the parts of a configuration override the specification member
by member, and of several configurations the first of the ranking `overall` is the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from constructs_lib.planning.validation.problem import Problem

Spec = Mapping[str, Any]

_NOT_OVERRIDDEN = frozenset(
    (
        "model_id",
        "url",
        "version",
        "min_sdk_version",
        "deprecated",
        "deprecated_message",
        "deprecate_warn_message",
        "resource_name_base",
        "gated_bucket",
        "training_supported",
        "incremental_training_supported",
    )
)
"""Members of a specification that a configuration cannot change."""


def ranked_configs(spec: Spec) -> list[str]:
    """The names of the configurations, the preferred one first; empty if the model has none."""
    names = _mapping(spec, "inference_configs")
    overall = _mapping(_mapping(spec, "inference_config_rankings"), "overall").get("rankings")
    ranked = [name for name in overall if name in names] if isinstance(overall, list) else []
    return ranked or sorted(names)


def with_config(spec: Spec, name: str) -> Spec:
    """The specification as one of its configurations changes it."""
    chosen = _mapping(_mapping(spec, "inference_configs"), name).get("component_names") or ()
    components = _mapping(spec, "inference_config_components")
    for component in chosen:
        changes = _mapping(components, component)
        spec = _merged(spec, {key: value for key, value in changes.items() if key not in _NOT_OVERRIDDEN})
    return spec


def unknown_config(spec: Spec, name: str) -> Problem:
    """That the model has no configuration of that name."""
    known = ranked_configs(spec)
    near = get_close_matches(name, known, n=1)
    fix = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(known)}." if known else "Leave it out."
    return Problem("--config", name, "is no inference configuration of the model", fix)


def refusals(spec: Spec) -> Iterator[str]:
    """Why CloudFormation cannot create the model as a specification has it, each as the end of a sentence."""
    package = spec.get("hosting_model_package_arns") or spec.get("model_subscription_link")
    if package or any(_mapping(one, "regional_properties").get("model_package_arn") for one in variants(spec).values()):
        yield (
            "is a model package of AWS Marketplace, which has its own image and settings and needs a subscription that"
            " CloudFormation cannot make"
        )
        return
    if not spec.get("hosting_prepacked_artifact_key") and spec.get("hosting_use_script_uri", True) is not False:
        yield (
            "has its inference code in a file of its own (hosting_script_key), which the SageMaker SDK packs together"
            " with the weights before it deploys them"
        )
    if any(_mapping(spec, "hosting_additional_data_sources").values()):
        yield (
            "needs a second data source beside its weights, such as a draft model, which CloudFormation has no property"
            " for (AdditionalModelDataSources of CreateModel)"
        )


def variants(spec: Spec) -> dict[str, Spec]:
    """What a specification says of families and instance types, by their names (`g5` and `ml.g5.2xlarge`)."""
    found = _mapping(_mapping(spec, "hosting_instance_type_variants"), "variants")
    return {name: one for name, one in found.items() if isinstance(one, Mapping)}


def _merged(spec: Spec, changes: Spec) -> dict[str, Any]:
    """Both, with objects merged member by member, and everything else replaced, also by an empty object."""
    merged = dict(spec)
    for name, value in changes.items():
        before = merged.get(name)
        if value and isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged(before, value)
        else:
            merged[name] = value
    return merged


def _mapping(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    return value if isinstance(value, Mapping) else {}
