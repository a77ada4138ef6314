"""Several models on the instances of one endpoint."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import Quantization, TgiOptions
from constructs_lib.planning.fleet_plan import FleetPlan, FleetRequest, plan_copy, plan_fleet
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice, ImageFamily
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.validation.unknown import UNKNOWN

QWEN_7B = "Qwen/Qwen2.5-7B-Instruct"
QWEN_14B = "Qwen/Qwen2.5-14B-Instruct"
QWEN_32B = "Qwen/Qwen2.5-32B-Instruct"
UNHEARD_OF = "owner/unheard-of"


def request(hub_id: str = QWEN_7B, instance: Any = InstanceType.G5_12XLARGE, **changes: Any) -> EndpointRequest:
    model = ModelChoice(source="hub", hub_id=hub_id)
    if isinstance(changes.get("options"), dict):
        changes["options"] = TgiOptions(**changes["options"])
    return EndpointRequest(**{"engine": TGI, "model": model, "instance": instance} | changes)


def one_copy(*arguments: Any, **changes: Any) -> EndpointPlan:
    return plan_copy(request(*arguments, **changes))


def fleet(
    models: dict[str, EndpointRequest], copies: dict[str, object] | None = None, instances: object = (1, 1)
) -> FleetPlan:
    given = {name: (copies or {}).get(name, (1, 1)) for name in models}
    return plan_fleet(FleetRequest(models=models, copies=given, instances=instances))


def refusals(*arguments: Any, **changes: Any) -> list[str]:
    return [str(one) for one in fleet(*arguments, **changes).problems]


def test_a_copy_takes_the_fewest_gpus_on_which_the_model_fits() -> None:
    assert [one_copy(hub_id).num_shard for hub_id in (QWEN_7B, QWEN_32B)] == [1, 4]


def test_a_copy_that_would_be_tight_takes_more_gpus() -> None:
    tight = one_copy(QWEN_14B, options={"num_shard": 2})
    assert tight.memory is not None
    assert tight.memory.fits
    assert one_copy(QWEN_14B).memory is not None
    assert not one_copy(QWEN_14B).memory.is_tight  # type: ignore[union-attr]


def test_the_environment_of_a_copy_names_its_own_gpus_only() -> None:
    assert one_copy().environment["SM_NUM_GPUS"] == "1"
    assert one_copy(options={"num_shard": 2}).environment["SM_NUM_GPUS"] == "2"


def test_gpus_of_other_copies_are_not_idle() -> None:
    assert one_copy().warnings == ()


def test_options_that_ask_for_one_gpu_are_followed() -> None:
    assert one_copy(QWEN_32B, options={"sharded": False, "quantize": Quantization.BITSANDBYTES_NF4}).num_shard == 1


def test_more_gpus_than_the_instance_has_are_refused_as_for_an_endpoint() -> None:
    (found,) = refusals({"chat": request(options={"num_shard": 8})})
    assert found == ("models['chat'].options.num_shard=8: ml.g5.12xlarge has 4 GPUs. Lower it to 4 or less.")


def test_a_model_that_does_not_fit_is_refused_with_its_name_and_the_most_gpus() -> None:
    (found,) = refusals({"large": request("Qwen/Qwen2.5-72B-Instruct"), "chat": request()})
    assert found.startswith(
        "instance_type='ml.g5.12xlarge': for models['large']: cannot hold Qwen/Qwen2.5-72B-Instruct:"
    )
    assert "short on each of 4 GPUs" in found


def test_problems_of_models_are_reported_together_under_their_names() -> None:
    models = {"a": request(options={"max_batch_size": 0}), "b": request(environment={"MAX_BATCH_SIZE": "1"})}
    found = refusals(models, instances=(0, 1), copies={"a": (2, 1)})
    assert [one.partition("=")[0] for one in found] == [
        "models['a'].options.max_batch_size",
        "models['b'].environment['MAX_BATCH_SIZE']",
        "models['a'].copies",
        "instances",
    ]


def test_a_problem_of_what_the_models_share_is_reported_once() -> None:
    models = {name: request(instance="ml.g5.12xlarge") for name in ("a", "b")}
    assert refusals(models) == [
        "instance_type='ml.g5.12xlarge': must be an InstanceType, not str. Write InstanceType.G5_12XLARGE."
    ]


def test_the_same_mistake_in_two_models_is_reported_for_both() -> None:
    models = {name: request(options={"max_batch_size": 0}) for name in ("a", "b")}
    assert [one.partition("=")[0] for one in refusals(models)] == [
        "models['a'].options.max_batch_size",
        "models['b'].options.max_batch_size",
    ]


def test_the_copies_have_to_fit_the_instances_together() -> None:
    models = {"chat": request(), "large": request(QWEN_32B)}
    assert refusals(models) == [
        (
            "instances=(1, 1): must begin with 2 or more: models['chat'] takes 1 × 1 GPU, models['large'] takes 1 ×"
            " 4 GPUs, and ml.g5.12xlarge (4 GPUs) has no room for more. Write (2, 2), or lower the smallest numbers of"
            " copies."
        )
    ]
    assert refusals(models, instances=(2, 2)) == []


def test_weights_of_an_unknown_shape_need_a_number_of_gpus() -> None:
    assert refusals({"own": request(UNHEARD_OF)}) == [
        (
            "models['own'].options.num_shard=None: is required for a model whose shape is not known: nothing says how"
            " many GPUs a copy takes. Set it, or name a model of the same shape (like=…), or describe the model with"
            " facts=ModelFacts(…)."
        )
    ]
    assert refusals({"own": request(UNHEARD_OF, InstanceType.G5_2XLARGE)}) == []


def test_a_number_of_gpus_that_only_the_deployment_knows_is_refused() -> None:
    (found,) = refusals({"own": request(options={"num_shard": UNKNOWN})})
    assert found.startswith(
        "models['own'].options.num_shard=(known at deployment): must be known at synth, as a copy gets that many GPUs."
    )


def test_weights_of_an_unknown_shape_bring_a_warning_under_the_name_of_the_model() -> None:
    planned = fleet({"own": request(UNHEARD_OF, options={"num_shard": 2}), "chat": request()}, instances=(1, 2))
    assert planned.problems == ()
    assert [one.id for one in planned.model_warnings["own"]][-1] == "tgi-endpoint:unknownCopySize"
    assert planned.model_warnings["chat"] == ()


def test_a_warning_that_all_models_have_is_given_once() -> None:
    models = {name: request(hub_id, InstanceType.G7_24XLARGE) for name, hub_id in (("a", QWEN_7B), ("b", QWEN_14B))}
    planned = fleet(models, instances=(1, 2))
    assert [one.id for one in planned.warnings] == ["tgi-endpoint:blackwellUntested", "tgi-endpoint:driverTooOld"]
    assert planned.model_warnings == {"a": (), "b": ()}


def test_the_hosts_have_the_ami_that_runs_every_image() -> None:
    old = request(image=ImageChoice(version="2.2.0"))
    assert one_copy(image=ImageChoice(version="2.2.0")).inference_ami_version is None
    planned = fleet({"old": old, "new": request()}, instances=(1, 2))
    assert planned.problems == ()
    assert planned.inference_ami_version == "al2-ami-sagemaker-inference-gpu-3-1"


def test_images_that_no_host_runs_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFamily, "cuda", lambda _, version: (13, 0) if version == "3.3.6" else (12, 4))
    models = {"old": request(image=ImageChoice(version="3.3.4")), "new": request()}
    (found,) = refusals(models, instances=(1, 2))
    assert found == (
        "models=(2 models): need different machine images, and the instances of an endpoint have one: models['old']"
        " (CUDA 12.4) al2-ami-sagemaker-inference-gpu-3-1, models['new'] (CUDA 13.0)"
        " al2023-ami-sagemaker-inference-gpu-4-1. Use images of neighbouring versions, or put the models on two fleets."
    )


def test_the_callers_ami_is_that_of_all_models() -> None:
    models = {"a": request(inference_ami_version="default"), "b": request(inference_ami_version="default")}
    assert fleet(models).inference_ami_version is None


def test_placement_is_not_judged_while_a_model_has_a_problem() -> None:
    models = {"chat": replace(request(), options=TgiOptions(max_batch_size=0)), "large": request(QWEN_32B)}
    assert [one.partition("=")[0] for one in refusals(models)] == ["models['chat'].options.max_batch_size"]
