"""Which formats of weights and types vLLM runs on which GPU."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.vllm.gpu_support import published_as
from constructs_lib.planning.engines.vllm.images import HUGGING_FACE
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, known_model
from tests.constructs_lib.planning.engines.vllm.requests import LLAMA, planned, refusals

T4, A10G = InstanceType.G4DN_12XLARGE, InstanceType.G5_12XLARGE
NEWER = "Use a newer GPU, such as InstanceType.G6_XLARGE."
V100 = replace(T4, name="ml.p3.8xlarge", accelerator="V100", compute_capability=(7, 0), memory_gib=64)

UNKNOWN_MODEL = ModelChoice(source="hub", hub_id="a/b")


def published(kind, **changes):
    facts = replace(known_model(LLAMA.hub_id), quantization=kind, **changes)
    return {"model": replace(LLAMA, facts=facts)}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"changes": {"instance": V100}, "max_model_len": 4096},
            (
                f"instance_type='ml.p3.8xlarge': ml.p3.8xlarge (V100, compute capability 7.0) is too old for vLLM"
                f" 0.30.0 with CUDA 13.0. {NEWER}"
            ),
        ),
        (
            {"changes": {"instance": T4}, "dtype": "bfloat16"},
            (
                "options.dtype='bfloat16': ml.g4dn.12xlarge (T4, compute capability 7.5) has no bfloat16. Leave it out,"
                " or use a newer GPU."
            ),
        ),
        (
            {"changes": {"instance": T4}, "hub_id": "google/gemma-2-2b-it"},
            (
                "instance_type='ml.g4dn.12xlarge': vLLM runs gemma2 models in bfloat16, which T4 does not support. Use"
                " a newer GPU, such as InstanceType.G6_XLARGE, or set dtype to float32."
            ),
        ),
        (
            {"hub_id": "google/gemma-2-2b-it", "dtype": "float16"},
            "options.dtype='float16': vLLM does not run gemma2 models in float16. Leave it out, or use bfloat16.",
        ),
        (
            {"changes": {"instance": T4}, "quantization": "experts_int8"},
            (
                "options.quantization='experts_int8': ml.g4dn.12xlarge (T4, compute capability 7.5) cannot run the"
                f" kernels of experts_int8 weights, which need compute capability 8.0. {NEWER}"
            ),
        ),
        (
            {"changes": {"instance": A10G, "model": UNKNOWN_MODEL}, "quantization": "modelopt", "version": "0.29.0"},
            (
                "options.quantization='modelopt': ml.g5.12xlarge (A10G, compute capability 8.6) cannot run the kernels"
                f" of modelopt weights, which need compute capability 8.9. {NEWER}"
            ),
        ),
        (
            {"changes": published("awq", group_size=128), "quantization": "gptq"},
            (
                "options.quantization='gptq': the weights of meta-llama/Llama-3.1-8B-Instruct are published as awq."
                " Leave it out: vLLM detects how they are compressed."
            ),
        ),
        (
            {"changes": published("awq"), "quantization": "fp8"},
            (
                "options.quantization='fp8': the weights of meta-llama/Llama-3.1-8B-Instruct are published as awq."
                " Leave it out: vLLM detects how they are compressed."
            ),
        ),
        (
            {"quantization": "awq_marlin"},
            (
                "options.quantization='awq_marlin': needs weights that were published in that format, and those of"
                " meta-llama/Llama-3.1-8B-Instruct are not compressed. Choose a repository with such weights, or"
                " describe your own (like=… or ModelFacts(quantization=…)); or use fp8, which compresses while loading."
            ),
        ),
        (
            {
                "changes": {
                    "instance": InstanceType.G6E_12XLARGE,
                    **published("gptq", group_size=128, intermediate=14_464),
                }
            },
            (
                "options.tensor_parallel_size=None: meta-llama/Llama-3.1-8B-Instruct has gptq weights in groups of 128,"
                " of which its feed-forward layers of 14464 cannot be split evenly over 4 GPUs. Choose a smaller"
                " number, or weights in another format."
            ),
        ),
    ],
)
def test_what_a_gpu_cannot_run_is_refused(changes, problem):
    assert problem in refusals(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"changes": {"instance": V100, "image": ImageChoice(version="0.17.0", family=HUGGING_FACE)}},
        {"changes": {"instance": T4}},
        {"changes": {"instance": T4}, "hub_id": "google/gemma-2-2b-it", "dtype": "float32"},
        {"changes": {"instance": T4}, "quantization": "fp8"},
        {"changes": {"instance": A10G, **published("awq", group_size=128)}},
        {"changes": {"instance": A10G, "model": UNKNOWN_MODEL}, "quantization": "modelopt"},
        {"changes": published("awq"), "quantization": "awq_marlin"},
        {"changes": published("gptq"), "quantization": "moe_wna16"},
        {"changes": published("fp8"), "quantization": "fp8"},
        {
            "changes": {
                "instance": InstanceType.G6E_12XLARGE,
                **published("gptq", group_size=128, act_order=True, intermediate=14_464),
            }
        },
    ],
)
def test_what_a_gpu_runs_is_planned(changes):
    assert refusals(**changes) == []


@pytest.mark.parametrize(
    ("quantization", "kind"),
    [("awq", "awq"), ("awq_marlin", "awq"), ("gptq_marlin", "gptq"), ("fp8", None), ("moe_wna16", None), (None, None)],
)
def test_the_option_says_how_weights_of_the_callers_own_are_compressed(quantization, kind):
    assert published_as(quantization) == kind


def test_weights_of_the_callers_own_are_sized_by_the_option():
    model = ModelChoice(source="s3", bucket="weights", like=LLAMA.hub_id)
    found = planned(changes={"model": model}, quantization="awq")
    assert (found.problems, found.serving.quantize) == ((), "awq")
    assert found.memory.weights < planned(changes={"model": model}).memory.weights / 2
