"""Which images, models and instances go together, and what nobody knows at synth."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi_neuron.options import NeuronOptions
from constructs_lib.planning.hardware.host_ami import GPU_CUDA_12, NEURON
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, known_model
from tests.constructs_lib.planning.engines.tgi_neuron.neuron_requests import (
    EXPORTED,
    LLAMA,
    planned,
    refusals,
    sized,
    warnings,
)

HF_70B = "meta-llama/Llama-3.3-70B-Instruct"


def test_the_oldest_images_are_refused() -> None:
    assert refusals(version="0.0.18") == [
        (
            "image='0.0.18': has TGI 1.0.2, which takes no batch size, so that it cannot fill a compiled model's"
            " batch. Use '0.3.0', or 0.0.19 or newer."
        )
    ]


@pytest.mark.parametrize(
    ("hub_id", "version", "problem"),
    [
        (
            "tiiuae/falcon-7b",
            "0.3.0",
            (
                "model='tiiuae/falcon-7b': TGI for Neuron 0.3.0 does not know falcon models. Use a model of the types"
                " granite, llama, mixtral, phi3, qwen2, qwen3."
            ),
        ),
        (
            "mistralai/Mistral-7B-Instruct-v0.3",
            "0.3.0",
            (
                "model='mistralai/Mistral-7B-Instruct-v0.3': TGI for Neuron 0.3.0 does not know mistral models. Use"
                " image 0.0.28, which does, or a model of the types granite, llama, mixtral, phi3, qwen2, qwen3."
            ),
        ),
        (
            "Qwen/Qwen3-8B",
            "0.2.0",
            (
                "model='Qwen/Qwen3-8B': TGI for Neuron 0.2.0 does not know qwen3 models. Use image 0.3.0, which does,"
                " or a model of the types granite, llama, mixtral, phi3, qwen2."
            ),
        ),
    ],
)
def test_a_model_that_the_image_does_not_know_is_refused(hub_id: str, version: str, problem: str) -> None:
    assert refusals(hub_id=hub_id, version=version, options=sized(max_total_tokens=2048)) == [problem]


def test_compressed_weights_are_refused() -> None:
    facts = known_model("meta-llama/Llama-3.1-8B-Instruct")
    assert facts is not None
    model = ModelChoice(source="hub", hub_id="me/awq", facts=replace(facts, hub_id="me/awq", quantization="awq"))
    assert [text.partition(". ")[0] for text in refusals(model=replace(model, has_token=True))] == [
        "model='me/awq': its weights were published as awq, but Neuron runs weights in half precision only"
    ]


def test_weights_that_do_not_fit_all_cores_are_refused_without_sizes_too() -> None:
    assert refusals(hub_id=HF_70B, options=NeuronOptions()) == [
        (
            "instance_type='ml.inf2.8xlarge': cannot hold meta-llama/Llama-3.3-70B-Instruct: its weights are 131 GiB,"
            " but the 2 cores have 32 GiB. Use a larger instance, or a smaller model."
        )
    ]
    assert planned(hub_id=HF_70B, options=NeuronOptions(), instance=InstanceType.INF2_48XLARGE).problems == ()


@pytest.mark.parametrize(
    ("instance", "has"), [(InstanceType.G5_2XLARGE, "A10G"), (InstanceType.TRN2_48XLARGE, "Trainium2")]
)
def test_other_accelerators_are_refused(instance: InstanceType, has: str) -> None:
    assert refusals(instance=instance) == [
        (
            f"instance_type={instance.name!r}: has {has}, but TGI for Neuron's image is for Inferentia 2 and Trainium"
            " 1. Use a Neuron instance, such as InstanceType.INF2_8XLARGE. For GPUs use TgiEndpoint."
        )
    ]


def test_an_instance_without_an_accelerator_is_refused() -> None:
    instance = InstanceType.of("ml.m5.xlarge", accelerator_count=1, memory_gib=16, is_gpu=False)
    assert (
        "instance_type='ml.m5.xlarge': has no Neuron device, but TGI for Neuron's image is for Inferentia 2 and"
        " Trainium 1. Use a Neuron instance, such as InstanceType.INF2_8XLARGE."
    ) in refusals(instance=instance)


def test_an_image_for_gpus_is_refused() -> None:
    uri = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311"
    image = ImageChoice(version="0.3.0", uri_override=True, uri=uri)
    assert refusals(image=image, region="us-east-1") == [
        (
            f"image='{uri}': is for GPUs, but this construct runs TGI for Neuron on Inferentia 2 and Trainium 1. Write"
            " TgiNeuronImage.version('0.3.0'), which has the right account, Region and tag."
        )
    ]


def test_a_tag_of_aws_is_accepted_whichever_version_it_names() -> None:
    registry = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference"
    for tag, version in (
        ("2.7.0-optimum3.3.6-neuronx-py310-ubuntu22.04", "0.3.0"),
        ("2.1.2-optimum0.0.25-neuronx-py310-ubuntu22.04", "0.0.25"),
    ):
        image = ImageChoice(version=version, uri_override=True, uri=f"{registry}:{tag}")
        assert refusals(image=image, region="us-east-1") == []
    wrong = ImageChoice(version="0.0.28", uri_override=True, uri=f"{registry}:{tag}")
    assert "its tag names TGI for Neuron 0.0.25, but version says '0.0.28'" in refusals(image=wrong)[0]


def test_the_host_has_the_machine_image_for_neuron() -> None:
    assert planned().inference_ami_version == NEURON
    assert refusals(inference_ami_version=GPU_CUDA_12) == [
        f"inference_ami_version='{GPU_CUDA_12}': is for GPUs, but ml.inf2.8xlarge has Inferentia2. Use '{NEURON}'."
    ]


def test_a_start_may_take_as_long_as_sagemaker_waits() -> None:
    assert planned().startup_timeout_seconds == 3600
    assert planned(startup_timeout_seconds=1800).startup_timeout_seconds == 1800


@pytest.mark.parametrize(
    ("hub_id", "instance", "size"),
    [
        (LLAMA.hub_id, InstanceType.INF2_8XLARGE, 128),
        (HF_70B, InstanceType.INF2_48XLARGE, 327),
        ("me/unknown", InstanceType.INF2_48XLARGE, 256),
        (LLAMA.hub_id, InstanceType.TRN1_2XLARGE, None),
    ],
)
def test_inferentia_gets_a_volume_for_the_weights(hub_id: str, instance: InstanceType, size: int | None) -> None:
    assert planned(hub_id=hub_id, instance=instance).volume_size_gib == size
    assert planned(hub_id=hub_id, instance=InstanceType.INF2_8XLARGE, volume_size_gib=200).volume_size_gib == 200


def test_instance_types_of_one_list_have_the_largest_volume() -> None:
    pools = (InstanceType.INF2_24XLARGE, InstanceType.INF2_48XLARGE)
    found = planned(hub_id=HF_70B, pools=pools, options=sized(num_cores=12))
    assert (found.problems, found.volume_size_gib) == ((), 327)


def test_instance_types_of_one_list_all_have_a_volume_or_drives() -> None:
    pools = (InstanceType.INF2_8XLARGE, InstanceType.TRN1_2XLARGE)
    assert refusals(pools=pools) == [
        (
            "instance_type=(ml.inf2.8xlarge, ml.trn1.2xlarge): have one storage volume: ml.inf2.8xlarge without drives"
            " needs one, and SageMaker takes none for ml.trn1.2xlarge. Leave out those of one kind."
        )
    ]


def test_a_model_of_the_hub_needs_a_compiled_one_in_its_cache() -> None:
    assert warnings() == {
        "neuronCache": (
            "The container compiles nothing. Unless meta-llama/Llama-3.1-8B-Instruct is an exported model (with a"
            " neuron_config.json), it starts only if the hub's cache aws-neuron/optimum-neuron-cache has an entry for 2"
            " cores, a batch of 4, 4096 tokens and bf16, compiled with neuronx-cc 2.19.8089.0. Look it up: optimum-cli"
            " neuron cache lookup meta-llama/Llama-3.1-8B-Instruct"
        )
    }
    assert (
        "has an entry for at most 2 cores, the one with the most cores first, then the largest batch, compiled with"
        " neuronx-cc 2.19.8089.0."
    ) in warnings(options=NeuronOptions())["neuronCache"]
    assert "compiled with neuronx-cc 2.15.128.0." in warnings(version="0.0.25")["neuronCache"]


def test_weights_in_s3_need_to_be_exported() -> None:
    assert warnings(model=EXPORTED) == {
        "neuronExport": (
            "Weights in S3 must be an exported model for 2 cores, a batch of 4, 4096 tokens and bf16, because the hub's"
            " cache of compiled models has no entry for a folder. Export it with: optimum-cli export neuron --model"
            " <model> --task text-generation --num_cores 2 --batch_size 4 --sequence_length 4096 --auto_cast_type bf16"
            " <folder>"
        )
    }


def test_network_isolation_requires_an_exported_model() -> None:
    assert refusals(network_isolation=True) == [
        (
            "network_isolation=True: cuts the container off from the Hugging Face hub, from which this model is"
            " downloaded. Copy the weights to S3 and use Model.from_s3, or leave network_isolation out."
        )
    ]
    assert planned(model=EXPORTED, network_isolation=True).problems == ()


def test_tgi_before_2_4_takes_chats_only_if_it_is_told_to() -> None:
    messages = warnings(version="0.0.22", options=sized(messages_api_enabled=True))
    assert messages["chatOnly"] == "With messages_api_enabled, TGI 2.0.2 accepts only chat requests here."
    assert "chatOnly" not in warnings(options=sized(messages_api_enabled=True))
