"""The likeliest causes of a model that gives no token, by its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.container.engine import CONTAINERS
from constructs_lib.planning.engines.container.images import OwnImages
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.engines.tgi_neuron.options import NeuronOptions
from constructs_lib.planning.engines.vllm.options import VllmOptions, VllmQuantization
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.likely_causes import _BY_WARNING, MAX_LENGTH, _causes, likely_causes
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.network import NetworkAccess, SubnetKind
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.unknown import Unknown
from tests.constructs_lib.planning.conftest import LLAMA

CRASH = (
    "The container failed after its health check: look for 'out of memory', 'CUDA error' and 'panicked' in the model's"
    " log."
)
DENIED = (
    "The front door's role may not invoke the endpoint: look for a service control policy or a permissions boundary"
    " that denies sagemaker:InvokeEndpointWithResponseStream."
)
TOKEN = (
    "The hub token may have expired, or its account has not accepted the model's licence: look for 401 and 403 in the"
    " model's log."
)
OPEN = ModelChoice(source="hub", hub_id="HuggingFaceH4/zephyr-7b-beta")


def request(**changes: Any) -> EndpointRequest:
    return EndpointRequest(**{"engine": TGI, "model": LLAMA, "instance": InstanceType.G5_2XLARGE} | changes)


def causes(**changes: Any) -> tuple[str, ...]:
    asked = request(**changes)
    planned = plan(asked)
    assert planned.problems == ()
    return likely_causes(asked, planned)


def with_slack(memory: MemoryPlan, slack: int) -> MemoryPlan:
    changed = replace(memory, loading_peak=memory.gpu_memory - slack)
    assert changed.slack == slack
    return changed


def test_a_plan_without_a_warning_names_memory_then_a_crash_then_the_token() -> None:
    memory, crash, token = causes()
    assert memory.startswith("Out of memory: by the plan each GPU of ml.g5.2xlarge has ")
    assert memory.endswith(" GiB to spare. Use larger GPUs, or lower max_batch_prefill_tokens or max_total_tokens.")
    assert (token, crash) == (TOKEN, CRASH)


def test_ample_memory_and_no_token_leave_what_every_deployment_may_meet() -> None:
    assert causes(model=OPEN, instance=InstanceType.P4DE_24XLARGE) == (
        CRASH,
        DENIED,
        "The first token takes longer than 50 s: take faster GPUs.",
    )


def test_tight_memory_comes_first() -> None:
    asked = request(model=OPEN, inference_ami_version="al2-ami-sagemaker-inference-gpu-2")
    planned = plan(asked)
    assert planned.memory is not None
    tight = with_slack(planned.memory, planned.memory.uncertainty // 2)
    assert tight.is_tight
    first, second, _ = likely_causes(asked, replace(planned, memory=tight))
    assert first.startswith("Out of memory: ")
    assert second == _BY_WARNING["tgi-endpoint:inferenceAmiMismatch"]


def test_memory_that_lacks_something_is_said_to_be_too_little() -> None:
    asked = request(model=OPEN)
    planned = plan(asked)
    assert planned.memory is not None
    short = with_slack(planned.memory, -planned.memory.uncertainty // 2)
    assert " GiB too little. Use larger GPUs" in likely_causes(asked, replace(planned, memory=short))[0]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"inference_ami_version": "al2-ami-sagemaker-inference-gpu-2"}, "inferenceAmiMismatch"),
        ({"environment": {"SAGEMAKER_CONTAINER_LOG_LEVEL": "20"}}, "unreadVariable"),
        ({"model": ModelChoice(source="hub", hub_id="acme/own-7b")}, "unknownModel"),
        (
            {"network": NetworkAccess(subnets=(SubnetKind.UNKNOWN,), has_s3_endpoint=None)},
            "internetRouteUnknown",
        ),
    ],
)
def test_what_the_plan_warned_of_is_a_cause(changes: dict[str, Any], warning: str) -> None:
    assert _BY_WARNING[f"tgi-endpoint:{warning}"] in causes(**changes)


def test_a_model_that_nobody_compiled_is_the_likeliest_cause_on_neuron_devices() -> None:
    asked = request(engine=engine_named("tgi-neuron"), options=NeuronOptions(), instance=InstanceType.INF2_8XLARGE)
    assert likely_causes(asked, plan(asked))[0] == (
        "The hub's cache may have no model compiled for these sizes and this image: look for 'No compatible' and 'No"
        " cached version' in the model's log."
    )


def test_an_image_of_the_callers_own_may_be_another_program() -> None:
    image = ImageChoice(version="3.3.6", uri="registry.example.com/own:1", uri_override=True)
    assert "The image is your own: it has to answer TGI's requests at POST /invocations, and stream them." in causes(
        image=image
    )


def test_compressed_weights_may_not_be_what_the_engine_expects() -> None:
    found = causes(options=TgiOptions(quantize="eetq"))
    assert (
        "The weights may not have the form that quantize=eetq expects, or its kernels fail on A10G: try without."
        in found
    )


def test_weights_that_are_published_compressed_need_kernels_for_them() -> None:
    awq = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct-AWQ")
    asked = request(engine=engine_named("vllm"), model=awq, instance=InstanceType.G6E_2XLARGE)
    assert (
        "The kernels for weights in awq may fail on L40S: take an instance type with newer GPUs, or uncompressed"
        " weights." in _causes(asked, plan(asked))
    )


def test_the_option_is_named_as_the_engine_calls_it() -> None:
    options = VllmOptions(quantization=VllmQuantization.FP8)
    asked = request(engine=engine_named("vllm"), model=OPEN, instance=InstanceType.G6E_2XLARGE, options=options)
    assert (
        "The weights may not have the form that quantization=fp8 expects, or its kernels fail on L40S: try without."
        in _causes(asked, plan(asked))
    )


def test_an_image_of_which_nothing_is_declared_may_need_a_newer_driver_or_answer_something_else() -> None:
    image = ImageChoice(version="0.0.0", uri="registry.example.com/own:1", uri_override=True, family=OwnImages())
    found = causes(engine=CONTAINERS["openai"], image=image)
    assert found[:2] == (
        "The image is your own: it has to answer the requests of its protocol at POST /invocations, and stream them.",
        _BY_WARNING["tgi-endpoint:imageCudaUnknown"],
    )


def test_each_warning_that_is_named_is_one_of_the_plan_and_each_cause_is_short() -> None:
    source = "".join(path.read_text() for path in _planning().rglob("*.py") if path.name != "likely_causes.py")
    for warning, cause in _BY_WARNING.items():
        assert f'"{warning}"' in source, warning
        assert len(cause) <= MAX_LENGTH, warning
    asked = request(options=TgiOptions(quantize="bitsandbytes-nf4"), instance=InstanceType.G5_48XLARGE)
    assert max(map(len, _causes(asked, plan(asked)))) <= MAX_LENGTH


def test_what_only_the_deployment_knows_is_no_error() -> None:
    unknown = Unknown("${Token[X]}")
    found = causes(inference_ami_version=unknown, startup_timeout_seconds=unknown, image=ImageChoice(version="3.3.6"))
    assert len(found) == 3


def _planning() -> Any:
    from pathlib import Path

    return Path(__file__).parents[3] / "constructs_lib" / "planning"
